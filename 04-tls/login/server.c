// server.c: who is this? HTTP has no memory: each request has to say who it comes from. This
// server lets users log in, and gives them something that says it: a session's id in a cookie,
// or a signed token.
//
// Run:    ./server                 in one terminal, and in another one
//         ./client login alice     (her password is "white rabbit"), then ./client me
//         ./server --auth jwt      tokens in place of sessions
// Watch:  GET /stats: a session is looked up for each request, a token never.
//
// Read take() first; then account.c, which has what this lesson is about; then jwt.c and
// sessions.c.
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "account.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "passwords.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096
#define HANDSHAKE_MS    10000 // for TLS's handshake
#define REQUEST_MS      10000 // a whole request has to come in this time
#define REQUEST_BYTES   4096  // of a request's content

static size_t take(struct tls_filter *, const char *bytes, size_t length);

static struct tls_server tls_server = {.take = take, .handshake_ms = HANDSHAKE_MS};
static long requests;
static int jobs_fd;             // the loop's end of the socket that tells of jobs that are done
static struct conn *jobs_ended; // its connection in the loop
static bool stopping;

// A request is refused before it is known what it asks.
static void refuse(struct connection *c, int status)
{
    char bytes[1024];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    log_line("refused: %d", status);
    http_server_refuse(&c->http, &out, status, "", NULL);
    tls_write(&c->tls, bytes, out.length);
    http_server_done(&c->http);
    if (!c->http.keep_alive)
        tls_close(&c->tls);
}

// Uses plaintext that has come: a part of a request, or a whole one.
static size_t take(struct tls_filter *filter, const char *bytes, size_t length)
{
    static struct http_request request;
    struct connection *c = (struct connection *)filter;
    char interim[64];
    struct http_out out = {interim, sizeof interim, 0, false};
    bool began = c->http.began;
    size_t used = http_server_take(&c->http, bytes, length, &request, &out);
    tls_write(filter, interim, out.length); // "100 Continue"
    if (!began)
        conn_deadline(&filter->conn, REQUEST_MS);
    if (request.status == HTTP_MORE)
        return used;
    requests++;
    if (request.status != HTTP_WHOLE) {
        refuse(c, request.status);
    } else if (!exchange_open(c)) {
        refuse(c, 503);
    } else {
        // What the client wrote into its request line may be a secret; the route's own name is
        // put here later.
        snprintf(c->line, sizeof c->line, "another request");
        account_serve(c, &request);
    }
    return used;
}

// ---- what the loop calls -------------------------------------------------------------------

// The first connection of the loop is no client's: jobs that are done are told there.
static int accept_next(int listener)
{
    static bool given;
    if (!given) {
        given = true;
        return jobs_fd;
    }
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void opened(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (!jobs_ended) {
        jobs_ended = conn;
        return;
    }
    c->http.content_max = REQUEST_BYTES;
    if (getpeername(conn->fd, (struct sockaddr *)&address, &length) ||
        getnameinfo((struct sockaddr *)&address, length, c->address, sizeof c->address, NULL, 0,
                    NI_NUMERICHOST))
        snprintf(c->address, sizeof c->address, "?");
    tls_opened(&c->tls, &tls_server);
}

// The last jobs of a server that stops are done: this connection is no longer needed.
static void take_done(void)
{
    if (exchange_take_done() || !stopping)
        return;
    jobs_ended->ended = true; // nobody is at its other end who would have to be waited for
    conn_close(jobs_ended);
}

// The client has said all that it will say, and has its answers.
static void close_if_ended(struct connection *c)
{
    if (c->tls.ended && !c->tls.conn.closing && !c->tls.paused)
        tls_close(&c->tls);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = (struct connection *)conn;
    if (conn == jobs_ended) {
        take_done();
        return length;
    }
    size_t used = tls_received(&c->tls, bytes, length);
    close_if_ended(c);
    return used;
}

// The job is done: the request's handler goes on.
static void woken(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    c->exchange->next(c);
}

static bool produce(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (conn == jobs_ended)
        return false;
    bool more = tls_produce(&c->tls);
    close_if_ended(c);
    return more;
}

static void timeout(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    c->http.keep_alive = false;
    if (!tls_timed_out(&c->tls, c->http.began))
        refuse(c, 408);
}

// Requests that wait for a job are still answered.
static void stop(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    stopping = true;
    if (conn == jobs_ended) {
        take_done();
        return;
    }
    c->http.stopping = true;
    if (!c->http.began && !c->tls.paused)
        tls_close(&c->tls);
}

static void closed(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (conn == jobs_ended)
        return;
    exchange_close(c);
    http_server_done(&c->http);
    tls_closed(&c->tls);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct connection),
                                              .conns_max = CONNECTIONS_MAX + 1,
                                              .accept = accept_next,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .woken = woken,
                                              .timeout = timeout,
                                              .stop = stop,
                                              .closed = closed};
    static struct settings settings;
    int sessions;
    long lookups, connections = 0;
    settings_parse(argc, argv, &settings);
    log_begin(settings.quiet);
    struct context *context = context_new(&settings.tls);
    tls_server.ctx = context_first(context);
    account_begin(&settings);
    int listener = net_listen(settings.host, settings.port, BACKLOG);
    passwords_begin(settings.scrypt_n); // it may take seconds: a signal ends the program
    int stop_fd = net_stop_fd(); // before the threads: they inherit which signals are blocked
    jobs_fd = exchange_begin(&settings);
    tls_server_begin(&tls_server);
    net_ready(listener);
    connections = loop_serve(listener, stop_fd, &server);
    exchange_count(&sessions, &lookups);
    exchange_end();
    tls_server_end(&tls_server);
    account_end();
    context_free(context);
    if (connections) // the first one is jobs_ended
        connections--;
    log_end();
    printf("stopped: connections %ld, requests %ld, sessions %d, lookups %ld, scrypts %ld\n",
           connections, requests, sessions, lookups, password_checks());
    return 0;
}
