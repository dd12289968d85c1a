// server.c: HTTPS. TLS here is a filter between the loop and HTTP: see tls_filter.h.
//
// Run:    ./server             then, in another terminal: ./client, or
//         curl --cacert keys/ca.pem https://localhost:8004/
// Watch:  the first line about each connection: its version, cipher and group, and whether it
//         was a full handshake or a resumed session. Everything behind this line is the same as
//         in HTTP without TLS.
//
// Read take() first, then take_request(). context.c has the server's policy,
// parts/certificates.c makes its certificates, answer.c its answers; parts/request_content.c
// collects the content of a request.
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "context.h"
#include "http.h"
#include "loop.h"
#include "net.h"
#include "request_content.h"
#include "tls_filter.h"
#include "settings.h"
#include "log.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096
#define IDLE_MS         15000 // a connection without a request is closed after this time
#define REQUEST_MS      10000 // a whole request has to come in this time
#define ANSWER_BYTES    6144  // an answer's head, and content that is sent with it
#define REQUEST_BYTES   48    // bytes of a request's method and target that the log shows

struct connection {
    struct tls_filter tls;
    enum { READ_HEAD, READ_CONTENT, SEND } phase;
    bool echo;       // the protocol is echo/1
    bool began;      // a part of a request is here
    bool keep_alive; // another request may follow
    bool head_only;  // the request is HEAD: its answer is sent without content
    struct request_content content;
    char request[REQUEST_BYTES]; // "GET /bytes?n=100": the present request, for the log
    struct answer answer;
};

static size_t take(struct tls_filter *, const char *bytes, size_t length);
static void established(struct tls_filter *);

static struct tls_server tls_server = {.take = take, .established = established};
static long requests, transfers;

// ---- answers -------------------------------------------------------------------------------

static void end_exchange(struct connection *c)
{
    request_content_end(&c->content);
    c->request[0] = '\0';
    c->phase = READ_HEAD;
    c->began = c->tls.paused = false;
    conn_deadline(&c->tls.conn, IDLE_MS);
    if (!c->keep_alive)
        tls_close(&c->tls);
}

