// channel.c: see channel.h. Read channel_step() first.
#include "channel.h"

#include <errno.h>
#include <string.h>

#include "net.h"

void channel_connect(struct channel *channel, const char *host, int port)
{
    struct transport_socket *s = &channel->socket;
    channel->calls = (struct calls){.authority = s->authority};
    if (!transport_socket_open(s, &channel->calls.transport, host, port))
        die("cannot connect to %s:%d: %s (is the server running?)", host, port,
            strerror(errno));
    calls_begin(&channel->calls, true, 100); // until the server says its own limit
}

void channel_close(struct channel *channel)
{
    transport_socket_close(&channel->socket);
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
    struct transport_socket *s = &channel->socket;
    if (s->fd < 0)
        return false;
    transport_sockets_step(&s, 1, wait_ms(channel, ms));
    transport_socket_lend(s);
    calls_due(&channel->calls);
    transport_socket_send(s); // a call that has ended says so
    return s->fd >= 0;
}

struct call *channel_call(struct channel *channel, const struct handler *handler, void *state,
                          int64_t timeout_ms)
{
    int64_t end_ns = now_ns() + CHANNEL_PATIENCE_MS * INT64_C(1000000);
    struct call *call = NULL;
    while (channel->socket.fd >= 0 && !call && now_ns() < end_ns) {
        transport_socket_lend(&channel->socket);
        call = call_open(&channel->calls, handler, state, timeout_ms);
        if (!call) // as many calls as the server allows are under way
            channel_step(channel, 100);
    }
    if (!call)
        die("the connection to %s takes no further call", channel->socket.authority);
    return call;
}
