// h3_stream.c: the beginning and the end of a stream of HTTP/3, and the messages on it: see
// h3_connection.h.
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "h3_connection.h"
#include "message.h"

#define WRITE_AHEAD (256 << 10) // bytes of a stream that wait to be sent or acknowledged

void h3_connection_tell(struct h3_connection *c, const struct stream *s, uint64_t type,
                        const void *bytes, size_t length)
{
    struct frame frame = {.event = FRAME_WHOLE, .type = type, .bytes = bytes, .length = length};
    if (c->seen)
        c->seen(s, true, &frame);
}

struct stream *stream_add(struct h3_connection *c, SSL *ssl, bool request)
{
    size_t size = sizeof(struct stream);
    if (request)
        size = c->role->request_bytes;
    struct stream *s = calloc(1, size);
    if (!s || !quic_set_passive(ssl)) {
        free(s);
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    s->connection = c;
    s->ssl = ssl;
    s->id = SSL_get_stream_id(ssl);
    s->reader.from_client = c->role->server;
    s->expected = -1;
    if (request)
        s->kind = KIND_REQUEST;
    c->requests += request;
    c->others += !request;
    struct stream **end = &c->streams;
    while (*end)
        end = &(*end)->next;
    *end = s;
    return s;
}

// What has come and is not read: OpenSSL 3.5 would count it for good among what the peer may
// still send on the whole connection (MAX_DATA), also when the stream is freed.
static void throw_away(SSL *ssl)
{
    uint8_t bytes[4096];
    size_t length;
    while (SSL_read_ex(ssl, bytes, sizeof bytes, &length))
        ;
    ERR_clear_error();
}

void stream_free(struct h3_connection *c, struct stream *s)
{
    if (s->kind == KIND_REQUEST) {
        c->requests--;
        c->role->freed(s);
    } else {
        c->others--;
    }
    frame_reader_free(&s->reader);
    throw_away(s->ssl);
    // What has not ended is reset, and the peer is told to stop: with the code 0, because there
    // is no call that sends STOP_SENDING with a code of HTTP/3.
    SSL_free(s->ssl);
    free(s);
}

size_t stream_write(struct stream *s, const void *bytes, size_t length)
{
    size_t written = 0;
    uint64_t used;
    ERR_clear_error();
    if (s->write_ended || length == 0)
        return 0;
    // OpenSSL would take as much as the congestion window allows, and copies all of it whenever
    // it takes more.
    if (SSL_get_stream_write_buf_used(s->ssl, &used) && used >= WRITE_AHEAD)
        return 0;
    if (SSL_write_ex(s->ssl, bytes, length, &written))
        return written;
    if (SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_WRITE)
        s->write_ended = true; // the peer has asked to stop, or the connection has ended
    return 0;
}

bool stream_is_acknowledged(SSL *ssl)
{
    uint64_t used;
    return !SSL_get_stream_write_buf_used(ssl, &used) || used == 0;
}

void stream_end(struct stream *s)
{
    if (!s->write_ended)
        SSL_stream_conclude(s->ssl, 0);
    s->write_ended = true;
}

void stream_reset(struct stream *s, uint64_t code)
{
    SSL_STREAM_RESET_ARGS args = {code};
    SSL_stream_reset(s->ssl, &args, sizeof args);
    s->write_ended = s->done = true;
}

bool stream_write_message(struct stream *s, const struct qpack_entry *fields, size_t count,
                          uint64_t content_length)
{
    uint8_t bytes[2 * FRAME_HEAD + SECTION_MAX], section[SECTION_MAX];
    struct http_field list[MESSAGE_FIELDS_MAX];
    for (size_t i = 0; i < count; i++)
        list[i] = (struct http_field){{fields[i].name, strlen(fields[i].name)},
                                      {fields[i].value, strlen(fields[i].value)}};
    size_t length = qpack_encode(section, sizeof section, list, count);
    if (!length)
        return false;
    uint8_t *end = frame_write_head(bytes, FRAME_HEADERS, length);
    memcpy(end, section, length);
    end += length;
    h3_connection_tell(s->connection, s, FRAME_HEADERS, section, length);
    if (content_length) {
        end = frame_write_head(end, FRAME_DATA, content_length);
        h3_connection_tell(s->connection, s, FRAME_DATA, NULL, content_length);
    }
    size_t whole = (size_t)(end - bytes);
    return stream_write(s, bytes, whole) == whole;
}

struct fault stream_take_message(struct stream *s, const struct frame *frame)
{
    static struct qpack_list list; // one for all: no list is kept
    const struct role *role = s->connection->role;
    bool is_head = s->reader.stage == STAGE_HEAD, too_long = frame->event == FRAME_TOO_LONG;
    const char *wrong = NULL;
    if (frame->event == FRAME_CONTENT) {
        s->received += (int64_t)frame->length;
        if (s->expected >= 0 && s->received > s->expected)
            return stream_fault(H3_MESSAGE_ERROR, "more content than its head allows");
        role->content(s, frame->bytes, frame->length);
        return (struct fault){0};
    }
    if (!too_long && !qpack_decode(frame->bytes, frame->length, &list))
        return connection_fault(QPACK_DECOMPRESSION_FAILED, "a field section that is no QPACK");
    if (too_long || list.too_long) {
        s->reader.stage = is_head ? STAGE_CONTENT : STAGE_END;
        return role->too_long(s);
    }
    if (is_head) {
        wrong = role->head(s, &list);
    } else {
        s->reader.stage = STAGE_END;
        wrong = message_trailers(&list);
    }
    if (wrong)
        return stream_fault(H3_MESSAGE_ERROR, wrong);
    return (struct fault){0};
}

struct fault stream_end_message(struct stream *s)
{
    struct fault fault = frame_end(&s->reader);
    if (fault.code)
        return fault;
    if (s->expected >= 0 && s->received != s->expected)
        return stream_fault(H3_MESSAGE_ERROR, "less content than content-length says");
    s->connection->role->ended(s);
    return fault;
}
