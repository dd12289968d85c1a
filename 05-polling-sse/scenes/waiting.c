// waiting.c: scene waiting: thousands of clients that only wait: with a held request, with a
// stream of events, with a WebSocket. What does one of them cost the server while nothing
// happens, and what does one event then cost?
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "sanitized.h"
#include "scenes.h"
#include "story.h"

#define CLIENTS     1500 // of each technique
#define BATCH       250  // connections that are opened before their answers are read
#define SPARE       100  // descriptors that this program needs beside them
#define PATIENCE_MS 20000
#define SETTLE_MS   1000
#define NEAR_BYTES  100  // memory of a client that differs by less is the same
#define BYTES       2048 // of the beginning of an answer

static const struct technique {
    const char *name, *figures; // of GET /stats
    const char *request;
    const char *waits; // what its answer has when it waits; NULL: it has none
} techniques[] = {
    {"long polling", "\"wait\"", "GET /wait HTTP/1.1\r\n" FETCH_HOST "\r\n", NULL},
    {"SSE", "\"sse\"", "GET /events HTTP/1.1\r\n" FETCH_HOST "\r\n", "retry: "},
    {"WebSocket", "\"websocket\"",
     "GET /ws HTTP/1.1\r\n" FETCH_HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     "\r\n\r\n"}};

enum { TECHNIQUES_HERE = sizeof techniques / sizeof *techniques };

static int clients; // of each technique
static int *fds;    // of all of them
static double memory[TECHNIQUES_HERE];
static int counted[TECHNIQUES_HERE];
static uint64_t newest;                  // id of the event that all have
static uint64_t others[TECHNIQUES_HERE]; // clients of the server that are not ours

static void read_until(int fd, const char *text)
{
    char bytes[BYTES];
    size_t length = 0;
    while (!memmem(bytes, length, text, strlen(text))) {
        ssize_t got = read(fd, bytes + length, sizeof bytes - length);
        if (got <= 0)
            die("a client that waits gets no \"%s\"", text);
        length += (size_t)got;
    }
}

// Waits until a figure of the server's about a technique is `wanted`. False: an event has come
// that is not ours.
static bool await_figure(const struct technique *technique, const char *figure, uint64_t wanted)
{
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    while (server_figure(technique->figures, figure) != wanted) {
        if (server_figure("", "newest") != newest)
            return false;
        if (now_ns() > until_ns)
            die("%s: after %d s the server has not %llu %s", technique->name,
                PATIENCE_MS / 1000, (unsigned long long)wanted, figure);
        sleep_ms(1);
    }
    return true;
}

// Opens all clients of a technique, and waits until the server has all of them.
static bool open_clients(const struct technique *technique, uint64_t there, int *fd)
{
    for (int from = 0; from < clients; from += BATCH) {
        int to = from + BATCH;
        if (to > clients)
            to = clients;
        for (int i = from; i < to; i++) {
            fd[i] = ask_connect();
            if (!write_all(fd[i], technique->request, strlen(technique->request)))
                die("client %d cannot ask: %s", i + 1, strerror(errno));
        }
        for (int i = from; technique->waits && i < to; i++)
            read_until(fd[i], technique->waits);
        if (!await_figure(technique, "clients", there + (uint64_t)to))
            return false;
    }
    return true;
}

// How many clients of each technique there can be; 0: too few.
static int count_clients(void)
{
    long most = raise_file_limit((long)TECHNIQUES_HERE * CLIENTS + SPARE) - SPARE;
    clients = CLIENTS;
    if (most < (long)TECHNIQUES_HERE * CLIENTS)
        clients = (int)(most / TECHNIQUES_HERE);
    if (clients < BATCH)
        return 0;
    return clients;
}

// False: an event has come meanwhile.
static bool open_all(void)
{
    fds = calloc((size_t)clients * TECHNIQUES_HERE, sizeof *fds);
    if (!fds)
        die("no memory for %d clients", clients);
    for (int i = 0; i < clients * TECHNIQUES_HERE; i++)
        fds[i] = -1;
    uint64_t before = server_figure("", "resident_bytes");
    for (int i = 0; i < TECHNIQUES_HERE; i++) {
        others[i] = server_figure(techniques[i].figures, "clients");
        if (!open_clients(&techniques[i], others[i], fds + i * clients))
            return false;
        uint64_t after = server_figure("", "resident_bytes");
        memory[i] = ((double)after - (double)before) / clients;
        before = after;
    }
    return true;
}

