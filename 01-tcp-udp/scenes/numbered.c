// numbered.c: see numbered.h.
#include "numbered.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "net.h"

struct arrivals numbered_read(int tcp, const char *transport)
{
    static char answer[ANSWER_BYTES];
    struct arrivals arrivals = {.in_order = true};
    int number, last = 0, used;
    long us;
    ask_tcp(tcp, answer, "notes %s", transport);
    const char *rest = strchr(answer, ':') + 1;
    while (sscanf(rest, " %d=%ld%n", &number, &us, &used) == 2) {
        if (number < 1 || number > MESSAGES)
            die("the server has a note of message %d", number);
        if (number <= last) {
            arrivals.in_order = false;
            arrivals.behind++;
        }
        last = number;
        arrivals.took_us[number] = us;
        arrivals.count++;
        rest += used;
    }
    return arrivals;
}

void numbered_send(int fd, const char *end)
{
    for (int i = 1; i <= MESSAGES; i++, sleep_ms(1)) {
        char message[64];
        int bytes = snprintf(message, sizeof message, "note %d %lld%s", i,
                             (long long)now_ns() / 1000, end);
        send_all(fd, message, (size_t)bytes);
    }
}
