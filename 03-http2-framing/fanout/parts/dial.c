// dial.c: see dial.h.
#include "dial.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "conn.h"

struct wish {
    struct wish *next;
    int fd;
    void *owner;
};

static struct wish *first, **last = &first;
static void *opening;       // the owner of the connection that conn_open() opens
static struct loop *loop;   // the only one; NULL: it has no connection yet
static struct conn *newest; // that connection, from opened() until it awaits its peer

bool dial(const struct sockaddr_storage *address, socklen_t length, void *owner)
{
    struct wish *wish = malloc(sizeof *wish);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool begun =
        wish && fd >= 0 &&
        (!connect(fd, (const struct sockaddr *)address, length) || errno == EINPROGRESS);
    if (!begun) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        free(wish);
        errno = error;
        return false;
    }
    *wish = (struct wish){NULL, fd, owner};
    *last = wish;
    last = &wish->next;
    return true;
}

int dial_accept(int listener, bool full)
{
    errno = EMFILE;
    if (full)
        return -1;
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void dial_forget(const void *owner)
{
    for (struct wish *wish = first; wish; wish = wish->next)
        if (wish->owner == owner)
            wish->owner = NULL;
}

void *dial_owner(struct conn *conn)
{
    void *owner = opening;
    loop = conn->loop;
    if (owner)
        newest = conn;
    opening = NULL;
    return owner;
}

void dial_closed(const struct conn *conn)
{
    if (newest == conn)
        newest = NULL;
}

void dial_open_all(void (*failed)(void *owner))
{
    while (first) {
        struct wish *wish = first;
        first = wish->next;
        if (!first)
            last = &first;
        opening = wish->owner;
        if (opening)
            conn_open(loop, wish->fd); // it calls opened()
        else
            close(wish->fd);
        if (newest)
            conn_await_connected(newest, DIAL_MS);
        else if (opening)
            failed(wish->owner);
        opening = NULL;
        newest = NULL;
        free(wish);
    }
}

bool dial_is_opening(const struct conn *conn)
{
    return conn == newest;
}