// Clients that have just gone, of another scene or of this one before, are to be forgotten.
static void let_others_go(void)
{
    int64_t until_ns = now_ns() + SETTLE_MS * INT64_C(1000000);
    for (int i = 0; i < TECHNIQUES_HERE; i++)
        while (server_figure(techniques[i].figures, "clients") > 0 && now_ns() < until_ns)
            sleep_ms(1);
}

static void close_all(void)
{
    struct linger reset = {1, 0}; // close() resets: no port stays in TIME_WAIT
    for (int i = 0; i < clients * TECHNIQUES_HERE && fds[i] >= 0; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fds[i]);
    }
    free(fds);
}

// Publishes one event. Returns how many bytes it costs a client of each technique, on average:
// what the server sends, and the request that has to follow.
static bool cost_of_event(double *bytes)
{
    static struct fetch publisher;
    uint64_t events[TECHNIQUES_HERE], sent[TECHNIQUES_HERE];
    for (int i = 0; i < TECHNIQUES_HERE; i++) {
        events[i] = server_figure(techniques[i].figures, "events") + (uint64_t)clients;
        sent[i] = server_figure(techniques[i].figures, "bytes_out");
    }
    ask_open(&publisher);
    if (ask_status(&publisher, "POST", "/publish", "news") != 200)
        die("the server does not publish");
    newest++;
    fetch_close(&publisher);
    for (int i = 0; i < TECHNIQUES_HERE; i++) {
        if (!await_figure(&techniques[i], "events", events[i]))
            return false;
        sent[i] = server_figure(techniques[i].figures, "bytes_out") - sent[i];
        bytes[i] = (double)sent[i] / clients;
        if (!techniques[i].waits) // an answer ends the waiting: the client has to ask again
            bytes[i] += (double)strlen(techniques[i].request);
    }
    return true;
}

static const struct claim scales = {
    "5.51", "guide §4.3, §5", "long polling scales poorly, server-sent events excellently",
    NOT_HERE,
    "Not while the clients wait: each is one connection, with its descriptor and a few hundred "
    "bytes, by either technique. What differs is the price of an event."};

// The same, but for a part. (A server that has had such clients before takes less for new
// ones.)
static bool is_near(double a, double b)
{
    return a < 2 * b + NEAR_BYTES && b < 2 * a + NEAR_BYTES;
}

void scene_waiting(void)
{
    double bytes[TECHNIQUES_HERE];
    bool all = true;
    if (SANITIZED) {
        story_say("A sanitizer keeps memory of its own: not measured.");
        return;
    }
    story_say("Clients that wait for news, which does not come. Then there is one event.");
    if (!count_clients()) {
        claim_report(&scales, SKIPPED, "ulimit -Hn allows too few connections");
        return;
    }
    let_others_go();
    newest = server_figure("", "newest");
    bool alone = open_all();
    for (int i = 0; alone && i < TECHNIQUES_HERE; i++) {
        counted[i] = (int)(server_figure(techniques[i].figures, "clients") - others[i]);
        all = all && counted[i] == clients;
    }
    alone = alone && cost_of_event(bytes);
    close_all();
    if (!alone) {
        claim_report(&scales, SKIPPED, "other events came: this needs ./server --rate 0");
        return;
    }
    story_head("|connections|memory each|an event");
    for (int i = 0; i < TECHNIQUES_HERE; i++)
        story_row("%s|%d|%.0f bytes|%.0f bytes", techniques[i].name, counted[i], memory[i],
                  bytes[i]);
    enum verdict verdict = UNCLEAR;
    if (all && is_near(memory[0], memory[1]) && bytes[0] > 2 * bytes[1])
        verdict = NOT_HERE;
    else if (memory[0] > 3 * memory[1])
        verdict = HOLDS;
    claim_report(&scales, verdict,
                 "a client that waits takes %.0f bytes of the server's memory by long polling, "
                 "%.0f by SSE. An event costs %.0f bytes with the next request, or %.0f",
                 memory[0], memory[1], bytes[0], bytes[1]);
}
