// handover.c: see handover.h. Read handover_offer(), which sends the message, and
// handover_ask(), which receives it.
#include "handover.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "net.h"

#define SUCCESSORS     4  // successors that may wait
#define ANSWER_SECONDS 10 // within this time the old server has to answer
#define RETRY_MS       10 // after accept() found no free descriptor
#define DESCRIPTORS    (WORKERS_MAX + 2)

// What the messages say, in one letter.
#define SHARED_SOCKETS  's' // the old server: it has one listening socket for all workers
#define SHARDED_SOCKETS 'h' // the old server: it has one for each worker
#define KEEP_SOCKETS    'h' // the successor: it uses the sockets, so end without closing them
#define DRAIN_SOCKETS   'd' // the successor: serve the clients in your queues, then end

// Room for one message that carries descriptors (unix(7), cmsg(3)).
struct parcel {
    char kind; // the letter: descriptors are sent only with at least one byte of data
    int count;
    int fds[DESCRIPTORS];
    struct iovec data;
    struct msghdr message;
    char control[CMSG_SPACE(DESCRIPTORS * sizeof(int))] __attribute__((aligned(16)));
};

// An abstract address begins with a zero byte, and its length counts.
static socklen_t control_address(const char *host, int port, struct sockaddr_un *address)
{
    struct sockaddr_storage tcp = {0};
    char name[NET_NAME];
    net_address(host, port, SOCK_STREAM, &tcp);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1,
                          "workbench-sharding-%s", net_name(&tcp, name));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

int handover_listen(const char *host, int port)
{
    struct sockaddr_un address;
    socklen_t length = control_address(host, port, &address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, length) && !listen(fd, SUCCESSORS))
        return fd;
    return net_give_up(fd);
}

static bool is_one_of_us(int connection)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static struct msghdr *pack(struct parcel *parcel, const struct handover_fds *fds)
{
    parcel->kind = SHARED_SOCKETS;
    if (fds->sharded)
        parcel->kind = SHARDED_SOCKETS;
    parcel->fds[0] = fds->control;
    parcel->fds[1] = fds->questions;
    memcpy(parcel->fds + 2, fds->listener, (size_t)fds->listeners * sizeof(int));
    parcel->count = 2 + fds->listeners;
    parcel->data = (struct iovec){&parcel->kind, 1};
    size_t bytes = (size_t)parcel->count * sizeof(int);
    parcel->message = (struct msghdr){.msg_iov = &parcel->data,
                                      .msg_iovlen = 1,
                                      .msg_control = parcel->control,
                                      .msg_controllen = CMSG_SPACE(bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&parcel->message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(rights), parcel->fds, bytes);
    return &parcel->message;
}

int handover_offer(const struct handover_fds *fds)
{
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    int connection = accept4(fds->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) {
        if (errno != EAGAIN) // no descriptor is free: poll() reports the successor until one is
            sleep_ms(RETRY_MS);
        return -1;
    }
    if (is_one_of_us(connection) && sendmsg(connection, pack(&parcel, fds), MSG_NOSIGNAL) == 1)
        return connection;
    close(connection);
    return -1;
}

enum ending handover_verdict(int connection)
{
    char how;
    if (recv(connection, &how, 1, 0) != 1)
        return RUNNING;
    if (how == KEEP_SOCKETS)
        return HANDED_OVER;
    if (how == DRAIN_SOCKETS)
        return DRAINING;
    return RUNNING;
}

static bool unpack(struct parcel *parcel, struct handover_fds *fds)
{
    struct cmsghdr *rights = CMSG_FIRSTHDR(&parcel->message);
    if (!rights || rights->cmsg_type != SCM_RIGHTS || parcel->message.msg_flags & MSG_CTRUNC)
        return false;
    size_t bytes = rights->cmsg_len - CMSG_LEN(0);
    parcel->count = (int)(bytes / sizeof(int));
    memcpy(parcel->fds, CMSG_DATA(rights), bytes);
    if (parcel->count < 3)
        return false;
    *fds = (struct handover_fds){parcel->kind == SHARDED_SOCKETS,
                                 parcel->fds[0],
                                 parcel->fds[1],
                                 parcel->count - 2,
                                 {0}};
    memcpy(fds->listener, parcel->fds + 2, (size_t)fds->listeners * sizeof(int));
    return true;
}

int handover_ask(const char *host, int port, struct handover_fds *fds)
{
    struct sockaddr_un address;
    struct parcel parcel;
    struct timeval patience = {ANSWER_SECONDS, 0};
    socklen_t length = control_address(host, port, &address);
    int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, length))
        die("there is no server on %s:%d to take over: %s", host, port, strerror(errno));
    if (!is_one_of_us(connection)) // any user may have taken this abstract name
        die("the server on %s:%d is another user's", host, port);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    parcel.data = (struct iovec){&parcel.kind, 1};
    parcel.message = (struct msghdr){.msg_iov = &parcel.data,
                                     .msg_iovlen = 1,
                                     .msg_control = parcel.control,
                                     .msg_controllen = sizeof parcel.control};
    if (recvmsg(connection, &parcel.message, MSG_CMSG_CLOEXEC) != 1 || !unpack(&parcel, fds))
        die("the server on %s:%d does not hand over its sockets", host, port);
    return connection;
}

void handover_finish(int connection, enum ending how)
{
    char letter = DRAIN_SOCKETS;
    if (how == HANDED_OVER)
        letter = KEEP_SOCKETS;
    if (send(connection, &letter, 1, MSG_NOSIGNAL) != 1)
        fprintf(stderr, "the old server has gone by itself: %s\n", strerror(errno));
    close(connection);
}
