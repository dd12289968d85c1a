// channel.c: see channel.h. Read channel_step() first.
#include "channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

// ---- the beginning and the end -------------------------------------------------------------

// Lends the transport what is left of the room for output, and tells it the time.
static void lend(struct channel *channel)
{
    struct transport *transport = &channel->calls.transport;
    if (channel->out_at == channel->out_length)
        channel->out_at = channel->out_length = 0;
    transport->now_ns = now_ns();
    transport->out = channel->out + channel->out_length;
    transport->out_room = sizeof channel->out - channel->out_length;
    transport->out_length = 0;
}

static void take_back(struct channel *channel)
{
    struct transport *transport = &channel->calls.transport;
    if (channel->seen && transport->out_length)
        channel->seen(channel, true, transport->out, transport->out_length);
    channel->out_length += transport->out_length;
    transport->out_length = 0;
}

void channel_begin(struct channel *channel, int fd, const char *authority)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    net_set_nonblocking(fd);
    channel->fd = fd;
    snprintf(channel->authority, sizeof channel->authority, "%s", authority);
    channel->in_length = channel->out_at = channel->out_length = 0;
    channel->up = channel->down = 0;
    channel->calls = (struct calls){.authority = channel->authority};
    lend(channel);
    calls_begin(&channel->calls, true, 100); // until the server says its own limit
    take_back(channel);
}