// Sends the answer: a short one at once, in one record; send_bulk() sends the content of
// others.
static void send_answer(struct connection *c)
{
    struct answer *answer = &c->answer;
    char bytes[ANSWER_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    const char *content = answer->text;
    if (answer->kind == ANSWER_ECHO)
        content = c->content.bytes;
    answer_log(answer, c->request);
    answer_head(answer, c->keep_alive, &out);
    if (!c->head_only && answer->kind != ANSWER_BULK)
        http_put(&out, content, answer->length);
    tls_write(&c->tls, bytes, out.length);
    requests++;
    if (c->head_only || answer->kind != ANSWER_BULK) {
        end_exchange(c);
    } else {
        c->phase = SEND;
        c->tls.paused = true;               // answers keep the order of the requests
        conn_deadline(&c->tls.conn, NEVER); // the loop closes clients that take nothing
    }
}

static void send_bulk(struct connection *c)
{
    size_t length;
    const char *bytes = answer_bulk(&c->answer, tls_room(&c->tls), &length);
    tls_write(&c->tls, bytes, length);
    if (c->answer.sent == c->answer.length)
        end_exchange(c);
}

// Refuses a request, and says why. No further request can follow.
static void refuse(struct connection *c, int status, const char *why)
{
    c->keep_alive = false;
    answer_text(&c->answer, status, "%s: %s\n", http_reason(status), why);
    send_answer(c);
}

// ---- requests ------------------------------------------------------------------------------

// The request is complete.
static void end_request(struct connection *c)
{
    if (c->answer.kind == ANSWER_ECHO) {
        c->answer.length = c->content.length;
    } else if (c->answer.kind == ANSWER_ACT) {
        answer_text(&c->answer, 200, "transfer %ld done\n", ++transfers);
        log_line("transfer %ld done", transfers);
    }
    send_answer(c);
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct connection *c, const char *bytes, size_t length)
{
    const char *why;
    ssize_t used = request_content_take(&c->content, bytes, length, &why);
    if (used < 0) {
        refuse(c, (int)-used, why);
        return length;
    }
    if (c->content.body.done)
        end_request(c);
    return (size_t)used;
}

// A whole head is here.
static void take_request(struct connection *c, const struct http_head *head)
{
    const char *early = "", *why;
    if (c->tls.state != TLS_ESTABLISHED)
        early = "early data: ";
    snprintf(c->request, sizeof c->request, "%s%.*s %.*s", early, (int)head->method.length,
             head->method.at, (int)head->target.length, head->target.at);
    c->keep_alive = head->keep_alive && !c->tls.conn.told_to_stop;
    c->head_only = http_is(head->method, "HEAD");
    c->phase = READ_CONTENT;
    answer_request(head, &c->tls, transfers, &c->answer);
    int status = request_content_begin(&c->content, head, &why);
    if (status)
        refuse(c, status, why);
    else if (c->content.body.done)
        end_request(c);
    else if (head->expects_continue)
        tls_write(&c->tls, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

// True if ALPN has chosen echo/1. The server knows that from the ClientHello, before any early
// data.
static bool speaks_echo(const struct tls_filter *filter)
{
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(filter->ssl, &protocol, &length);
    return length == strlen(PROTOCOL_ECHO) && !memcmp(protocol, PROTOCOL_ECHO, length);
}

// Uses plaintext that has come: a part of a request, a whole one, or bytes of echo/1.
static size_t take(struct tls_filter *filter, const char *bytes, size_t length)
{
    static struct http_head head;
    struct connection *c = (struct connection *)filter;
    if (!c->began)
        conn_deadline(&filter->conn, REQUEST_MS);
    c->echo = speaks_echo(filter);
    if (c->echo) {
        size_t room = tls_room(filter);
        if (length > room)
            length = room;
        tls_write(filter, bytes, length);
        return length;
    }
    c->began = true;
    if (c->phase == READ_CONTENT)
        return take_content(c, bytes, length);
    int result = http_read_secure_request(bytes, length, &head);
    if (result < 0)
        refuse(c, -result, head.why);
    if (result <= 0)
        return 0;
    take_request(c, &head);
    return head.length;
}

static void established(struct tls_filter *filter)
{
    struct connection *c = (struct connection *)filter;
    c->echo = speaks_echo(filter);
    if (c->phase == READ_HEAD && !c->began)
        conn_deadline(&filter->conn, IDLE_MS);
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    tls_opened((struct tls_filter *)conn, &tls_server);
}

// After the client's close_notify there will be no more requests.
static void end_if_ended(struct connection *c)
{
    if (c->tls.ended && c->phase != SEND && !c->tls.conn.closing)
        tls_close(&c->tls);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    size_t used = tls_received((struct tls_filter *)conn, bytes, length);
    end_if_ended((struct connection *)conn);
    return used;
}

static bool produce(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    bool more = c->phase == SEND || tls_produce(&c->tls);
    if (c->phase == SEND)
        send_bulk(c);
    end_if_ended(c);
    return more;
}

static void timeout(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    if (!tls_timed_out(&c->tls, c->began && !c->echo))
        refuse(c, 408, "the request did not come in 10 seconds");
}

static void stop(struct conn *conn)
{
    struct connection *c = (struct connection *)conn;
    c->keep_alive = false;
    if (c->phase == READ_HEAD)
        tls_close(&c->tls);
}

static void closed(struct conn *conn)
{
    request_content_end(&((struct connection *)conn)->content);
    tls_closed((struct tls_filter *)conn);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct connection), // begins with a tls_filter
        .conns_max = CONNECTIONS_MAX,
        .opened = opened,     // a client was accepted: its handshake may begin
        .received = received, // TLS records: OpenSSL decrypts them for take()
        .produce = produce,   // encrypts more of an answer
        .timeout = timeout,   // the handshake, a request or the next request takes too long
        .stop = stop,         // no request after the present one
        .closed = closed,     // frees the TLS state and a request that is not whole
    };
    struct settings settings;
    settings_parse(argc, argv, &settings);
    log_begin(settings.quiet);
    answer_alternative(settings.alternative);
    struct context *context = context_new(&settings.tls);
    tls_server.ctx = context_first(context);
    tls_server.handshake_ms = settings.handshake_ms;
    tls_server.early_data = settings.tls.early_data;
    tls_server_begin(&tls_server);
    long connections = loop_run(net_listen(settings.host, settings.port, BACKLOG), &server);
    tls_server_end(&tls_server);
    context_free(context);
    log_end();
    printf("stopped: connections %ld, requests %ld\n"
           "handshakes: done %ld, resumed %ld, refused %ld, abandoned %ld\n",
           connections, requests, tls_server.handshakes, tls_server.resumed, tls_server.refused,
           tls_server.abandoned);
    return 0;
}
