// server.c: answers each request (a header, a body: see protocol.h) with one byte.
//
// Run:    ./server             then, in another terminal: ./client
// Watch:  the server does nothing wrong. It answers the moment a request is complete, and still
//         the client waits 40 ms. While half a request is missing, the server has nothing to
//         send, so its kernel delays the ACK (RFC 9293 §3.8.6.3). Without that ACK the client's
//         kernel delays the other half of the request (Nagle, RFC 896).
//
// Read take() and answer() first, then serve(), which sets TCP_QUICKACK at its end.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connections.h"
#include "log.h"
#include "net.h"
#include "options.h"

#define BACKLOG         512                  // clients that wait until there is room
#define REQUEST_NS      INT64_C(20000000000) // how long a whole request may take, and
#define BYTE_NS         INT64_C(100000)      // for each byte of its body: 10,000 bytes a second
#define TICK_MS         500                  // how often the server looks at the deadlines
#define RETRY_ACCEPT_NS INT64_C(500000000)   // pause after accept() found no free descriptor

static long accepted, answered;

// Sends the answer. One byte finds room in any socket whose client reads at all. If it finds
// none, the client has sent many requests and taken no answer. False: close the connection.
static bool answer(struct connection *c, char reply)
{
    log_line("answer '%c', 1 byte", reply);
    answered++;
    c->served_at_ns = now_ns();
    c->due_ns = c->served_at_ns + IDLE_NS;
    return send(c->fd, &reply, 1, 0) == 1;
}

// The header has come as a whole: reads it. False: the body is too long.
static bool read_header(struct connection *c)
{
    uint32_t header;
    memcpy(&header, c->header, sizeof header);
    header = ntohl(header);
    c->quickack = header & QUICKACK;
    c->body_bytes = header & ~QUICKACK;
    c->due_ns += c->body_bytes * BYTE_NS;
    return c->body_bytes <= BODY_MAX_BYTES;
}

// Takes what one read() returned: TCP may bring a part of a request, or several requests at
// once. False: close the connection.
static bool take(struct connection *c, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        if (c->header_bytes < HEADER_BYTES) {
            // The deadline counts from the first byte: further bytes do not move it.
            if (c->header_bytes == 0)
                c->due_ns = now_ns() + REQUEST_NS;
            c->header[c->header_bytes++] = *bytes++;
            length--;
            if (c->header_bytes < HEADER_BYTES)
                continue;
            if (!read_header(c)) {
                answer(c, REPLY_TOO_LONG);
                return false;
            }
        }
        size_t part = length;
        if (part > c->body_bytes)
            part = c->body_bytes;
        bytes += part;
        length -= part;
        c->body_bytes -= (uint32_t)part;
        if (c->body_bytes == 0) {
            c->header_bytes = 0;
            if (!answer(c, REPLY_OK))
                return false;
        }
    }
    return true;
}

// Reads the bytes that have come. False: close the connection.
static bool serve(struct connection *c)
{
    uint8_t bytes[65536];
    ssize_t length = read(c->fd, bytes, sizeof bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (length < 0)
        log_line("connection %d: %s", c->fd, strerror(errno));
    if (length <= 0)
        return false;
    log_line("read() = %zd bytes", length);
    if (!take(c, bytes, (size_t)length))
        return false;
    // "Acknowledge now." The kernel soon forgets this (tcp(7)): set it again after each read.
    int on = 1;
    if (c->quickack)
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    return true;
}

// Accepts the next client. False if the kernel has no descriptor or no memory for it: then the
// client waits in the kernel's queue.
static bool accept_client(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    // The answers are single bytes, one for each request: Nagle has nothing to collect.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection_add(fd);
    accepted++;
    return true;
}

static void run(int stop_fd, int listener)
{
    static struct pollfd polls[2 + CONNECTIONS_MAX];
    int64_t retry_accept_at_ns = 0;
    for (;;) {
        int count = connection_count;
        int64_t now = now_ns();
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = (struct pollfd){-1, POLLIN, 0}; // poll() ignores -1
        if (now >= retry_accept_at_ns && connections_have_room(now))
            polls[1].fd = listener;
        for (int i = 0; i < count; i++)
            polls[2 + i] = (struct pollfd){connections[i].fd, POLLIN, 0};
        if (poll(polls, (nfds_t)(2 + count), TICK_MS) < 0)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents)
            return;
        // From the last to the first: a connection that closes gives its place to the last one.
        for (int i = count - 1; i >= 0; i--) {
            bool goes_on = now < connections[i].due_ns;
            if (goes_on && polls[2 + i].revents)
                goes_on = serve(&connections[i]);
            if (!goes_on)
                connection_close(i);
        }
        if (polls[1].revents && !accept_client(listener)) {
            log_line("accept(): %s: the next client waits", strerror(errno));
            retry_accept_at_ns = now_ns() + RETRY_ACCEPT_NS;
        }
    }
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8009;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {0}};
    options_parse(
        argc, argv,
        &(struct command){"", "Lesson 09: answers each request with one byte.", options});
    log_begin(false);
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, BACKLOG);
    net_set_nonblocking(listener);
    net_ready(listener);
    run(stop_fd, listener);

    while (connection_count)
        connection_close(connection_count - 1);
    close(listener);
    close(stop_fd);
    log_end();
    printf("stopped: connections %ld, requests %ld\n", accepted, answered);
    return 0;
}
