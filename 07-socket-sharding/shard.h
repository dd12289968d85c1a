// shard.h: the rest of what the server does with its port: reads its number, opens a UDP socket
// with the same number, and chooses how the kernel finds the shard for a connection.
#ifndef SHARD_H
#define SHARD_H

// Returns the port of a socket.
int shard_port(int fd);

// Returns a UDP socket with the same port number; -1: another program has it.
int shard_udp(const char *host, int port);

// From now on the kernel takes the number of the CPU on which a connection comes in, modulo
// `shards`, and gives the connection to the shard of that number. `fd` is any of the shards.
// Dies if the kernel refuses.
void shard_steer_by_cpu(int fd, int shards);

// From now on the hash decides again. (Sockets that were handed over still have the program of
// shard_steer_by_cpu(), if the old server had set it.)
void shard_steer_by_hash(int fd);

#endif
