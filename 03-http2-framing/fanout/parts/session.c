// session.c: see session.h.
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "net.h"
#include "smaller.h"

#define STREAMS_FIRST 100 // at once, until the server's SETTINGS have said how many

static struct ask *ask_of(const struct stream *stream)
{
    return stream->answer.owner;
}

// ---- answers -------------------------------------------------------------------------------

static void end_ask(struct transport *t, struct stream *stream, bool failed)
{
    struct ask *ask = ask_of(stream);
    ask->done = true;
    ask->failed = failed;
    ask->stream = NULL;
    ask->ended_ns = t->now_ns;
}

static void read_own_fields(struct ask *ask, const struct hpack_list *list)
{
    for (const struct hpack_field *f = list->fields; f < list->fields + list->count; f++) {
        uint64_t number;
        if (http_is(field_name(f), "grpc-status") && http_number(field_value(f), 1000, &number))
            ask->grpc_status = (int)number;
        else if (http_is(field_name(f), "x-backend"))
            snprintf(ask->backend, sizeof ask->backend, "%.*s", (int)f->value_length, f->value);
    }
}

static struct fault take_headers(struct transport *t, struct stream *stream,
                                 const struct hpack_list *list, bool ends)
{
    struct ask *ask = ask_of(stream);
    struct response_head head = {.status = 0};
    const char *wrong;
    if (stream->answer.status) // these are trailers
        wrong = transport_read_trailers(list, ends);
    else
        wrong = transport_read_answer(list, ends, &head);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    read_own_fields(ask, list);
    if (head.status >= 200) {
        stream->answer.status = ask->status = head.status;
        if (strcmp(ask->method, "HEAD"))
            stream->content_length = head.content_length;
    }
    if (!ends)
        return fault_none();
    end_ask(t, stream, false);
    transport_close(t, stream, CANCEL);
    return fault_none();
}

static struct fault take_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                              uint32_t length, bool ends)
{
    struct ask *ask = ask_of(stream);
    (void)bytes;
    ask->content_bytes += length;
    transport_used(t, stream, length);
    if (ends) {
        end_ask(t, stream, false);
        transport_close(t, stream, CANCEL);
    }
    return fault_none();
}

static void broken(struct transport *t, struct stream *stream, enum error_code code)
{
    ask_of(stream)->code = code;
    end_ask(t, stream, true);
}

// ---- requests ------------------------------------------------------------------------------

static bool put_head(struct transport *t, struct stream *stream, const struct ask *ask)
{
    struct hpack_field fields[8] = {hpack_field(":method", ask->method),
                                    hpack_field(":scheme", "http"),
                                    hpack_field(":authority", ask->session->socket.authority),
                                    hpack_field(":path", ask->path)};
    size_t count = 4;
    if (ask->type) {
        fields[count++] = hpack_field("content-type", ask->type);
        fields[count++] = hpack_field("te", "trailers");
    }
    return transport_put_headers(t, stream, fields, count, ask->length == 0);
}

static enum transport_turn send_request(struct transport *t, struct stream *stream)
{
    struct ask *ask = ask_of(stream);
    if (stream->answered)
        return TURN_WAITS;
    uint32_t length = (uint32_t)smaller(ask->length - ask->sent, transport_may_send(t, stream));
    if (length == 0 && stream_may_send(&t->streams, stream) > 0)
        return TURN_NO_ROOM;
    if (length == 0)
        return TURN_WAITS;
    transport_put_data(t, stream, ask->bytes + ask->sent, length,
                       ask->sent + length == ask->length);
    ask->sent += length;
    return TURN_OVER;
}

static const struct transport_user user = {
    .headers = take_headers, .data = take_data, .broken = broken, .send = send_request};

// ---- the connection ------------------------------------------------------------------------

struct session *session_open(const char *host, int port)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        die("no memory for a connection");
    if (!transport_socket_open(&session->socket, &session->transport, host, port)) {
        free(session);
        return NULL;
    }
    transport_begin(&session->transport, &user, true, STREAMS_FIRST);
    return session;
}

struct ask session_call(const char *path, const uint8_t *bytes, uint32_t length)
{
    return (struct ask){.method = "POST",
                        .path = path,
                        .type = "application/grpc",
                        .bytes = bytes,
                        .length = length};
}

bool session_ask(struct session *session, struct ask *ask)
{
    struct transport *t = &session->transport;
    if (session->socket.fd < 0)
        return false;
    transport_socket_lend(&session->socket);
    if (t->out_room < TRANSPORT_SOCKET_BYTES / 2)
        return false;
    struct stream *stream = transport_open(t);
    if (!stream)
        return false;
    snprintf(ask->backend, sizeof ask->backend, "%.79s", session->socket.authority);
    ask->session = session;
    ask->grpc_status = -1;
    ask->begun_ns = t->now_ns;
    ask->stream = stream;
    stream->answer.owner = ask;
    put_head(t, stream, ask);
    if (ask->length > 0)
        transport_wants_to_send(t, stream);
    return true;
}

void sessions_step(struct session *sessions[], int count, int ms)
{
    struct transport_socket *sockets[TRANSPORT_SOCKETS_MAX] = {NULL};
    for (int i = 0; i < count; i++)
        if (sessions[i])
            sockets[i] = &sessions[i]->socket;
    transport_sockets_step(sockets, count, ms);
}

void session_close(struct session *session)
{
    if (session)
        transport_socket_close(&session->socket);
    free(session);
}
