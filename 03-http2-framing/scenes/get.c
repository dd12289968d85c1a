// get.c: see get.h.
#include "get.h"

#include <stdio.h>

#include "show.h"
#include "talk.h"
#include "text.h"

#define VERBOSE_LINES 3   // of a payload's bytes
#define LEFT_FREE     8   // places of talk->replies that stay so
#define STATUS_MAX    600 // that are counted

static struct talk talk; // too large for the stack
static bool is_verbose, is_alone;

static void see_frame(struct talk *t, bool to_server, const struct frame *frame)
{
    static bool begun;
    (void)t;
    if (!is_verbose)
        return;
    if (!begun)
        show_beginning();
    begun = true;
    show_frame(to_server, frame, VERBOSE_LINES);
}

static void see_fields(struct talk *t, bool to_server, const struct hpack_field *fields,
                       size_t count)
{
    (void)t;
    for (size_t i = 0; i < count && is_verbose; i++)
        show_field(&fields[i]);
    for (size_t i = 0; i < count && !is_verbose && is_alone && !to_server; i++) {
        char text[LINE_BYTES];
        bool status = fields[i].static_name == HPACK_STATUS;
        snprintf(text, sizeof text, "%.*s%s%.*s", status ? 6 : (int)fields[i].name_length,
                 status ? "HTTP/2" : fields[i].name, status ? " " : ": ",
                 (int)fields[i].value_length, fields[i].value);
        make_printable(text);
        puts(text);
    }
    if (!is_verbose && is_alone && !to_server)
        putchar('\n'); // between the fields and the content, as in HTTP/1.1
}

static void see_content(struct talk *t, const struct reply *reply, const uint8_t *bytes,
                        size_t length)
{
    (void)t;
    (void)reply;
    if (is_alone && !is_verbose)
        fwrite(bytes, 1, length, stdout);
}

// Why a stream, or the connection, came to its end.
static void explain(const struct reply *reply)
{
    fflush(stdout);
    if (talk.fault.scope)
        fprintf(stderr, "client: the server broke the rules: %s\n", talk.fault.why);
    else if (talk.went_away && talk.goaway_code)
        fprintf(stderr, "client: the server said GOAWAY %s %s\n",
                error_code_name(talk.goaway_code), talk.why);
    else if (reply->reset)
        fprintf(stderr, "client: the server reset stream %u: %s\n", reply->stream,
                error_code_name(reply->error));
    else
        fprintf(stderr, "client: the connection ended before the answer was whole%s\n",
                talk.position ? "" : " (does this server speak HTTP/2 without TLS?)");
}

static int get_one(const char *path)
{
    uint32_t stream = talk_get(&talk, path);
    bool answered = talk_await(&talk, stream) && !talk_reply(&talk, stream)->reset;
    if (!answered)
        explain(talk_reply(&talk, stream));
    return answered ? 0 : 1;
}

// Counts the answers that have come to requests `from` and later, up to the first that has not.
static uint32_t count_answers(uint32_t from, int statuses[STATUS_MAX], uint64_t *content)
{
    while (from < talk.next_stream && talk_reply(&talk, from)->ended) {
        const struct reply *reply = talk_reply(&talk, from);
        statuses[!reply->reset && reply->status < STATUS_MAX ? reply->status : 0]++;
        *content += reply->content_bytes;
        from += 2;
    }
    return from;
}

static int get_many(const char *path, int times)
{
    int statuses[STATUS_MAX] = {0}, asked = 0, most = 0;
    uint32_t counted = 1;
    uint64_t content = 0;
    bool alive = talk_ping(&talk); // then we know the server's SETTINGS
    while (alive && counted < 2 * (uint32_t)times) {
        while (asked < times && talk.open < talk.streams_max && !talk.went_away &&
               talk.next_stream - counted < 2 * (TALK_REPLIES - LEFT_FREE)) {
            talk_get(&talk, path);
            asked++;
        }
        most = (int)talk.open > most ? (int)talk.open : most;
        if (talk.open == 0 && talk.went_away)
            break;
        alive = talk_step(&talk);
        counted = count_answers(counted, statuses, &content);
    }
    int answered = (int)(counted / 2) - statuses[0];
    printf("%d of %d answered, %llu bytes of content, at most %d at once;", answered, times,
           (unsigned long long)content, most);
    for (int i = 1; i < STATUS_MAX; i++)
        if (statuses[i])
            printf(" status %d: %d", i, statuses[i]);
    putchar('\n');
    if (answered < times)
        explain(talk_reply(&talk, counted));
    return answered == times ? 0 : 1;
}

int get(const char *path, int times, bool verbose)
{
    static const struct talk_listener listener = {see_frame, see_fields, see_content};
    is_verbose = verbose;
    is_alone = times == 1;
    talk_open(&talk, TALK_WINDOW, &listener);
    int status = times == 1 ? get_one(path) : get_many(path, times);
    talk_close(&talk);
    return status;
}
