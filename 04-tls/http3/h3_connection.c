// h3_connection.c: see h3_connection.h. Read h3_connection_serve() first, then read_stream().
#include "h3_connection.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

#define READ_BYTES    16384
#define CLOSE_WAIT_NS INT64_C(300000000) // for the peer's acknowledgement of SETTINGS
#define CLOSE_STEPS   3 // to have all sent; to send the close; to wait until the peer is silent
#define READ_TURNS    8 // reads of one stream before the others have their turn

// ---- the peer's control stream -------------------------------------------------------------

static struct fault take_control(struct h3_connection *c, const struct frame *frame)
{
    uint64_t number;
    struct fault fault = {0};
    if (frame->type == FRAME_SETTINGS)
        return settings_check(frame->bytes, frame->length);
    fault = frame_number(frame, &number);
    if (fault.code)
        return fault;
    switch (frame->type) {
    case FRAME_GOAWAY: // of a server it names a request, of a client a push (§5.2)
        if (!c->role->server && number % 4)
            return connection_fault(H3_ID_ERROR, "GOAWAY that names no request");
        if (!c->role->server && number > c->goaway)
            return connection_fault(H3_ID_ERROR, "GOAWAY that takes back an earlier one");
        if (!c->role->server)
            c->goaway = number;
        break;
    case FRAME_MAX_PUSH_ID:
        if (number < c->push_max)
            return connection_fault(H3_ID_ERROR, "MAX_PUSH_ID that is lower than before");
        c->push_max = number;
        break;
    default: // CANCEL_PUSH: this connection has no pushes
        return connection_fault(H3_ID_ERROR, "CANCEL_PUSH of a push that never was");
    }
    return fault;
}

// The first number on a unidirectional stream says what it is for (§6.2).
static struct fault take_type(struct h3_connection *c, struct stream *s, uint64_t type)
{
    static const int kinds[] = {[STREAM_CONTROL] = KIND_CONTROL,
                                [STREAM_ENCODER] = KIND_ENCODER,
                                [STREAM_DECODER] = KIND_DECODER};
    if (type == STREAM_PUSH && c->role->server)
        return connection_fault(H3_STREAM_CREATION_ERROR, "a push stream of a client");
    if (type == STREAM_PUSH)
        return connection_fault(H3_ID_ERROR, "a push that was not allowed");
    s->kind = KIND_IGNORED; // §9: what is unknown
    if (type > STREAM_DECODER)
        return (struct fault){0};
    if (c->has[type])
        return connection_fault(H3_STREAM_CREATION_ERROR, "a stream of its kind is there");
    c->has[type] = true;
    s->kind = kinds[type];
    s->reader.control = type == STREAM_CONTROL;
    return (struct fault){0};
}

// ---- reading -------------------------------------------------------------------------------

static struct fault take_frames(struct stream *s, const uint8_t *bytes, size_t length)
{
    struct h3_connection *c = s->connection;
    struct frame frame;
    struct fault fault = {0};
    size_t used = 0;
    do {
        used += frame_read(&s->reader, bytes + used, length - used, &frame);
        if (frame.event == FRAME_MORE)
            return fault;
        if (frame.event == FRAME_WRONG)
            return frame.fault;
        if (c->seen)
            c->seen(s, false, &frame);
        if (s->kind == KIND_CONTROL)
            fault = take_control(c, &frame);
        else
            fault = stream_take_message(s, &frame);
    } while (!fault.code && !s->done);
    return fault;
}

static struct fault take_bytes(struct stream *s, const uint8_t *bytes, size_t length)
{
    struct fault fault = {0};
    while (s->kind == KIND_UNKNOWN && length) {
        uint64_t type;
        s->type[s->type_length++] = *bytes++;
        length--;
        if (number_read(s->type, s->type_length, &type))
            fault = take_type(s->connection, s, type);
        if (fault.code)
            return fault;
    }
    switch (s->kind) {
    case KIND_ENCODER:
    case KIND_DECODER:
        return qpack_instructions(s->kind == KIND_ENCODER, &s->instruction, bytes, length);
    case KIND_CONTROL:
    case KIND_REQUEST:
        return take_frames(s, bytes, length);
    default:
        return fault;
    }
}

// The peer has broken off a request.
static struct fault broken_off(struct stream *s, uint64_t code)
{
    struct h3_connection *c = s->connection;
    c->role->reset(s, code);
    if (++c->broken_off > BROKEN_OFF_MAX) // CVE-2023-44487 did so in HTTP/2
        return connection_fault(H3_EXCESSIVE_LOAD, "too many requests that are broken off");
    return (struct fault){0};
}

