// shard.h: what else there is to know of a port whose listening sockets are shards: its number,
// its UDP twin, and what decides which shard gets a connection.
#ifndef SHARD_H
#define SHARD_H

// The port of a socket.
int shard_port(int fd);

// A UDP socket with the same number. -1 if it cannot be had.
int shard_udp(const char *host, int port);

// From now on a connection goes to the shard that has the number of the CPU on which it comes
// in, modulo `shards`; `fd` is any of them. Dies if the kernel refuses.
void shard_steer_by_cpu(int fd, int shards);

// From now on the hash decides again: sockets that were handed over have brought the program.
void shard_steer_by_hash(int fd);

#endif
