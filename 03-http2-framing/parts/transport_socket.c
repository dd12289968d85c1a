// transport_socket.c: see transport_socket.h. Read transport_sockets_step() first.
#include "transport_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

void transport_socket_lend(struct transport_socket *s)
{
    s->out_length += s->transport->out_length; // what it has written since the last time
    if (s->out_at == s->out_length)
        s->out_at = s->out_length = 0;
    transport_lend(s->transport, now_ns(), s->out + s->out_length,
                   sizeof s->out - s->out_length);
}

bool transport_socket_open(struct transport_socket *s, struct transport *transport,
                           const char *host, int port)
{
    int fd = net_connect(host, port);
    if (fd < 0)
        return false;
    net_send_at_once(fd);
    net_set_nonblocking(fd);
    s->fd = fd;
    s->transport = transport;
    s->up = s->down = 0;
    s->in_length = s->out_at = s->out_length = 0;
    snprintf(s->authority, sizeof s->authority, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host,
             port);
    transport_socket_lend(s);
    return true;
}

// The connection is gone: its streams are broken.
static void lose(struct transport_socket *s)
{
    close(s->fd);
    s->fd = -1;
    transport_socket_lend(s);
    transport_end(s->transport);
}

// Sends as much as the kernel takes. False: the connection is at its end.
static bool flush(struct transport_socket *s)
{
    transport_socket_lend(s);
    while (s->out_at < s->out_length) {
        const uint8_t *bytes = s->out + s->out_at;
        ssize_t sent = send(s->fd, bytes, s->out_length - s->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        if (s->seen)
            s->seen(true, bytes, (size_t)sent);
        s->out_at += (size_t)sent;
        s->up += (uint64_t)sent;
    }
    return true;
}

void transport_socket_send(struct transport_socket *s)
{
    bool more = true;
    while (more && s->fd >= 0) {
        bool waited = s->out_at < s->out_length; // then there may be no room for the streams
        transport_socket_lend(s);
        more = transport_send(s->transport) || waited;
        if (!flush(s))
            lose(s);
        more = more && s->out_at == s->out_length;
    }
}

// Reads once if the socket is `readable`. False: the connection is at its end.
static bool receive(struct transport_socket *s, bool readable)
{
    uint8_t *place = s->in + s->in_length;
    size_t room = sizeof s->in - s->in_length;
    if (!readable || room == 0)
        return true;
    ssize_t got = read(s->fd, place, room);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got > 0 && s->seen)
        s->seen(false, place, (size_t)got);
    s->in_length += (size_t)got;
    s->down += (uint64_t)got;
    return got > 0;
}

// Takes all frames that are whole: again when the answers to them have been sent, since there
// may have been no room for more. False: the connection is at its end.
static bool take_frames(struct transport_socket *s)
{
    const struct transport *t = s->transport;
    bool alive = true;
    for (size_t used = 1; alive && used > 0 && !t->closing;) {
        alive = flush(s);
        transport_socket_lend(s);
        used = transport_take(s->transport, s->in, s->in_length);
        s->in_length -= used;
        memmove(s->in, s->in + used, s->in_length);
    }
    bool over = t->went_away && t->streams.count == 0; // nothing more will come
    return flush(s) && alive && !t->closing && !over;
}

void transport_sockets_step(struct transport_socket *sockets[], int count, int ms)
{
    struct pollfd polled[TRANSPORT_SOCKETS_MAX];
    for (int i = 0; i < count; i++) {
        struct transport_socket *s = sockets[i];
        polled[i] = (struct pollfd){-1, POLLIN, 0};
        if (!s)
            continue;
        bool open = s->fd >= 0;
        transport_socket_send(s);
        if (open && s->fd < 0)
            ms = 0; // it is lost: the caller has to know at once
        polled[i].fd = s->fd;
        if (s->out_at < s->out_length)
            polled[i].events |= POLLOUT;
    }
    poll(polled, (nfds_t)count, ms);
    for (int i = 0; i < count; i++) {
        if (polled[i].fd < 0)
            continue;
        bool alive = receive(sockets[i], polled[i].revents & ~POLLOUT);
        if (!take_frames(sockets[i]) || !alive)
            lose(sockets[i]);
    }
}

void transport_socket_close(struct transport_socket *s)
{
    if (s->fd < 0)
        return;
    transport_socket_lend(s);
    transport_fail(s->transport, connection_fault(NO_ERROR, "good-bye"));
    flush(s);
    lose(s);
}
