// server.c: HTTPS. TLS here is a filter between the loop and HTTP: see secure.h.
//
// Run:    ./server             then, in another terminal: ./client, or
//         curl --cacert keys/ca.pem https://localhost:8004/
// Watch:  what the first line about each connection says: version, cipher, group, and whether
//         it was a whole handshake or a session resumed. Then that nothing else here is
//         different from HTTP without TLS.
//
// Read take() first, then take_request(). What the server agrees to is in context.c, its
// certificates come from certificates.c, its answers from answer.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "body.h"
#include "context.h"
#include "http.h"
#include "loop.h"
#include "net.h"
#include "secure.h"
#include "settings.h"
#include "log.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096
#define IDLE_MS         15000 // without a request
#define REQUEST_MS      10000 // for a whole request, however slowly it comes
#define CONTENT_MAX     4096  // bytes of a request's content
#define ANSWER_BYTES    6144  // a head, and content that is sent with it

struct session {
    struct secure secure;
    enum { READ_HEAD, READ_CONTENT, SEND } phase;
    bool echo;       // the protocol is echo/1
    bool began;      // a part of a request is here
    bool keep_alive; // another request may follow
    bool head_only;  // the request is HEAD: an answer without its content
    struct http_body body;
    char *content; // of the request
    size_t content_length;
    struct answer answer;
};

static size_t take(struct secure *, const char *bytes, size_t length);
static void established(struct secure *);

static struct secure_server tls = {.take = take, .established = established};
static long requests, transfers;

// ---- answers -------------------------------------------------------------------------------

static void end_exchange(struct session *s)
{
    free(s->content);
    s->content = NULL;
    s->phase = READ_HEAD;
    s->began = s->secure.paused = false;
    conn_deadline(&s->secure.conn, IDLE_MS);
    if (!s->keep_alive)
        secure_close(&s->secure);
}

// Sends the answer: what is short in one record, the rest as room is made for it.
static void send_answer(struct session *s)
{
    struct answer *answer = &s->answer;
    char bytes[ANSWER_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    answer_head(answer, s->keep_alive, &out);
    if (!s->head_only && answer->kind != ANSWER_BULK)
        http_put(&out, answer->kind == ANSWER_ECHO ? s->content : answer->text, answer->length);
    secure_write(&s->secure, bytes, out.length);
    requests++;
    if (s->head_only || answer->kind != ANSWER_BULK) {
        end_exchange(s);
    } else {
        s->phase = SEND;
        s->secure.paused = true;               // answers keep the order of the requests
        conn_deadline(&s->secure.conn, NEVER); // the loop sees to clients that take nothing
    }
}

static void send_bulk(struct session *s)
{
    size_t length;
    const char *bytes = answer_bulk(&s->answer, secure_room(&s->secure), &length);
    secure_write(&s->secure, bytes, length);
    if (s->answer.sent == s->answer.length)
        end_exchange(s);
}

static void refuse(struct session *s, int status)
{
    log_line("refused: %d %s", status, http_reason(status));
    s->keep_alive = false;
    answer_text(&s->answer, status, "%s\n", http_reason(status));
    send_answer(s);
}

// ---- requests ------------------------------------------------------------------------------

// The request is complete.
static void end_request(struct session *s)
{
    if (s->answer.kind == ANSWER_ECHO) {
        s->answer.length = s->content_length;
    } else if (s->answer.kind == ANSWER_ACT) {
        answer_text(&s->answer, 200, "transfer %ld done\n", ++transfers);
        log_line("transfer %ld done%s", transfers,
                 s->secure.state == SECURE_ESTABLISHED ? "" : " (early data)");
    }
    send_answer(s);
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct session *s, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&s->body, bytes, length, &content);
    if (used >= 0 && !s->content && content.length)
        s->content = malloc(CONTENT_MAX);
    int status = used < 0                                           ? (int)-used
                 : content.length && !s->content                    ? 503
                 : content.length > CONTENT_MAX - s->content_length ? 413
                                                                    : 0;
    if (status) {
        refuse(s, status);
        return length;
    }
    if (content.length)
        memcpy(s->content + s->content_length, content.at, content.length);
    s->content_length += content.length;
    if (s->body.done)
        end_request(s);
    return (size_t)used;
}

