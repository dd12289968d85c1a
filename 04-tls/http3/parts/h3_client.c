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

static struct qpack_list list; // one for all: no list is kept

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

static struct fault take_headers(struct question *q, const struct frame *frame)
{
    struct response_head head;
    if (!qpack_decode(frame->bytes, frame->length, &list))
        return connection_fault(QPACK_DECOMPRESSION_FAILED, "a field section that is no QPACK");
    if (list.too_long)
        return stream_fault(H3_EXCESSIVE_LOAD, "the header fields are longer than 16 KB");
    if (q->stream.reader.stage == STAGE_CONTENT) {
        q->stream.reader.stage = STAGE_END;
        const char *wrong = message_trailers(&list);
        if (wrong)
            return stream_fault(H3_MESSAGE_ERROR, wrong);
        return (struct fault){0};
    }
    const char *wrong = message_response(&list, &head);
    if (wrong)
        return stream_fault(H3_MESSAGE_ERROR, wrong);
    if (head.status < 200) // the answer itself is still to come (§4.1)
        return (struct fault){0};
    q->stream.reader.stage = STAGE_CONTENT;
    q->answer->status = head.status;
    q->answer->expected = head.content_length;
    q->answer->first_ns = now_ns();
    for (size_t i = 0; i < list.count && q->answer->field; i++)
        q->answer->field(&list.fields[i]);
    return (struct fault){0};
}

static struct fault take_frame(struct stream *s, const struct frame *frame)
{
    struct question *q = question_of(s);
    struct answer *answer = q->answer;
    if (!answer)
        return (struct fault){0};
    if (frame->event == FRAME_TOO_LONG)
        return stream_fault(H3_EXCESSIVE_LOAD, "the header fields are longer than 16 KB");
    if (frame->event == FRAME_WHOLE)
        return take_headers(q, frame);
    if (answer->length < ANSWER_START)
        memcpy(answer->kept + answer->length, frame->bytes,
               smaller(frame->length, ANSWER_START - answer->length));
    answer->length += frame->length;
    if (q->head || (answer->expected >= 0 && answer->length > (uint64_t)answer->expected))
        return stream_fault(H3_MESSAGE_ERROR, "more content than content-length says");
    if (answer->show)
        answer->show(answer, frame->bytes, frame->length);
    return (struct fault){0};
}

static struct fault answer_ended(struct stream *s)
{
    struct question *q = question_of(s);
    struct answer *answer = q->answer;
    if (!answer)
        return (struct fault){0};
    bool empty = q->head || answer->status == 204 || answer->status == 304;
    if (!empty && answer->expected >= 0 && answer->length != (uint64_t)answer->expected)
        return stream_fault(H3_MESSAGE_ERROR, "less content than content-length says");
    finish(q, true, "");
    return (struct fault){0};
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

static bool produce(struct stream *s)
{
    (void)s; // the request was sent when it was asked
    return false;
}

// The stream goes. If its answer has not come, the connection has ended.
static void question_freed(struct stream *s)
{
    finish(question_of(s), false, s->connection->why);
}

static void frame_seen(struct h3_connection *c, const struct stream *s, bool to_peer,
                       const struct frame *frame)
{
    const struct h3_client *client = (const struct h3_client *)c;
    if (client->seen)
        client->seen(s, to_peer, frame);
}

static const struct role client_role = {
    .request_bytes = sizeof(struct question),
    .requests_max = INT32_MAX,
    .frame = take_frame,
    .ended = answer_ended,
    .produce = produce,
    .reset = answer_reset,
    .refused = answer_refused,
    .freed = question_freed,
    .seen = frame_seen,
};

// ---- what the caller does ------------------------------------------------------------------

void h3_open(struct h3_client *client, SSL_CTX *ctx, const char *host, int port,
             const char *name)
{
    void (*seen)(const struct stream *, bool, const struct frame *) = client->seen;
    *client = (struct h3_client){.seen = seen};
    http_authority(name, port, H3_PORT, client->authority);
    client->opened_ns = now_ns();
    h3_connection_begin(&client->connection, &client_role,
                        quic_connection(ctx, host, port, name));
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
    answer->expected = -1;
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
