// request.c: see request.h. Read send_request(). What it takes for granted, connecting and
// waiting for an answer, is in parts/exchange.c.
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>

#include "exchange.h"
#include "net.h"
#include "protocol.h"

const char *const way_name[WAYS + 1] = {"nagle", "nodelay", "writev", "cork", NULL};

void set_option(int fd, int option, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value))
        die("cannot set TCP option %d: %s", option, strerror(errno));
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

double time_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags)
{
    int64_t start_ns = now_ns();
    send_request(fd, way, body_bytes, flags);
    await_answer(fd);
    return (double)(now_ns() - start_ns) / 1e6;
}
