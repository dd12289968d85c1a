// link.c: see link.h. Read next_connection() first: it is the loop's accept().
#include "link.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "context.h"
#include "net.h"
#include "smaller.h"

#define WATCHED_MAX 12 // descriptors beside the connections and the ports

// Ports, and descriptors that report something else, are in one epoll descriptor, which the
// loop takes for its listener.
static int sources_fd, stop_fd, open_fd;

// Connections that are to be opened, oldest first.
static struct opening {
    struct link_port *port;
    int fd;
    void *target, *who;
} openings[LINKS_TO_OPEN], newest;
static int opening_at, opening_count;

static struct link *link_of(struct conn *conn)
{
    return (struct link *)conn; // it begins with it
}

void link_listen(struct link_port *port)
{
    struct epoll_event event = {EPOLLIN, {.ptr = port}};
    net_set_nonblocking(port->fd);
    if (epoll_ctl(sources_fd, EPOLL_CTL_ADD, port->fd, &event))
        die("cannot watch a descriptor: %s", strerror(errno));
}

void link_watch(int fd, void (*happened)(int fd))
{
    static struct link_port watched[WATCHED_MAX];
    static int count;
    if (count == WATCHED_MAX)
        die("more than %d descriptors to watch", WATCHED_MAX);
    watched[count] = (struct link_port){.fd = fd, .happened = happened};
    link_listen(&watched[count++]);
}

// Accepts again, or no more: further clients wait in the kernel's queue.
static void set_full(struct link_port *port, bool full)
{
    struct epoll_event event = {EPOLLIN, {.ptr = port}};
    if (full)
        event.events = 0;
    if (port->full != full && !epoll_ctl(sources_fd, EPOLL_CTL_MOD, port->fd, &event))
        port->full = full;
}

static int accept_on(struct link_port *port)
{
    if (port->links >= port->links_max) {
        set_full(port, true);
        if (port->make_room)
            port->make_room();
        errno = EAGAIN;
        return -1;
    }
    int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    newest = (struct opening){port, fd, NULL, NULL};
    return fd;
}

// The loop's accept(): the next connection, whether the sidecar has opened it or a client has.
// What else has happened is done on the way.
static int next_connection(int listener)
{
    for (;;) {
        if (opening_at < opening_count) {
            newest = openings[opening_at++];
            return newest.fd;
        }
        opening_at = opening_count = 0;
        struct epoll_event event;
        if (epoll_wait(listener, &event, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        struct link_port *port = event.data.ptr;
        if (port->happened) {
            port->happened(port->fd);
            continue;
        }
        int fd = accept_on(port);
        if (fd >= 0 || (errno != EAGAIN && errno != ECONNABORTED))
            return fd;
    }
}

bool link_connect(struct link_port *port, const struct sockaddr_storage *address, void *target,
                  void *who)
{
    uint64_t one = 1;
    if (opening_count == LINKS_TO_OPEN) {
        errno = EAGAIN;
        return false;
    }
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) &&
        errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    if (fd < 0)
        return false;
    openings[opening_count++] = (struct opening){port, fd, target, who};
    return write(open_fd, &one, sizeof one) == sizeof one;
}

// The descriptor has done its work: it has made the loop call next_connection().
static void connections_wait(int fd)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return;
}

void link_forget(const void *who)
{
    for (int i = opening_at; i < opening_count; i++)
        if (openings[i].who == who)
            openings[i].who = NULL;
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    struct link *l = link_of(conn);
    l->port = newest.port;
    l->port->links++;
    l->secure = l->port->secure;
    if (l->secure)
        tls_opened(&l->tls, l->secure);
    l->port->kind->opened(l, newest.target, newest.who);
}

static void check_ended(struct link *l)
{
    if (!l->tls.ended || l->told_ended || l->tls.conn.closing)
        return;
    l->told_ended = true;
    l->port->kind->ended(l);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct link *l = link_of(conn);
    size_t used = 0, part = 1;
    if (l->secure) {
        used = tls_received(&l->tls, bytes, length);
        check_ended(l);
        return used;
    }
    while (part && used < length && !conn->closing && !conn->paused) {
        part = l->port->kind->take(l, bytes + used, length - used);
        used += part;
    }
    return used;
}

static bool produce(struct conn *conn)
{
    struct link *l = link_of(conn);
    bool more = l->secure && tls_produce(&l->tls);
    check_ended(l);
    if (!conn->closing && l->port->kind->produce(l))
        more = true;
    more = more || l->resumed;
    l->resumed = false;
    return more;
}

