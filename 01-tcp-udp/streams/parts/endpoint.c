// endpoint.c: see endpoint.h.
#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"
#include "secret.h"
#include "smaller.h"
#include "udp.h"

void endpoint_open(struct endpoint *e, const char *host, int port, const char *key,
                   uint32_t window, const struct connection_user *user)
{
    struct sockaddr_storage server = {0};
    uint8_t ids[2][ID_BYTES];
    net_address(host, port, SOCK_DGRAM, &server);
    random_bytes(ids[0], sizeof ids);
    memset(e, 0, sizeof *e);
    e->fd = udp_connect(&server, NULL);
    if (e->fd < 0)
        die("cannot connect to %s:%d: %s", host, port, strerror(errno));
    struct connection *c = &e->connection;
    if (!connection_begin(c, user, ids[0], ids[1], &server, now_ns()))
        die("no memory for a connection");
    c->key = key;
    c->stream_window = window;
    if (2 * (uint64_t)window > c->window) {
        c->window = c->in_max = 2 * (uint64_t)window;
        c->max_data_due = true;
    }
}

static void send_all(struct endpoint *e)
{
    uint8_t out[DATAGRAM_MAX];
    struct sockaddr_storage to;
    size_t length;
    while ((length = connection_send(&e->connection, out, now_ns(), &to)) > 0) {
        udp_send(e->fd, out, length, NULL);
        if (e->saw)
            e->saw(e, true, out, length);
    }
}

static void take(struct endpoint *e, uint8_t *bytes, size_t length)
{
    struct connection *c = &e->connection;
    struct header header;
    size_t whole = length, head = header_read(bytes, length, &header);
    if (head == 0 || header.to_length != ID_BYTES || memcmp(header.to, c->id, ID_BYTES))
        return;
    if (header.type != PACKET_RETRY && !tag_is_right(c->key, bytes, &length))
        return;
    if (length < head)
        return;
    if (e->saw)
        e->saw(e, false, bytes, length);
    connection_receive(c, &header, bytes + head, length - head, whole, &c->path.address,
                       now_ns());
}

bool endpoint_step(struct endpoint *e, int64_t until_ns)
{
    struct connection *c = &e->connection;
    uint8_t bytes[65536];
    ssize_t length;
    struct sockaddr_storage from;
    send_all(e);
    if (c->state == CLOSED)
        return false;
    struct pollfd poll_fd = {e->fd, POLLIN, 0};
    if (udp_wait(&poll_fd, 1, earlier(connection_due_ns(c), until_ns)) < 0)
        die("cannot wait in ppoll(): %s", strerror(errno));
    while ((length = datagram_receive(e->fd, bytes, sizeof bytes, &from)) >= 0)
        take(e, bytes, (size_t)length);
    if (errno == ECONNREFUSED) {
        e->refused = true;
        return false;
    }
    if (now_ns() >= connection_due_ns(c))
        connection_expire(c, now_ns());
    return c->state != CLOSED;
}

void endpoint_move(struct endpoint *e, const char *local)
{
    int fd = udp_connect(&e->connection.path.address, local);
    const char *from = "another port";
    if (local)
        from = local;
    if (fd < 0)
        die("cannot go on from %s: %s", from, strerror(errno));
    close(e->fd);
    e->fd = fd;
    connection_moved(&e->connection);
}

void endpoint_close(struct endpoint *e)
{
    connection_close(&e->connection, NO_ERROR, "");
    if (!e->refused)
        send_all(e);
    close(e->fd);
    connection_end(&e->connection);
}

void endpoint_die(const struct endpoint *e, const char *host, int port)
{
    const struct connection *c = &e->connection;
    if (e->refused)
        die("cannot connect to %s:%d: %s (is the server running?)", host, port,
            strerror(ECONNREFUSED));
    if (c->state == CONNECTING || c->packets_in == 0)
        die("%s:%d does not answer: %s (is the server running?)", host, port, c->reason);
    if (c->closed_by_peer)
        die("%s:%d has closed the connection: error 0x%llx, \"%s\"", host, port,
            (unsigned long long)c->close_code, c->reason);
    die("the connection to %s:%d is over: %s", host, port, c->reason);
}
