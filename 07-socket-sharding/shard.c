// shard.c: see shard.h. Read shard_steer_by_cpu() first.
#include "shard.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

int shard_port(int fd)
{
    char name[NET_NAME];
    return atoi(strrchr(net_local_name(fd, name), ':') + 1);
}

int shard_udp(const char *host, int port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length)) {
        close(fd);
        return -1;
    }
    return fd;
}

// The kernel runs this program for each connection, and does not compute its hash. It has three
// instructions of classic BPF: load the number of this CPU; take it modulo shards; return it as
// the number of the shard (socket(7)).
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