// The peer's side of a stream has ended, regularly or by a reset.
static struct fault take_end(struct stream *s, bool reset)
{
    s->read_ended = true;
    if (s->kind == KIND_CONTROL || s->kind == KIND_ENCODER || s->kind == KIND_DECODER)
        return connection_fault(H3_CLOSED_CRITICAL_STREAM, "a critical stream has ended");
    if (s->kind != KIND_REQUEST) {
        s->done = true;
        return (struct fault){0};
    }
    if (reset) {
        uint64_t code = 0;
        SSL_get_stream_read_error_code(s->ssl, &code);
        return broken_off(s, code);
    }
    return stream_end_message(s);
}

// Reads what has come on a stream. Returns true if anything has.
static bool read_stream(struct stream *s, struct fault *fault)
{
    static uint8_t bytes[READ_BYTES];
    size_t length;
    bool any = false;
    for (int turn = 0; turn < READ_TURNS && !fault->code && !s->done; turn++) {
        if (SSL_read_ex(s->ssl, bytes, sizeof bytes, &length)) {
            any = true;
            *fault = take_bytes(s, bytes, length);
            continue;
        }
        int state = SSL_get_stream_read_state(s->ssl);
        if (state != SSL_STREAM_STATE_FINISHED && state != SSL_STREAM_STATE_RESET_REMOTE)
            break;
        *fault = take_end(s, state == SSL_STREAM_STATE_RESET_REMOTE);
        return true;
    }
    ERR_clear_error();
    return any;
}

// The peer wants no more of what this side writes. (OpenSSL has answered its STOP_SENDING with
// a reset: RFC 9000 §3.5.)
static bool is_stopped(SSL *ssl)
{
    int state = SSL_get_stream_write_state(ssl);
    return state == SSL_STREAM_STATE_RESET_LOCAL || state == SSL_STREAM_STATE_RESET_REMOTE;
}

// A client that does not want the answer of its request any more. (A server may stop a client
// that still sends, and answer it all the same.)
static bool is_unwanted(const struct stream *s)
{
    return s->connection->role->server && s->kind == KIND_REQUEST && !s->write_ended &&
           !s->done && is_stopped(s->ssl);
}

static struct fault take_stop(struct stream *s)
{
    uint64_t code = 0;
    SSL_get_stream_write_error_code(s->ssl, &code);
    return broken_off(s, code);
}

// ---- the connection ------------------------------------------------------------------------

void h3_connection_begin(struct h3_connection *c, const struct role *role, SSL *ssl)
{
    *c = (struct h3_connection){.role = role, .ssl = ssl, .goaway = NUMBER_MAX};
    c->control_length = (size_t)(frame_write_settings(c->control_bytes) - c->control_bytes);
}

void h3_connection_close(struct h3_connection *c, struct fault fault)
{
    if (c->state >= STATE_CLOSING)
        return;
    c->state = STATE_CLOSING;
    c->closing = fault;
    c->close_ns = now_ns() + CLOSE_WAIT_NS;
    snprintf(c->why, sizeof c->why, "this side has closed the connection: %s, %s",
             http3_error_name(fault.code), fault.why);
}

void h3_connection_goaway(struct h3_connection *c)
{
    if (c->goaway == c->next_id || !c->role->server)
        return;
    c->goaway = c->next_id;
    uint8_t *end = frame_write_goaway(c->control_bytes + c->control_length, c->next_id);
    c->control_length = (size_t)(end - c->control_bytes);
    h3_connection_tell(c, NULL, FRAME_GOAWAY, NULL, c->next_id);
}

// Opens this side's control stream, and sends what waits for it. It is never closed (§6.2.1).
static bool write_control(struct h3_connection *c)
{
    size_t written = 0;
    if (!c->control) {
        c->control = SSL_new_stream(c->ssl, SSL_STREAM_FLAG_UNI | SSL_STREAM_FLAG_NO_BLOCK);
        if (!c->control || !quic_set_passive(c->control)) {
            h3_connection_close(c, connection_fault(H3_STREAM_CREATION_ERROR,
                                                    "there is no room for a control stream"));
            return true;
        }
        SSL_set_mode(c->control, SSL_MODE_ENABLE_PARTIAL_WRITE);
        h3_connection_tell(c, NULL, FRAME_SETTINGS, c->control_bytes, c->control_length);
    }
    if (is_stopped(c->control))
        h3_connection_close(c, connection_fault(H3_CLOSED_CRITICAL_STREAM,
                                                "the peer does not want the control stream"));
    if (c->control_sent < c->control_length)
        SSL_write_ex(c->control, c->control_bytes + c->control_sent,
                     c->control_length - c->control_sent, &written);
    c->control_sent += written;
    return written > 0;
}