static void timeout(struct conn *conn)
{
    struct link *l = link_of(conn);
    if (!l->secure || !tls_timed_out(&l->tls, true))
        l->port->kind->timeout(l);
}

static void stop(struct conn *conn)
{
    link_of(conn)->port->kind->stop(link_of(conn));
}

static void closed(struct conn *conn)
{
    struct link *l = link_of(conn);
    l->port->kind->closed(l);
    if (l->secure)
        tls_closed(&l->tls);
    l->port->links--;
    set_full(l->port, false);
}

static struct loop_server loop = {.conns_max = LINKS_MAX,
                                  .opened = opened,
                                  .received = received,
                                  .produce = produce,
                                  .timeout = timeout,
                                  .stop = stop,
                                  .closed = closed,
                                  .accept = next_connection};

void link_begin(size_t bytes)
{
    loop.conn_bytes = bytes;
    sources_fd = epoll_create1(EPOLL_CLOEXEC);
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    open_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sources_fd < 0 || stop_fd < 0 || open_fd < 0)
        die("cannot set up epoll: %s", strerror(errno));
    link_watch(open_fd, connections_wait);
}

long link_run(void)
{
    long links = loop_serve(sources_fd, stop_fd, &loop);
    for (; opening_at < opening_count; opening_at++)
        close(openings[opening_at].fd);
    close(stop_fd);
    close(open_fd);
    return links;
}

void link_stop(void)
{
    uint64_t one = 1;
    if (write(stop_fd, &one, sizeof one) < 0)
        die("cannot stop: %s", strerror(errno));
}

// ---- what the sidecar calls ----------------------------------------------------------------

bool link_send(struct link *l, struct buffer *buffer)
{
    size_t room = conn_room(conn_of(l));
    if (l->secure)
        room = tls_room(&l->tls);
    size_t part = smaller(buffer_left(buffer), room);
    if (part && l->secure) {
        tls_write(&l->tls, buffer->bytes + buffer->at, part);
    } else if (part) {
        memcpy(conn_space(conn_of(l)), buffer->bytes + buffer->at, part);
        conn_wrote(conn_of(l), part);
    }
    buffer->at += part;
    return part && buffer_left(buffer);
}

void link_pause(struct link *l)
{
    l->tls.paused = l->tls.conn.paused = true;
}

void link_resume(struct link *l)
{
    l->tls.paused = l->tls.conn.paused = false;
    l->resumed = true;
}

void link_wake(struct link *l)
{
    conn_wake(conn_of(l));
}

void link_close(struct link *l, bool whole)
{
    if (l->secure && whole)
        tls_close(&l->tls);
    else
        conn_close(conn_of(l));
}

// Called from closed(), where errno is still that of the call that has failed.
const char *link_why(struct link *l, char text[LINK_WHY_BYTES])
{
    int error = errno, pending = 0;
    socklen_t length = sizeof pending;
    long verified = X509_V_OK;
    if (l->secure && l->tls.ssl)
        verified = SSL_get_verify_result(l->tls.ssl);
    if (verified != X509_V_OK)
        snprintf(text, LINK_WHY_BYTES, "%s", X509_verify_cert_error_string(verified));
    else if (l->secure && l->tls.ssl && l->tls.alert >= 0)
        snprintf(text, LINK_WHY_BYTES, "TLS alert %d (%s)", l->tls.alert,
                 SSL_alert_desc_string_long(l->tls.alert));
    else if (!getsockopt(l->tls.conn.fd, SOL_SOCKET, SO_ERROR, &pending, &length) && pending)
        snprintf(text, LINK_WHY_BYTES, "%s", strerror(pending));
    else if (error == ECONNREFUSED || error == ECONNRESET || error == ETIMEDOUT ||
             error == EHOSTUNREACH)
        snprintf(text, LINK_WHY_BYTES, "%s", strerror(error));
    else
        snprintf(text, LINK_WHY_BYTES, "the connection ended");
    return text;
}

// ---- TLS -----------------------------------------------------------------------------------

static size_t take_plaintext(struct tls_filter *s, const char *bytes, size_t length)
{
    struct link *l = (struct link *)s;
    return l->port->kind->take(l, bytes, length);
}

static void handshake_done(struct tls_filter *s)
{
    struct link *l = (struct link *)s;
    conn_deadline(&s->conn, NEVER);
    if (l->port->kind->established)
        l->port->kind->established(l);
}

void link_use_tls(struct tls_server *server)
{
    server->take = take_plaintext;
    server->established = handshake_done;
    tls_server_begin(server);
}
