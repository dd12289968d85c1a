// log.c: see log.h.
#include "log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "text.h"
#include "timeline.h"
#include "wire/packet_log.h"

void log_begin(bool quiet)
{
    text_begin();
    packet_log()->quiet = quiet;
}

static void print_alone(const char *text)
{
    static char last[LINE_BYTES];
    static int repeats;
    if (!strcmp(text, last)) { // "read() = 1 bytes", a thousand times
        repeats++;
        return;
    }
    if (repeats)
        printf("             ... and %d more\n", repeats);
    repeats = 0;
    snprintf(last, sizeof last, "%s", text);
    timeline_time(now_ns());
    printf("%s\n", text);
}

void log_line(const char *format, ...)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // servers with threads
    char text[LINE_BYTES];
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    if (packet_log()->quiet || poll(&out, 1, 0) == 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_printable(text);
    enum timeline_side side;
    pthread_mutex_lock(&mutex);
    if (!getenv("WIRE_PACKET_LOG"))
        print_alone(text);
    else if (timeline_find_side(&side))
        timeline_line(side, text);
    pthread_mutex_unlock(&mutex);
}
