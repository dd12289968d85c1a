// shard.c: see shard.h. Read shard_open() first.
#include "shard.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

// Closes a socket that came to nothing; errno stays what it was.
static int give_up(int fd)
{
    int saved_errno = errno;
    if (fd >= 0)
        close(fd);
    errno = saved_errno;
    return -1;
}

// A TCP socket that has the port. -1, errno set, if it cannot be had.
static int bound_socket(const struct address *where, bool reuse_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(where->host, where->port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    // What connections in TIME_WAIT still hold of the port may be used.
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return give_up(fd);
    // Several sockets may have the port, if each of them has said so before bind(), and all are
    // of one user: or else anybody could join, and be given some of our connections.
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        return give_up(fd);
    return bind(fd, (struct sockaddr *)&address, length) ? give_up(fd) : fd;
}

int shard_open(const struct address *where, bool reuse_port)
{
    int fd = bound_socket(where, reuse_port);
    // From here on the kernel connects clients, and keeps them in a queue, for accept(). Each
    // listening socket has one of its own; among those of a port it is number 0, 1, 2, ... in
    // the order of these calls.
    if (fd < 0 || listen(fd, where->backlog))
        net_die_listening(where->host, where->port);
    return fd;
}

// With SO_REUSEPORT nobody is told that the port is taken: a second server would simply get
// half of the connections. So look first, without it.
void shard_expect_none(const struct address *where)
{
    int fd = bound_socket(where, false);
    if (fd < 0)
        net_die_listening(where->host, where->port);
    close(fd);
}

int shard_port(int fd)
{
    char name[NET_NAME];
    return atoi(strrchr(net_local_name(fd, name), ':') + 1);
}

int shard_udp(const struct address *where)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(where->host, where->port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 || bind(fd, (struct sockaddr *)&address, length) ? give_up(fd) : fd;
}

// Three instructions of classic BPF, which the kernel runs for each connection in place of its
// hash: load the number of this CPU; modulo shards; that is the shard (socket(7)).
void shard_steer_by_cpu(int fd, int shards)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)shards),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program))
        die("cannot steer connections: %s", strerror(errno));
}

void shard_steer_by_hash(int fd)
{
    int unused = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused) &&
        errno != ENOENT)
        die("cannot steer connections: %s", strerror(errno));
}
