// proxy.c: a layer-7 proxy for HTTP/2: the requests of one connection go to several backends,
// in turn. It ends the client's connection, and has connections of its own to the backends.
//
// Run:    ../server --port 9001, ../server --port 9002 and ../server --port 9003, each in a
//         terminal; then ./proxy, and in another one ./client
// Watch:  the shares. Then the same with ./relay in place of ./proxy: one backend gets all.
//
// Read exchange.h first: what a request is, on its way. Then frontend.c (the client's side),
// upstream_h2.c or upstream_h1.c (the backend's side), flow.c (how a slow reader stops its
// sender), fields.c (what passes). One thread and one loop serve all connections. This file
// says whose functions a call of the loop is for.
#include <malloc.h>
#include <stdio.h>

#include "frontend.h"
#include "log.h"
#include "options.h"
#include "settings.h"
#include "upstream.h"

// Further limits: flow.h (memory), upstream.h (connections to backends), exchange.h (tries),
// ../parts/abuse_budget.h (frames that lead to nothing).
#define CLIENTS_MAX 8000
#define BACKLOG     4096
#define KEPT_BYTES  (16 << 20) // of memory that is free, and kept

struct settings settings = {.host = "127.0.0.1",
                            .port = 8203,
                            .pool = 100,
                            .streams = 100,
                            .answer_ms = 60000,
                            .stall_ms = 30000,
                            .idle_ms = 300000};

// What the loop allocates for a connection, whatever it is. Both kinds begin alike: the loop's
// part, and then which functions the loop is to call for this kind.
union connection {
    struct {
        struct conn conn;
        const struct loop_server *calls;
    };
    struct frontend frontend;
    struct upstream upstream;
};

static int clients;
static long accepted; // clients, since the start

static const struct loop_server *calls_of(const struct conn *conn)
{
    return ((const union connection *)conn)->calls;
}

static void opened(struct conn *conn)
{
    struct backend *backend = dial_owner(conn);
    if (backend) {
        upstream_opened((struct upstream *)conn, backend);
    } else {
        clients++;
        accepted++;
        frontend_opened((struct frontend *)conn);
    }
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    return calls_of(conn)->received(conn, bytes, length);
}

static bool produce(struct conn *conn)
{
    return calls_of(conn)->produce(conn);
}

static void timeout(struct conn *conn)
{
    calls_of(conn)->timeout(conn);
}

// An exchange has changed: produce(), which comes next, does what is to be done.
static void woken(struct conn *conn)
{
    if (calls_of(conn)->woken)
        calls_of(conn)->woken(conn);
}

static void stop(struct conn *conn)
{
    calls_of(conn)->stop(conn);
}

static void closed(struct conn *conn)
{
    if (calls_of(conn) == &frontend_calls)
        clients--;
    calls_of(conn)->closed(conn);
}

// Behind each round of the loop: opens the connections that the round has asked for.
static bool end_of_round(void)
{
    dial_open_all(upstream_failed);
    return false;
}

// Leaves clients in the kernel's queue while there are CLIENTS_MAX: connections to backends
// have places of their own.
static int accept_client(int listener)
{
    return dial_accept(listener, clients >= CLIENTS_MAX);
}

static void print_summary(void)
{
    log_end();
    printf("stopped: clients %ld, requests %ld, own answers %ld, second tries %ld, "
           "resets %ld\n",
           accepted, exchange_figures.requests, exchange_figures.own_answers,
           exchange_figures.retries, exchange_figures.resets);
    for (const struct backend *b = backends; b < backends + backend_count; b++)
        printf("  %-22s requests %ld, connections %ld, requests lost %ld\n", b->name,
               b->requests, b->opened, b->lost);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(union connection),
        .conns_max = CLIENTS_MAX + UPSTREAMS_MAX,
        .opened = opened,        // a client was accepted, or a connection to a backend begins
        .received = received,    // frames of a client, or what a backend answers
        .produce = produce,      // writes answers to a client, or requests to a backend
        .timeout = timeout,      // checks a client's exchanges, or gives a backend up
        .woken = woken,          // one of its exchanges has changed; produce() comes next
        .stop = stop,            // GOAWAY to a client; to a backend, nothing new
        .closed = closed,        // a backend's exchanges go to another one, or are answered
        .round = end_of_round,   // connects to the backends that exchanges wait for
        .accept = accept_client, // not while there are CLIENTS_MAX
    };
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &settings.host, .help = "address to listen on"},
        {"port", OPTION_INT, &settings.port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"backend", OPTION_CALL, &backends_option, .help = backends_help},
        {"http1", OPTION_FLAG, &settings.http1,
         .help = "HTTP/1.1 to the backends: a pool of connections"},
        {"pool", OPTION_INT, &settings.pool, 1, 1000, "connections of it to each, at most"},
        {"streams", OPTION_INT, &settings.streams, 1, 1000, "requests of a client at once"},
        {"answer-ms", OPTION_INT, &settings.answer_ms, 1, 86400000,
         "ms of a backend's silence"},
        {"stall-ms", OPTION_INT, &settings.stall_ms, 1, 86400000,
         "ms that a request may wait for its client"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 86400000,
         "ms that a client may be without a request"},
        {"tell", OPTION_FLAG, &settings.tell,
         .help = "x-backend in an answer says whose it is"},
        {"quiet", OPTION_FLAG, &settings.quiet, .help = "no line for what goes wrong"},
        {0}};
    options_parse(
        argc, argv,
        &(struct command){"", "Lesson 03, fanout: one connection, three backends.", options});
    backends_default();
    // What is freed is soon needed again. To give it back to the kernel each time, and take it
    // anew page by page, costs more than all the rest (mallopt(3)).
#ifdef M_TRIM_THRESHOLD // glibc's
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
#endif
    log_begin(settings.quiet);
    loop_run(net_listen(settings.host, settings.port, BACKLOG), &server);
    print_summary();
    return 0;
}
