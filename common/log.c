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

#define CONTINUED 15 // columns in front of what a long line goes on with

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // servers with threads
static int repeats; // of the line that was printed last: how often it came again

void log_begin(bool quiet)
{
    text_begin();
    packet_log()->quiet = quiet;
}

// False if a write to stdout would wait.
static bool has_reader(void)
{
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    return poll(&out, 1, 0) != 0;
}

static void print_repeats(void)
{
    if (repeats)
        printf("             ... and %d more\n", repeats);
    repeats = 0;
}

static void print_alone(const char *text)
{
    static char last[LINE_BYTES];
    if (!strcmp(text, last)) { // "read() = 1 bytes", a thousand times
        repeats++;
        return;
    }
    print_repeats();
    snprintf(last, sizeof last, "%s", text);
    fold(text, timeline_time(now_ns()), CONTINUED);
}

void log_line(const char *format, ...)
{
    char text[LINE_BYTES];
    if (packet_log()->quiet || !has_reader())
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

void log_end(void)
{
    pthread_mutex_lock(&mutex);
    if (has_reader())
        print_repeats();
    pthread_mutex_unlock(&mutex);
}
