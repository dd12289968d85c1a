// lookaside.c: a service that tells clients which backend to use (look-aside balancing). The
// requests themselves do not pass here.
//
// Run:    ./lookaside; then ./client --lookaside 127.0.0.1:8213, or curl 127.0.0.1:8213/next
// Watch:  one small question for each request, and the client obeys. A client that finds a
//         backend gone says so: GET /next?lost=HOST:PORT. The backend is left out for a while.
//
// Read answer() first. Real ones say more at a time, and know how busy the backends are.
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "http_server.h"
#include "log.h"
#include "loop.h"
#include "options.h"

#define CLIENTS_MAX 1000
#define BACKLOG     1024
#define IDLE_MS     60000
#define HEAD_MS     10000 // for a whole request

struct connection {
    struct conn conn; // the loop's part: the first
    struct http_server http;
    bool timed;
};

static int lost_ms = 5000;
static long questions;

static struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// A client could not reach this backend.
static void note_lost(struct http_text name, int64_t now_ns)
{
    for (struct backend *b = backends; b < backends + backend_count; b++)
        if (http_is(name, b->name)) {
            b->down_until_ns = now_ns + lost_ms * INT64_C(1000000);
            b->lost++;
            log_line("%s is lost, a client says", b->name);
        }
}

// Which backend has the next request? The one behind the one that was named before.
static void answer(struct connection *c, const struct http_request *request,
                   struct http_out *out)
{
    int64_t now = conn_now(&c->conn);
    struct http_text lost = http_parameter(request->query, "lost");
    char line[320];
    if (!http_is(request->path, "/next")) {
        http_server_refuse(&c->http, out, 404, "", "there is /next only");
        return;
    }
    if (lost.at)
        note_lost(lost, now);
    struct backend *backend = backend_pick(NULL, now);
    backend->requests++;
    questions++;
    int length = snprintf(line, sizeof line, "%s\n", backend->name);
    http_server_answer(&c->http, out, 200, "text/plain", "Cache-Control: no-store\r\n",
                       (struct http_text){line, (size_t)length});
}

static void opened(struct conn *conn)
{
    conn_deadline(conn, IDLE_MS);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = connection_of(conn);
    struct http_request request;
    struct http_out out = {conn_space(conn), conn_room(conn), 0, false};
    if (out.size < 1024)
        return 0;
    size_t used = http_server_take(&c->http, bytes, length, &request, &out);
    if (request.status == HTTP_WHOLE)
        answer(c, &request, &out);
    else if (request.status > 0)
        http_server_refuse(&c->http, &out, request.status, "", NULL);
    conn_wrote(conn, out.length);
    if (request.status != HTTP_MORE) {
        http_server_done(&c->http);
        conn_deadline(conn, IDLE_MS);
        c->timed = false;
        if (!c->http.keep_alive)
            conn_close(conn);
    } else if (c->http.began && !c->timed) { // one deadline for all of a request
        conn_deadline(conn, HEAD_MS);
        c->timed = true;
    }
    return used;
}

static void closed(struct conn *conn)
{
    http_server_done(&connection_of(conn)->http);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct connection),
        .conns_max = CLIENTS_MAX,
        .opened = opened,     // a client may be idle for IDLE_MS, then it is closed
        .received = received, // answers a question, once it is whole
        .closed = closed,     // frees a question that is not whole
    };
    static const char *host = "127.0.0.1";
    static int port = 8213;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"backend", OPTION_CALL, &backends_option, .help = backends_help},
        {"lost-ms", OPTION_INT, &lost_ms, 1, 3600000, "ms that a lost one is left out"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for a lost one"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 03, fanout: names a backend.", options});
    backends_default();
    log_begin(quiet);
    loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: questions %ld\n", questions);
    return 0;
}
