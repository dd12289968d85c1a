// exchange.c: see exchange.h.
#include "exchange.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"
#include "protocol.h"

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

// After TIMEOUT_MS write() and writev() return with a part of the bytes, or with EAGAIN and
// none.
void check_sent(ssize_t sent, size_t length)
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

uint32_t segments_sent(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info.tcpi_data_segs_out;
}
