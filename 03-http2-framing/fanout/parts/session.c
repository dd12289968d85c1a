// session.c: see session.h.
#include "session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "net.h"
#include "smaller.h"

#define STREAMS_FIRST 100 // at once, until the server's SETTINGS have said how many
#define POLLED_MAX    64

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
    ask->session->under_way--;
}

static void read_own_fields(struct ask *ask, const struct hpack_list *list)
{
    for (const struct hpack_field *f = list->fields; f < list->fields + list->count; f++) {
        struct http_text name = {f->name, f->name_length};
        uint64_t number;
        if (http_is(name, "grpc-status") &&
            http_number((struct http_text){f->value, f->value_length}, 1000, &number))
            ask->grpc_status = (int)number;
        else if (http_is(name, "x-backend"))
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
        wrong = message_check_trailers(list);
    else
        wrong = response_read(list, &head);
    if (wrong || list->too_long)
        return stream_fault(PROTOCOL_ERROR, "an answer that is malformed");
    read_own_fields(ask, list);
    if (ask->first_ns == 0)
        ask->first_ns = t->now_ns;
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
    if (ask->holds)
        ask->held_bytes += length;
    else
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
    struct hpack_field fields[8] = {
        hpack_field(":method", ask->method), hpack_field(":scheme", "http"),
        hpack_field(":authority", ask->session->name), hpack_field(":path", ask->path)};
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

static struct transport *lend(struct session *session)
{
    struct transport *t = &session->transport;
    if (session->out_at == session->out_length)
        session->out_at = session->out_length = 0;
    t->now_ns = now_ns();
    t->out = session->out + session->out_length;
    t->out_room = sizeof session->out - session->out_length;
    t->out_length = 0;
    return t;
}

static void take_back(struct session *session)
{
    session->out_length += session->transport.out_length;
    session->transport.out_length = 0;
}

static void lose(struct session *session)
{
    if (session->fd < 0)
        return;
    close(session->fd);
    session->fd = -1;
    transport_end(lend(session));
}

struct session *session_open(const char *host, int port)
{
    int one = 1, fd = net_connect(host, port);
    if (fd < 0)
        return NULL;
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        die("no memory for a connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    net_set_nonblocking(fd);
    session->fd = fd;
    snprintf(session->name, sizeof session->name, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host,
             port);
    transport_begin(lend(session), &user, true, STREAMS_FIRST);
    take_back(session);
    return session;
}

static void flush(struct session *session)
{
    while (session->fd >= 0 && session->out_at < session->out_length) {
        ssize_t sent = send(session->fd, session->out + session->out_at,
                            session->out_length - session->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            lose(session);
        else
            session->out_at += (size_t)sent;
    }
}

static void send_all(struct session *session)
{
    bool more = true;
    flush(session);
    while (more && session->fd >= 0 && session->out_at == session->out_length) {
        transport_send(lend(session));
        more = session->transport.out_length > 0;
        take_back(session);
        flush(session);
    }
}

static void receive(struct session *session)
{
    ssize_t got = read(session->fd, session->in + session->in_length,
                       sizeof session->in - session->in_length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        lose(session);
        return;
    }
    session->in_length += (size_t)got;
    size_t used = transport_take(lend(session), session->in, session->in_length);
    take_back(session);
    session->in_length -= used;
    memmove(session->in, session->in + used, session->in_length);
    bool over = session->transport.went_away && session->transport.streams.count == 0;
    flush(session);
    if (session->transport.closing || over)
        lose(session);
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
    if (session->fd < 0)
        return false;
    struct transport *t = lend(session);
    if (t->out_room < SESSION_BYTES / 2)
        return false;
    struct stream *stream = transport_open(t);
    if (!stream)
        return false;
    snprintf(ask->backend, sizeof ask->backend, "%.79s", session->name);
    ask->session = session;
    ask->grpc_status = -1;
    ask->begun_ns = t->now_ns;
    ask->stream = stream;
    stream->answer.owner = ask;
    session->under_way++;
    put_head(t, stream, ask);
    if (ask->length > 0)
        transport_wants_to_send(t, stream);
    take_back(session);
    return true;
}

void session_cancel(struct ask *ask)
{
    struct session *session = ask->session;
    struct stream *stream = ask->stream;
    if (!stream)
        return;
    end_ask(lend(session), stream, true);
    transport_reset(&session->transport, stream, CANCEL);
    take_back(session);
    flush(session);
}

void session_let_come(struct ask *ask)
{
    ask->holds = false;
    if (!ask->stream)
        return;
    transport_used(lend(ask->session), ask->stream, (uint32_t)ask->held_bytes);
    ask->held_bytes = 0;
    take_back(ask->session);
    flush(ask->session);
}

void sessions_step(struct session *sessions[], int count, int ms)
{
    struct pollfd polled[POLLED_MAX];
    for (int i = 0; i < count; i++) {
        if (sessions[i] && sessions[i]->fd >= 0)
            send_all(sessions[i]);
        polled[i] = (struct pollfd){-1, POLLIN, 0};
        if (sessions[i])
            polled[i].fd = sessions[i]->fd;
        if (sessions[i] && sessions[i]->out_at < sessions[i]->out_length)
            polled[i].events |= POLLOUT;
    }
    poll(polled, (nfds_t)count, ms);
    for (int i = 0; i < count; i++)
        if (sessions[i] && sessions[i]->fd >= 0 && (polled[i].revents & ~POLLOUT))
            receive(sessions[i]);
}

void session_close(struct session *session)
{
    if (!session)
        return;
    if (session->fd >= 0) {
        transport_fail(lend(session), connection_fault(NO_ERROR, "good-bye"));
        take_back(session);
        flush(session);
    }
    lose(session);
    free(session);
}
