// crowd.c: scene crowd: thousands of readers and one event. When has the last reader got it,
// and how much memory does a reader cost that only waits?
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define SPARE_FILES 50
#define BATCH       500 // connections that are opened before their answers are read
#define ROWS        6   // rows of the bar chart
#define TOLD_BYTES  2048
#define GBIT_BYTES  125e6 // that a network of 1 Gbit/s carries in a second
#define SHORTER     10 // a copy is not so many times shorter than the request that published it

static const char word[] = "for all readers"; // the event that is published
static const char greeting[] = "retry: ";     // what a stream of this server begins with

static int wanted = 5000;
static int readers; // connections
static int *fds;
static double *told_ms; // for each reader: time from the publication to its event; 0: no event
static uint64_t in_bytes, out_bytes; // of the publication, and of what all readers got of it

void crowd_of(int count)
{
    wanted = count;
}

// As many readers as were asked for and this machine allows.
static int possible(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    rlim_t most = SPARE_FILES;
    if (files.rlim_max > SPARE_FILES * 2)
        most = files.rlim_max - SPARE_FILES;
    if (most < (rlim_t)wanted)
        return (int)most;
    return wanted;
}

static void wait_for(int i, const char *text)
{
    char bytes[TOLD_BYTES];
    size_t length = 0;
    while (length < sizeof bytes - 1) {
        ssize_t got = read(fds[i], bytes + length, sizeof bytes - 1 - length);
        if (got <= 0)
            die("reader %d of %d: the server closed the connection", i + 1, readers);
        length += (size_t)got;
        if (memmem(bytes, length, text, strlen(text)))
            return;
    }
    die("reader %d of %d: the server says something else than \"%s\"", i + 1, readers, text);
}

static void open_crowd(void)
{
    static const char request[] = "GET /events HTTP/1.1\r\n" FETCH_HOST "\r\n";
    fds = calloc((size_t)readers, sizeof *fds);
    told_ms = calloc((size_t)readers, sizeof *told_ms);
    if (!fds || !told_ms)
        die("no memory for %d readers", readers);
    for (int from = 0; from < readers; from += BATCH) {
        int to = from + BATCH;
        if (to > readers)
            to = readers;
        for (int i = from; i < to; i++) {
            fds[i] = ask_connect();
            if (!write_all(fds[i], request, sizeof request - 1))
                die("reader %d cannot ask: %s", i + 1, strerror(errno));
        }
        for (int i = from; i < to; i++)
            wait_for(i, greeting);
    }
}

static void close_crowd(void)
{
    struct linger reset = {1, 0}; // close() resets: no port stays in TIME_WAIT
    for (int i = 0; i < readers; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fds[i]);
    }
    free(fds);
    free(told_ms);
}

// Publishes one event and reads it on every connection. Returns how many were told.
static int tell_all(double *published_ms)
{
    static struct fetch publisher;
    int epoll = epoll_create1(0), told = 0;
    struct epoll_event ready[256];
    if (epoll < 0)
        die("cannot set up epoll: %s", strerror(errno));
    for (int i = 0; i < readers; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event))
            die("cannot watch reader %d: %s", i + 1, strerror(errno));
    }
    ask_open(&publisher);
    int64_t start_ns = now_ns();
    fetch_or_die(&publisher, fetch_send(&publisher,
                                        "POST /publish HTTP/1.1\r\n" FETCH_HOST
                                        "Content-Length: %zu\r\n\r\n%s",
                                        sizeof word - 1, word));
    struct epoll_event answer = {.events = EPOLLIN, .data.u32 = (uint32_t)readers};
    epoll_ctl(epoll, EPOLL_CTL_ADD, publisher.fd, &answer);
    *published_ms = 0;
    while (told < readers || *published_ms == 0) {
        int count = epoll_wait(epoll, ready, 256, FETCH_PATIENCE_MS);
        if (count <= 0)
            break; // the other readers get no event
        for (int n = 0; n < count; n++) {
            char bytes[TOLD_BYTES];
            uint32_t i = ready[n].data.u32;
            if (i == (uint32_t)readers) {
                fetch_or_die(&publisher, fetch_answer(&publisher));
                *published_ms = ms_between(start_ns, now_ns());
                epoll_ctl(epoll, EPOLL_CTL_DEL, publisher.fd, NULL);
                continue;
            }
            ssize_t got = read(fds[i], bytes, sizeof bytes);
            if (got <= 0)
                epoll_ctl(epoll, EPOLL_CTL_DEL, fds[i], NULL);
            else if (!told_ms[i] && memmem(bytes, (size_t)got, word, sizeof word - 1)) {
                told_ms[i] = ms_between(start_ns, now_ns());
                out_bytes += (uint64_t)got;
                told++;
            }
        }
    }
    in_bytes = publisher.up;
    fetch_close(&publisher);
    close(epoll);
    return told;
}

static const struct claim long_lived = {
    "5.15", "guide §15.8", "each SSE reader is a long-lived connection with its descriptor",
    HOLDS, NULL};
static const struct claim saturates = {"5.55", "design patterns",
                                       "publish/subscribe: network saturation", HOLDS, NULL};

// One event comes in, and a copy for each reader goes out.
static void report_copies(int told)
{
    double each = (double)out_bytes / readers;
    bool copies = told == readers && each > (double)in_bytes / SHORTER;
    claim_report(&saturates, holds_if(copies),
                 "%llu bytes come in, %llu go out: %.0f for each of %d readers. A network of 1 "
                 "Gbit/s is "
                 "full with %.0f such events a second",
                 (unsigned long long)in_bytes, (unsigned long long)out_bytes, each, readers,
                 GBIT_BYTES / (double)out_bytes);
}

void scene_crowd(void)
{
    double published_ms;
    const char *limit = "";
    readers = possible();
    if (readers < wanted)
        limit = " (ulimit -Hn allows no more)";
    story_say("%d readers%s wait. Then one event is published.", readers, limit);
    uint64_t before = server_figure("", "resident_bytes");
    int64_t start_ns = now_ns();
    open_crowd();
    double opened_ms = ms_between(start_ns, now_ns());
    uint64_t after = server_figure("", "resident_bytes");
    int clients = (int)server_figure("\"sse\"", "clients");
    int told = tell_all(&published_ms);
    double each = ((double)after - (double)before) / readers;
    double middle = median_of(told_ms, readers), last = told_ms[readers - 1];
    story_say("");
    for (int row = 1; row <= ROWS; row++) {
        char label[40];
        int count = 0;
        for (int i = 0; i < readers; i++)
            count += told_ms[i] > 0 && told_ms[i] <= last * row / ROWS;
        snprintf(label, sizeof label, "after %.1f ms", last * row / ROWS);
        story_bar(label, count, readers, "%d have it", count);
    }
    story_head("readers|opened in|published in|the middle|the last|memory each");
    story_row("%d|%.0f ms|%.1f ms|%.1f ms|%.1f ms|%.0f bytes", readers, opened_ms, published_ms,
              middle, last, each);
    close_crowd();
    enum verdict verdict = UNCLEAR;
    if (told == readers && clients == readers)
        verdict = HOLDS;
    claim_report(
        &long_lived, verdict,
        "%d connections stay open. %d of %d readers got the event, the last one after %.0f ms. "
        "Each takes %.0f bytes of the server's memory",
        clients, told, readers, last, each);
    report_copies(told);
}
