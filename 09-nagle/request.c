// request.c: see request.h.
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net.h"
#include "protocol.h"

const char *const way_name[WAYS] = {"nagle", "nodelay", "writev", "cork"};

static char server[NET_NAME]; // for what die() says
static long answers;

int open_connection(const char *host, int port)
{
    // The client waits a limited time for a server that does not read, or does not answer.
    struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};
    int fd = net_connect_or_die(host, port);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    net_peer_name(fd, server);
    answers = 0;
    return fd;
}

void set_option(int fd, int option, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value))
        die("cannot set TCP option %d: %s", option, strerror(errno));
}

// Ends the program unless write() or writev() has sent all `length` bytes. After TIMEOUT_MS
// these calls return with a part of the bytes, or with EAGAIN and none.
static void check_sent(ssize_t sent, size_t length)
{
    if (sent < 0 && errno != EAGAIN)
        die("cannot send request %ld to %s: %s", answers + 1, server, strerror(errno));
    if (sent < 0)
        sent = 0;
    if (sent < (ssize_t)length)
        die("%s took %zd of %zu bytes of request %ld in %d seconds", server, sent, length,
            answers + 1, TIMEOUT_MS / 1000);
}

void put(int fd, const void *bytes, size_t length)
{
    check_sent(write(fd, bytes, length), length);
}

// Nagle's rule (RFC 896) is on unless something turns it off: a small segment waits while
// another one is not acknowledged yet.
void send_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags)
{
    static char body[BODY_MAX_BYTES];
    uint32_t header = htonl(body_bytes | flags);
    struct iovec both[] = {{&header, sizeof header}, {body, body_bytes}};
    switch (way) {
    case NAGLE:
        put(fd, &header, sizeof header); // goes at once: nothing is in flight
        put(fd, body, body_bytes);       // waits until the server acknowledges the header
        break;
    case NODELAY: // THE line: a small segment does not wait
        set_option(fd, TCP_NODELAY, 1);
        put(fd, &header, sizeof header);
        put(fd, body, body_bytes);
        break;
    case ONE_WRITEV: // better still: one call and one segment, so nothing has to wait
        check_sent(writev(fd, both, 2), sizeof header + body_bytes);
        break;
    case CORK: // also one segment: the kernel keeps all parts until the cork is out
        set_option(fd, TCP_CORK, 1);
        put(fd, &header, sizeof header);
        put(fd, body, body_bytes);
        set_option(fd, TCP_CORK, 0);
        break;
    case WAYS:
        break;
    }
}

void await_answer(int fd)
{
    unsigned char reply[2];
    ssize_t length = read(fd, reply, sizeof reply);
    if (length < 0 && errno == EAGAIN)
        die("no answer to request %ld from %s in %d seconds", answers + 1, server,
            TIMEOUT_MS / 1000);
    if (length < 0)
        die("no answer to request %ld from %s: %s", answers + 1, server, strerror(errno));
    if (length == 0)
        die("%s closed the connection after %ld answers", server, answers);
    if (reply[0] == REPLY_TOO_LONG)
        die("%s refused request %ld: its body is too long", server, answers + 1);
    if (length > 1 || reply[0] != REPLY_OK)
        die("the answer to request %ld from %s is not the one byte '%c', but %zd, 0x%02x first",
            answers + 1, server, REPLY_OK, length, reply[0]);
    answers++;
}

double time_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags)
{
    int64_t start_ns = now_ns();
    send_request(fd, way, body_bytes, flags);
    await_answer(fd);
    return (double)(now_ns() - start_ns) / 1e6;
}

uint32_t segments_sent(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info.tcpi_data_segs_out;
}
