// server.c: serves a few pages over HTTP/2 (RFC 9113) on plain TCP, and over HTTP/1.1 to
// whoever speaks that, so that the lesson can compare the two on one server.
//
// Run:    ./server             then, in another terminal: ./client, or
//         curl --http2-prior-knowledge http://127.0.0.1:8003/
//         nghttp -v 'http://127.0.0.1:8003/img/1?size=20000' http://127.0.0.1:8003/
// Watch:  how little one connection is: its first bytes say which protocol it speaks, and from
//         then on everything is frames.
//
// Read frame.h first, for what they look like; then session.c for what they do to a connection,
// exchange.c for how a request becomes an answer, stream.c for windows and turns, hpack.c for
// the headers, route.c for the pages.
#include <stdio.h>
#include <string.h>

#include "http1.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "session.h"
#include "log.h"

// Further limits are named where they act: HPACK_LIST_MAX (hpack.h), ECHO_MAX (route.h),
// PATIENCE_MAX and HEADER_BLOCK_MAX (session.c), LOOP_OUT_BYTES (loop.h).
#define CONNECTIONS_MAX 10000
#define BACKLOG         1024
#define FIRST_BYTES_MS  10000 // until a client has said which protocol it speaks
#define METHOD_BYTES    3     // of "PRI": no method of HTTP/1.1 begins like that

enum protocol { UNKNOWN, HTTP_1, HTTP_2 };

struct connection {
    struct conn conn; // the loop's part
    enum protocol protocol;
    union {
        struct http1 http1;
        struct session session;
    };
};

static struct service service = {
    .streams_max = 100, .table_bytes = TABLE_SIZE_DEFAULT, .idle_ms = 60000, .stall_ms = 30000};

static void opened(struct conn *c)
{
    conn_deadline(c, FIRST_BYTES_MS);
}

// The preface of HTTP/2 looks like a request that no server of HTTP/1.1 would answer (§3.4): so
// a client that asks the wrong one notices. A server that speaks both can tell them apart.
static void decide(struct connection *c, const char *bytes, size_t length)
{
    size_t part = length < METHOD_BYTES ? length : METHOD_BYTES;
    if (memcmp(bytes, PREFACE, part)) {
        c->protocol = HTTP_1;
        http1_begin(&c->http1, &c->conn, service.idle_ms, &service.requests);
    } else if (part == METHOD_BYTES) {
        c->protocol = HTTP_2;
        session_begin(&c->session, &c->conn, &service);
    }
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = (struct connection *)conn;
    if (c->protocol == UNKNOWN)
        decide(c, bytes, length);
    switch (c->protocol) {
    case HTTP_1:
        return http1_received(&c->http1, bytes, length);
    case HTTP_2:
        return session_received(&c->session, (const uint8_t *)bytes, length);
    default:
        return 0;
    }
}

static bool produce(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    return c->protocol == HTTP_1   ? http1_produce(&c->http1)
           : c->protocol == HTTP_2 ? session_produce(&c->session)
                                   : false;
}

static void timeout(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (c->protocol == HTTP_1)
        http1_timeout(&c->http1);
    else if (c->protocol == HTTP_2)
        session_timeout(&c->session);
    else
        conn_close(conn);
}

static void stop(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (c->protocol == HTTP_1)
        http1_stop(&c->http1);
    else if (c->protocol == HTTP_2)
        session_stop(&c->session);
    else
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (c->protocol == HTTP_2)
        session_closed(&c->session);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8003;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"streams", OPTION_INT, &service.streams_max, 1, 1000,
         "streams of a connection at once"},
        {"table", OPTION_INT, &service.table_bytes, 0, HPACK_TABLE_MAX,
         "bytes of HPACK's dynamic table for requests"},
        {"idle-ms", OPTION_INT, &service.idle_ms, 1, 3600000,
         "ms until a connection without requests ends"},
        {"stall-ms", OPTION_INT, &service.stall_ms, 1, 3600000,
         "ms until one whose requests do not move ends"},
        {0}};
    static const struct loop_server server = {.conn_bytes = sizeof(struct connection),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .timeout = timeout,
                                              .stop = stop,
                                              .closed = closed};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 03: a few pages over HTTP/2.", options});
    log_begin(false);
    long accepted = loop_run(net_listen(host, port, BACKLOG), &server);
    stream_free_kept();
    printf("stopped: connections %ld, requests %ld\n", accepted, service.requests);
    return 0;
}
