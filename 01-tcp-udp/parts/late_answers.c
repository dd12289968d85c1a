// late_answers.c: see late_answers.h.
#include "late_answers.h"

#include <string.h>

#include "log.h"
#include "net.h"

#define LATE_MAX   64
#define LATE_BYTES 512 // of one answer

struct late_answer {
    int64_t due_ns; // 0: unused
    struct sockaddr_storage to;
    socklen_t to_length;
    size_t length;
    char text[LATE_BYTES];
};

static struct late_answer late_answers[LATE_MAX];

// How many answers are kept for this client.
static int count_of(const struct sockaddr_storage *to, socklen_t to_length)
{
    int count = 0;
    for (int i = 0; i < LATE_MAX; i++) {
        const struct late_answer *late = &late_answers[i];
        if (late->due_ns && late->to_length == to_length && !memcmp(&late->to, to, to_length))
            count++;
    }
    return count;
}

// A place for an answer to this client: a free one, or one of the client that has the most.
// NULL: no client has more answers than this client would have.
static struct late_answer *find_place(const struct sockaddr_storage *to, socklen_t to_length)
{
    struct late_answer *place = NULL;
    int most = count_of(to, to_length) + 1; // answers that this client would have
    for (int i = 0; i < LATE_MAX; i++) {
        struct late_answer *late = &late_answers[i];
        if (!late->due_ns)
            return late;
        int count = count_of(&late->to, late->to_length);
        if (count > most) {
            most = count;
            place = late;
        }
    }
    return place;
}

void late_answer_keep(const struct sockaddr_storage *to, socklen_t to_length,
                      const struct reply *reply)
{
    struct late_answer *place = NULL;
    if (reply->length <= LATE_BYTES)
        place = find_place(to, to_length);
    if (!place) {
        log_line("no room for this late answer: dropped, as UDP may do");
        return;
    }
    place->due_ns = now_ns() + reply->after_ms * INT64_C(1000000);
    place->to = *to;
    place->to_length = to_length;
    place->length = reply->length;
    memcpy(place->text, reply->text, reply->length);
}

void late_answers_send(int udp, int64_t now)
{
    for (int i = 0; i < LATE_MAX; i++) {
        struct late_answer *late = &late_answers[i];
        if (late->due_ns == 0 || late->due_ns > now)
            continue;
        late->due_ns = 0;
        log_line("sendto() \"%.*s\", %zu bytes", (int)late->length, late->text, late->length);
        sendto(udp, late->text, late->length, 0, (struct sockaddr *)&late->to, late->to_length);
    }
}

int64_t late_answers_due_ns(void)
{
    int64_t due_ns = INT64_MAX;
    for (int i = 0; i < LATE_MAX; i++)
        if (late_answers[i].due_ns && late_answers[i].due_ns < due_ns)
            due_ns = late_answers[i].due_ns;
    return due_ns;
}
