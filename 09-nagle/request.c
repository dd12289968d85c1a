// request.c: see request.h.
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>

#include "net.h"
#include "protocol.h"

void set_option(int fd, int option, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value))
        die("cannot set TCP option %d: %s", option, strerror(errno));
}

void put(int fd, const void *bytes, size_t length)
{
    if (!write_all(fd, bytes, length))
        die("cannot send: %s", strerror(errno));
}

// Sends a header and a body. Nagle's rule (RFC 896) is on unless something turns it off: a
// small segment waits while another one is not acknowledged yet.
void send_request(int fd, enum way way, uint32_t length, uint32_t flags)
{
    static char body[BODY_MAX_BYTES];
    uint32_t header = htonl(length | flags);
    struct iovec both[] = {{&header, sizeof header}, {body, length}};
    switch (way) {
    case NAGLE:
        put(fd, &header, sizeof header); // goes at once: nothing is in flight
        put(fd, body, length);           // waits until the header is acknowledged
        break;
    case NODELAY: // THE line: a small segment does not wait
        set_option(fd, TCP_NODELAY, 1);
        put(fd, &header, sizeof header);
        put(fd, body, length);
        break;
    case ONE_WRITEV: // better still: one call, one segment, nothing to wait for
        if (writev(fd, both, 2) != (ssize_t)(sizeof header + length))
            die("cannot send: %s", strerror(errno));
        break;
    case CORK: // the same for those who cannot collect their parts: hold all, then let go
        set_option(fd, TCP_CORK, 1);
        put(fd, &header, sizeof header);
        put(fd, body, length);
        set_option(fd, TCP_CORK, 0);
        break;
    case WAYS:
        break;
    }
}

void await_answer(int fd)
{
    char reply;
    bool whole = read_exactly(fd, &reply, 1);
    if (!whole && errno == EAGAIN)
        die("nothing has come for %d seconds", PATIENCE_MS / 1000);
    if (!whole)
        die("no answer: %s", errno ? strerror(errno) : "the server closed the connection");
    if (reply != REPLY_OK)
        die("the server refused the request: '%c'", reply);
}
