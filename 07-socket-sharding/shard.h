// shard.h: the sockets of one port: the only listening one, or one of several (a shard).
#ifndef SHARD_H
#define SHARD_H

#include <stdbool.h>

// Where to listen.
struct address {
    const char *host;
    int port;    // 0: the kernel chooses
    int backlog; // for listen()
};

// A listening socket; with reuse_port further ones may join it on this port, and it may join
// them. Dies if it cannot be had.
int shard_open(const struct address *address, bool reuse_port);

// Dies if somebody has the port, whether others could join there or not.
void shard_expect_none(const struct address *address);

int shard_port(int fd);

// A UDP socket with the same number. -1, errno set, if it cannot be had.
int shard_udp(const struct address *address);

// From now on a connection goes to the shard that has the number of the CPU on which it comes
// in, modulo `shards`; `fd` is any of them. Dies if the kernel refuses.
void shard_steer_by_cpu(int fd, int shards);

// From now on the hash decides again: sockets that were handed over have brought the program.
void shard_steer_by_hash(int fd);

#endif