// A whole head is here.
static void take_request(struct session *s, const struct http_head *head)
{
    bool early = s->secure.state != SECURE_ESTABLISHED;
    log_line("%.*s %.*s%s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at, early ? " (early data)" : "");
    s->keep_alive = head->keep_alive && !s->secure.conn.told_to_stop;
    s->head_only = http_is(head->method, "HEAD");
    s->content_length = 0;
    s->phase = READ_CONTENT;
    answer_request(head, &s->secure, transfers, &s->answer);
    http_body_of_request(&s->body, head);
    if (head->content_length > CONTENT_MAX)
        refuse(s, 413);
    else if (s->body.done)
        end_request(s);
    else if (head->expects_continue)
        secure_write(&s->secure, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

// ALPN has chosen echo/1: known from the ClientHello on, so before any early data.
static bool speaks_echo(const struct secure *secure)
{
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(secure->ssl, &protocol, &length);
    return length == strlen(PROTOCOL_ECHO) && !memcmp(protocol, PROTOCOL_ECHO, length);
}

// Plaintext has come. Everything that waits for a client is called from here.
static size_t take(struct secure *secure, const char *bytes, size_t length)
{
    static struct http_head head;
    struct session *s = (struct session *)secure;
    if (!s->began)
        conn_deadline(&secure->conn, REQUEST_MS);
    s->echo = speaks_echo(secure);
    if (s->echo) {
        size_t room = secure_room(secure), part = length < room ? length : room;
        secure_write(secure, bytes, part);
        return part;
    }
    s->began = true;
    if (s->phase == READ_CONTENT)
        return take_content(s, bytes, length);
    int result = http_read_request(bytes, length, &head);
    if (result > 0)
        take_request(s, &head);
    else if (result < 0)
        refuse(s, -result);
    return result > 0 ? head.length : 0;
}

static void established(struct secure *secure)
{
    struct session *s = (struct session *)secure;
    s->echo = speaks_echo(secure);
    if (s->phase == READ_HEAD && !s->began)
        conn_deadline(&secure->conn, IDLE_MS);
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    secure_opened((struct secure *)conn, &tls);
}

// After the client's close_notify there will be no more requests.
static void end_if_ended(struct session *s)
{
    if (s->secure.ended && s->phase != SEND && !s->secure.conn.closing)
        secure_close(&s->secure);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    size_t used = secure_received((struct secure *)conn, bytes, length);
    end_if_ended((struct session *)conn);
    return used;
}

static bool produce(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    bool more = s->phase == SEND || secure_produce(&s->secure);
    if (s->phase == SEND)
        send_bulk(s);
    end_if_ended(s);
    return more;
}

static void timeout(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    if (secure_timed_out(&s->secure))
        return;
    if (s->began && !s->echo)
        refuse(s, 408);
    else
        secure_close(&s->secure);
}

static void stop(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    s->keep_alive = false;
    if (s->phase == READ_HEAD)
        secure_close(&s->secure);
}

static void closed(struct conn *conn)
{
    free(((struct session *)conn)->content);
    secure_closed((struct secure *)conn);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .timeout = timeout,
                                              .stop = stop,
                                              .closed = closed};
    struct settings settings;
    settings_parse(argc, argv, &settings);
    log_begin(settings.quiet);
    struct context *context = context_new(&settings.tls);
    tls.ctx = context_first(context);
    tls.handshake_ms = settings.handshake_ms;
    tls.early_data = settings.tls.early_data;
    secure_server_begin(&tls);
    long connections = loop_run(net_listen(settings.host, settings.port, BACKLOG), &server);
    secure_server_end(&tls);
    context_free(context);
    printf("stopped: connections %ld, handshakes %ld, resumed %ld, refused %ld, requests %ld\n",
           connections, tls.handshakes, tls.resumed, tls.refused, requests);
    return 0;
}