// Takes a stream that the peer has opened.
static void take_stream(struct h3_connection *c, SSL *ssl)
{
    bool request = SSL_get_stream_type(ssl) == SSL_STREAM_TYPE_BIDI;
    uint64_t id = SSL_get_stream_id(ssl);
    if (request && !c->role->server) {
        SSL_free(ssl);
        h3_connection_close(c,
                            connection_fault(H3_STREAM_CREATION_ERROR, "a server's request"));
        return;
    }
    bool too_many = id >= c->goaway;
    if (!request)
        too_many = c->others >= STREAMS_OPEN_MAX;
    struct stream *s = stream_add(c, ssl, request);
    if (!s)
        h3_connection_close(c, connection_fault(H3_INTERNAL_ERROR, "no memory for a stream"));
    else if (too_many)
        stream_reset(s, H3_REQUEST_REJECTED);
    if (request && id >= c->next_id)
        c->next_id = id + 4;
}

struct stream *h3_connection_request(struct h3_connection *c)
{
    SSL *ssl = NULL;
    if (c->state == STATE_OPEN && c->goaway == NUMBER_MAX)
        ssl = SSL_new_stream(c->ssl, SSL_STREAM_FLAG_NO_BLOCK);
    ERR_clear_error();
    if (!ssl)
        return NULL;
    return stream_add(c, ssl, true);
}

// Reads and writes each stream; frees those that are done.
static bool serve_streams(struct h3_connection *c)
{
    bool any = false;
    for (struct stream **at = &c->streams; *at && c->state == STATE_OPEN;) {
        struct stream *s = *at;
        struct fault fault = {0};
        if (!s->read_ended && !s->done)
            any |= read_stream(s, &fault);
        if (!fault.code && is_unwanted(s))
            fault = take_stop(s);
        if (!fault.code && s->kind == KIND_REQUEST && !s->done && c->role->produce)
            any |= c->role->produce(s);
        if (fault.code && s->kind == KIND_REQUEST)
            c->role->refused(s, fault);
        if (fault.code && fault.only_stream)
            stream_reset(s, fault.code);
        else if (fault.code)
            h3_connection_close(c, fault);
        if (s->kind == KIND_REQUEST && s->read_ended && s->write_ended)
            s->done = true;
        if (!s->done) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        stream_free(c, s);
        any = true;
    }
    return any;
}

// False: the peer has not acknowledged SETTINGS yet. OpenSSL 3.5 loses a close that begins so
// early: it sends nothing, and the peer waits. After a while the connection is closed all the
// same.
static bool may_close(const struct h3_connection *c)
{
    return !c->control || now_ns() >= c->close_ns || stream_is_acknowledged(c->control);
}

bool h3_connection_serve(struct h3_connection *c)
{
    SSL *ssl;
    bool any = false;
    ERR_clear_error();
    if (c->state == STATE_CLOSED)
        return false;
    bool by_peer;
    if (c->state < STATE_CLOSING && quic_is_closed(c->ssl, c->why, &by_peer)) {
        c->state = STATE_CLOSING; // of an error that OpenSSL has found the peer is told below
        if (by_peer)
            c->state = STATE_CLOSED;
        return true;
    }
    if (c->state == STATE_HANDSHAKE) {
        SSL_do_handshake(c->ssl);
        ERR_clear_error();
        if (!SSL_is_init_finished(c->ssl))
            return false;
        c->state = STATE_OPEN;
        return true;
    }
    if (c->state == STATE_OPEN)
        any |= write_control(c);
    // QUIC lets the peer open further streams when some are accepted here. So those that are
    // too many wait at the client.
    while (c->state == STATE_OPEN && c->requests < c->role->requests_max &&
           (ssl = SSL_accept_stream(c->ssl, SSL_ACCEPT_STREAM_NO_BLOCK))) {
        take_stream(c, ssl);
        any = true;
    }
    any |= serve_streams(c);
    for (int i = 0; i < CLOSE_STEPS && c->state == STATE_CLOSING && may_close(c); i++) {
        if (quic_close(c->ssl, c->closing.code, c->closing.why))
            c->state = STATE_CLOSED;
        else
            SSL_handle_events(c->ssl);
    }
    return any || c->state == STATE_CLOSED;
}

void h3_connection_free(struct h3_connection *c)
{
    while (c->streams) {
        struct stream *s = c->streams;
        c->streams = s->next;
        stream_free(c, s);
    }
    SSL_free(c->control);
    SSL_free(c->ssl);
}
