// server.c: answers each request (a header, a body: see protocol.h) with one byte.
//
// Run:    ./server             then, in another terminal: ./client
// Watch:  that this side does nothing wrong. It answers the moment a request is complete, and
//         still the client waits 40 ms: the kernel here has nothing to send while half a
//         request is missing, so it delays its ACK (RFC 9293 §3.8.6.3), and the client's kernel
//         has no ACK, so it delays the other half (Nagle, RFC 896).
//
// Read take() and answer() first, then serve(), at whose end TCP_QUICKACK is set.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "protocol.h"
#include "log.h"

#define CONNECTIONS_MAX 1000
#define BACKLOG         512                  // clients that wait until there is room
#define IDLE_NS         INT64_C(60000000000) // how long a connection may rest between requests
#define REQUEST_NS      INT64_C(20000000000) // how long a request may take, whole, and
#define BYTE_NS         INT64_C(100000)      // for each byte of its body: 10,000 bytes a second
#define GRACE_NS                                                                               \
    INT64_C(5000000000)     // how long it keeps its place although another client waits
#define TICK_MS         500 // how often to look at what depends on time
#define RETRY_ACCEPT_NS INT64_C(500000000) // after accept() found no free descriptor

struct connection {
    int fd;
    uint8_t header[HEADER_BYTES];
    unsigned header_bytes; // that have come
    uint32_t body_bytes;   // still to come
    bool quickack;
    int64_t due_ns;       // when the server stops waiting for it
    int64_t served_at_ns; // when it was accepted, or last got an answer
};

static struct connection connections[CONNECTIONS_MAX];
static int connection_count;
static long accepted, answered;

// Sends the answer. One byte finds room in any socket whose client reads at all: if it does
// not, the client has sent many requests and taken no answer, and is closed. False: close it.
static bool answer(struct connection *c, char reply)
{
    log_line("answer '%c', 1 byte", reply);
    answered++;
    c->served_at_ns = now_ns();
    c->due_ns = c->served_at_ns + IDLE_NS;
    return send(c->fd, &reply, 1, 0) == 1;
}

// Takes what read() returned: parts of headers and bodies, one request or several, as TCP
// brings them. False: close the connection.
static bool take(struct connection *c, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        if (c->header_bytes < HEADER_BYTES) {
            // The time runs from the first byte: a byte now and then does not buy more.
            if (c->header_bytes == 0)
                c->due_ns = now_ns() + REQUEST_NS;
            c->header[c->header_bytes++] = *bytes++;
            length--;
            if (c->header_bytes < HEADER_BYTES)
                continue;
            uint32_t header;
            memcpy(&header, c->header, sizeof header);
            header = ntohl(header);
            c->quickack = header & QUICKACK;
            c->body_bytes = header & ~QUICKACK;
            if (c->body_bytes > BODY_MAX_BYTES) {
                answer(c, REPLY_TOO_LONG);
                return false;
            }
            c->due_ns += c->body_bytes * BYTE_NS;
        }
        size_t part = length < c->body_bytes ? length : c->body_bytes;
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

// Reads what has come. False: close the connection.
static bool serve(struct connection *c)
{
    uint8_t bytes[65536];
    ssize_t length = read(c->fd, bytes, sizeof bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (length <= 0) {
        if (length < 0)
            log_line("connection %d: %s", c->fd, strerror(errno));
        return false;
    }
    log_line("read() = %zd bytes", length);
    if (!take(c, bytes, (size_t)length))
        return false;
    // "Acknowledge now." The kernel forgets it soon (tcp(7)), so it is said after each read.
    int on = 1;
    if (c->quickack)
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    return true;
}

// False if no descriptor is free: the client waits in the kernel's queue.
static bool accept_connection(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    // Our answers are single bytes, one for each request: nothing for Nagle to collect.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int64_t now = now_ns();
    connections[connection_count++] =
        (struct connection){.fd = fd, .due_ns = now + IDLE_NS, .served_at_ns = now};
    accepted++;
    return true;
}

static void close_connection(int index)
{
    close(connections[index].fd);
    connections[index] = connections[--connection_count];
}

// Which connection got its last answer before all others.
static int longest_unserved(void)
{
    int longest = 0;
    for (int i = 1; i < connection_count; i++)
        if (connections[i].served_at_ns < connections[longest].served_at_ns)
            longest = i;
    return longest;
}

// True if the next client may be accepted. When all places are taken, a connection that has not
// finished a request for a while has to give its place away: so many slow clients do not lock
// out the others.
static bool has_room(int64_t now)
{
    return connection_count < CONNECTIONS_MAX ||
           now - connections[longest_unserved()].served_at_ns > GRACE_NS;
}

static void run(int stop_fd, int listener)
{
    static struct pollfd polls[2 + CONNECTIONS_MAX];
    int64_t retry_accept_at_ns = 0;
    for (;;) {
        int count = connection_count;
        int64_t now = now_ns();
        bool accepting = now >= retry_accept_at_ns && has_room(now);
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = (struct pollfd){accepting ? listener : -1, POLLIN, 0};
        for (int i = 0; i < count; i++)
            polls[2 + i] = (struct pollfd){connections[i].fd, POLLIN, 0};
        if (poll(polls, (nfds_t)(2 + count), TICK_MS) < 0)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents)
            return;
        // From the last to the first: closing one puts the last into its place.
        for (int i = count - 1; i >= 0; i--) {
            bool goes_on = now < connections[i].due_ns;
            if (polls[2 + i].revents)
                goes_on = goes_on && serve(&connections[i]);
            if (!goes_on)
                close_connection(i);
        }
        if (polls[1].revents && connection_count == CONNECTIONS_MAX)
            close_connection(longest_unserved());
        if (polls[1].revents && !accept_connection(listener)) {
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
        close_connection(connection_count - 1);
    close(listener);
    close(stop_fd);
    printf("stopped: connections %ld, requests %ld\n", accepted, answered);
    return 0;
}
