// h3_client.c: see h3_client.h.
#include "h3_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "net.h"
#include "smaller.h"

#define H3_PORT 443

// A request's stream, and where its answer goes.
struct question {
    struct stream stream; // it begins with this
    struct answer *answer;
    struct h3_client *client;
    bool head; // the answer to HEAD has no content
};

static struct question *question_of(struct stream *s)
{
    return (struct question *)s;
}

// The answer will not come any more, or has come.
static void finish(struct question *q, bool whole, const char *why)
{
    struct answer *answer = q->answer;
    if (!answer)
        return;
    answer->state = ANSWER_BROKEN;
    if (whole)
        answer->state = ANSWER_WHOLE;
    answer->last_ns = now_ns();
    snprintf(answer->why, sizeof answer->why, "%s", why);
    q->client->pending--;
    q->answer = NULL;
}

// ---- what comes ----------------------------------------------------------------------------

static const char *take_answer(struct stream *s, const struct qpack_list *list)
{
    struct question *q = question_of(s);
    struct response_head head;
    const char *wrong = message_response(list, &head);
    if (wrong || head.status < 200 || !q->answer) // 1xx: the answer is still to come (§4.1)
        return wrong;
    s->reader.stage = STAGE_CONTENT;
    s->expected = head.content_length;
    if (q->head || head.status == 204 || head.status == 304)
        s->expected = 0; // whatever content-length says
    q->answer->status = head.status;
    q->answer->first_ns = now_ns();
    for (size_t i = 0; i < list->count && q->answer->field; i++)
        q->answer->field(&list->fields[i]);
    return NULL;
}

static struct fault take_too_long(struct stream *s)
{
    (void)s;
    return stream_fault(H3_EXCESSIVE_LOAD, "the header fields are longer than 16 KB");
}

static void take_content(struct stream *s, const uint8_t *bytes, size_t length)
{
    struct answer *answer = question_of(s)->answer;
    if (!answer)
        return;
    if (answer->length < ANSWER_START)
        memcpy(answer->kept + answer->length, bytes,
               smaller(length, ANSWER_START - answer->length));
    answer->length += length;
    if (answer->show)
        answer->show(answer, bytes, length);
}

static void answer_ended(struct stream *s)
{
    finish(question_of(s), true, "");
}

static void answer_reset(struct stream *s, uint64_t code)
{
    struct question *q = question_of(s);
    char why[QUIC_WHY_BYTES];
    const char *name = http3_error_name(code);
    if (!name)
        name = "an error that HTTP/3 does not have";
    snprintf(why, sizeof why, "the server has reset the stream: %s", name);
    if (q->answer)
        q->answer->retry = code == H3_REQUEST_REJECTED;
    finish(q, false, why);
    stream_reset(s, H3_REQUEST_CANCELLED);
}

static void answer_refused(struct stream *s, struct fault fault)
{
    char why[QUIC_WHY_BYTES];
    snprintf(why, sizeof why, "malformed: %s (%s)", fault.why, http3_error_name(fault.code));
    finish(question_of(s), false, why);
}

// The stream goes. If its answer has not come, the connection has ended.
static void question_freed(struct stream *s)
{
    finish(question_of(s), false, s->connection->why);
}

static const struct role client_role = {
    .request_bytes = sizeof(struct question),
    .requests_max = INT32_MAX,
    .head = take_answer,
    .too_long = take_too_long,
    .content = take_content,
    .ended = answer_ended,
    .reset = answer_reset,
    .refused = answer_refused,
    .freed = question_freed,
};

// ---- what the caller does ------------------------------------------------------------------

void h3_open(struct h3_client *client, SSL_CTX *ctx, const char *host, int port,
             const char *name)
{
    void (*seen)(const struct stream *, bool, const struct frame *) = client->connection.seen;
    *client = (struct h3_client){0};
    http_authority(name, port, H3_PORT, client->authority);
    client->opened_ns = now_ns();
    h3_connection_begin(&client->connection, &client_role,
                        quic_connection(ctx, host, port, name));
    client->connection.seen = seen;
}

bool h3_step(struct h3_client *client, int64_t until_ns)
{
    struct h3_connection *c = &client->connection;
    SSL_handle_events(c->ssl); // sends what was written, and reads what has come
    bool any = h3_connection_serve(c);
    if (c->state >= STATE_OPEN && !client->established_ns)
        client->established_ns = now_ns();
    if (c->state == STATE_CLOSED)
        return false;
    if (any) // there may be more, and what was done now is to be told to the server
        return true;
    if (now_ns() >= until_ns) {
        snprintf(c->why, QUIC_WHY_BYTES, "the server does not answer");
        return false;
    }
    quic_wait(c->ssl, -1, until_ns);
    return true;
}

// In place of "QUIC error": what is wrong with the server's certificate.
static void explain(struct h3_connection *c)
{
    long result = SSL_get_verify_result(c->ssl);
    if (result != X509_V_OK)
        snprintf(c->why, sizeof c->why, "certificate verify failed: %s",
                 X509_verify_cert_error_string(result));
}

bool h3_handshake(struct h3_client *client, int64_t until_ns)
{
    struct h3_connection *c = &client->connection;
    while (c->state == STATE_HANDSHAKE)
        if (!h3_step(client, until_ns))
            break;
    if (c->state != STATE_OPEN)
        explain(c);
    return c->state == STATE_OPEN;
}

bool h3_ask(struct h3_client *client, struct answer *answer, const char *method,
            const char *path)
{
    const struct qpack_entry fields[] = {{":method", method},
                                         {":scheme", "https"},
                                         {":authority", client->authority},
                                         {":path", path},
                                         {"user-agent", "workbench"}};
    struct stream *s = h3_connection_request(&client->connection);
    if (!s)
        return false;
    struct question *q = question_of(s);
    answer->state = ANSWER_PENDING;
    answer->id = s->id;
    q->answer = answer;
    q->client = client;
    q->head = !strcmp(method, "HEAD");
    client->pending++;
    if (!stream_write_message(s, fields, sizeof fields / sizeof *fields, 0))
        stream_reset(s, H3_REQUEST_CANCELLED);
    stream_end(s);
    return true;
}

void h3_cancel(struct h3_client *client, struct answer *answer)
{
    for (struct stream *s = client->connection.streams; s; s = s->next)
        if (s->kind == KIND_REQUEST && question_of(s)->answer == answer) {
            finish(question_of(s), false, "cancelled");
            s->done = true; // freeing the stream sends STOP_SENDING
        }
}

void h3_close(struct h3_client *client)
{
    struct h3_connection *c = &client->connection;
    if (c->state < STATE_CLOSED) {
        SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = H3_NO_ERROR};
        SSL_shutdown_ex(c->ssl, SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH,
                        &args, sizeof args);
        SSL_handle_events(c->ssl);
    }
    h3_connection_free(c);
    ERR_clear_error();
}