void channel_connect(struct channel *channel, const char *host, int port)
{
    char authority[300];
    snprintf(authority, sizeof authority, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
    channel_begin(channel, net_connect_or_die(host, port), authority);
}

// The connection is gone: its calls end.
static void lose(struct channel *channel)
{
    if (channel->fd < 0)
        return;
    close(channel->fd);
    channel->fd = -1;
    channel->calls.lost = true;
    lend(channel);
    transport_end(&channel->calls.transport);
}

// ---- one step ------------------------------------------------------------------------------

// Writes as much as the kernel takes.
static bool flush(struct channel *channel)
{
    while (channel->out_at < channel->out_length) {
        ssize_t sent = send(channel->fd, channel->out + channel->out_at,
                            channel->out_length - channel->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        channel->out_at += (size_t)sent;
        channel->up += (uint64_t)sent;
    }
    return true;
}

// Lets the calls write, as often as there is something and the kernel takes it.
static bool send_all(struct channel *channel)
{
    for (int round = 0; round < 16; round++) {
        lend(channel);
        if (transport_room(&channel->calls.transport) >= 2 * TRANSPORT_ROOM) {
            calls_due(&channel->calls);
            transport_send(&channel->calls.transport);
        }
        take_back(channel);
        if (channel->out_length == 0)
            return true;
        if (!flush(channel))
            return false;
        if (channel->out_at < channel->out_length)
            return true;
    }
    return true;
}

// Reads once and takes all frames that are whole. False: the connection is at its end.
static bool receive(struct channel *channel)
{
    ssize_t got = read(channel->fd, channel->in + channel->in_length,
                       sizeof channel->in - channel->in_length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return false;
    if (channel->seen)
        channel->seen(channel, false, channel->in + channel->in_length, (size_t)got);
    channel->in_length += (size_t)got;
    channel->down += (uint64_t)got;
    return true;
}

static void take(struct channel *channel)
{
    lend(channel);
    size_t used = transport_take(&channel->calls.transport, channel->in, channel->in_length);
    take_back(channel);
    channel->in_length -= used;
    memmove(channel->in, channel->in + used, channel->in_length);
}

// How long poll() may wait: not beyond a deadline of a call.
static int wait_ms(const struct channel *channel, int ms)
{
    int64_t due_ns = channel->calls.due_ns;
    if (due_ns == NEVER)
        return ms;
    int64_t left_ms = (due_ns - now_ns()) / 1000000 + 1;
    if (left_ms < 0)
        left_ms = 0;
    if (ms >= 0 && left_ms > ms)
        return ms;
    return (int)left_ms;
}

bool channel_step(struct channel *channel, int ms)
{
    if (channel->fd < 0)
        return false;
    bool alive = send_all(channel);
    struct pollfd poll_fd = {channel->fd, POLLIN, 0};
    if (channel->out_at < channel->out_length)
        poll_fd.events |= POLLOUT;
    if (alive && poll(&poll_fd, 1, wait_ms(channel, ms)) > 0 &&
        (poll_fd.revents & (POLLIN | POLLHUP | POLLERR)))
        alive = receive(channel);
    if (channel->in_length)
        take(channel);
    alive = alive && !channel->calls.transport.closing;
    if (alive)
        alive = send_all(channel);
    else
        flush(channel); // GOAWAY, if there is one to be sent
    if (!alive)
        lose(channel);
    return alive;
}

bool channel_await(struct channel *channel, const bool *done, int ms)
{
    int64_t end_ns = now_ns() + ms * INT64_C(1000000);
    while (!*done) {
        int64_t left_ms = (end_ns - now_ns()) / 1000000;
        if (left_ms < 0 || !channel_step(channel, (int)left_ms + 1))
            return *done;
    }
    return true;
}

void channel_close(struct channel *channel)
{
    if (channel->fd < 0)
        return;
    lend(channel);
    transport_fail(&channel->calls.transport, connection_fault(NO_ERROR, "good-bye"));
    take_back(channel);
    flush(channel);
    lose(channel);
}

// ---- calls ---------------------------------------------------------------------------------

struct call *channel_call(struct channel *channel, const struct handler *handler, void *state,
                          int64_t timeout_ms)
{
    int64_t end_ns = now_ns() + CHANNEL_PATIENCE_MS * INT64_C(1000000);
    struct call *call = NULL;
    while (channel->fd >= 0 && !call && now_ns() < end_ns) {
        lend(channel);
        call = call_open(&channel->calls, handler, state, timeout_ms);
        take_back(channel);
        if (!call) // as many calls as the server allows are under way
            channel_step(channel, 100);
    }
    if (!call)
        die("the connection to %s takes no further call", channel->authority);
    return call;
}

static void keep_message(struct call *call, const uint8_t *bytes, size_t length)
{
    struct reply *reply = call->state;
    bytes_free(&reply->message);
    reply->messages++;
    if (!bytes_add(&reply->message, bytes, length))
        die("no memory for a message of %zu bytes", length);
}

static void keep_status(struct call *call)
{
    struct reply *reply = call->state;
    reply->done = true;
    reply->status = call->status;
    snprintf(reply->text, sizeof reply->text, "%s", call->text);
    if (call->status == RPC_OK && reply->messages != 1) {
        reply->status = RPC_UNIMPLEMENTED;
        snprintf(reply->text, sizeof reply->text, "%u messages in place of one",
                 reply->messages);
    }
}

static void show_head(struct call *call, const struct hpack_list *fields)
{
    struct reply *reply = call->state;
    if (reply->fields)
        reply->fields(fields, false);
}

static void show_trailers(struct call *call, const struct hpack_list *fields)
{
    struct reply *reply = call->state;
    if (reply->fields)
        reply->fields(fields, true);
}

struct handler reply_handler(const char *path)
{
    return (struct handler){.path = path,
                            .begin = show_head,
                            .message = keep_message,
                            .trailers = show_trailers,
                            .ended = keep_status};
}

struct call *channel_send(struct channel *channel, const struct handler *handler,
                          const void *message, size_t length, int64_t timeout_ms,
                          struct reply *reply)
{
    reply->done = false;
    reply->messages = 0;
    struct call *call = channel_call(channel, handler, reply, timeout_ms);
    call_send(call, message, length);
    if (!reply->done)
        call_half_close(call);
    return call;
}

bool channel_ask(struct channel *channel, const char *path, const void *message, size_t length,
                 int64_t timeout_ms, struct reply *reply)
{
    struct handler handler = reply_handler(path);
    struct call *call = channel_send(channel, &handler, message, length, timeout_ms, reply);
    if (!channel_await(channel, &reply->done, CHANNEL_PATIENCE_MS) && !reply->done) {
        call_cancel(call);
        channel_step(channel, 0);
        reply->status = RPC_DEADLINE_EXCEEDED;
        snprintf(reply->text, sizeof reply->text, "nothing has come for %d seconds",
                 CHANNEL_PATIENCE_MS / 1000);
    }
    return reply->status == RPC_OK;
}

void reply_free(struct reply *reply)
{
    bytes_free(&reply->message);
}
