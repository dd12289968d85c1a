// servers.h: what the scenes share: they start servers of their own, ask them and read the
// stats of the workers.
#ifndef SERVERS_H
#define SERVERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "stats.h"

#define PATIENCE_S 20 // a scene waits so long for an answer
#define GET_ROOT   "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

struct peer {
    const char *host;
    int port;
    pid_t pid; // its supervisor's, if the scene has started it; else 0
};

// One worker's line of the stats: see stats.h.
struct seen {
    int number, pid, tid;
    long accepted, wakeups, vain, answered, switches;
    unsigned queue, backlog;
};

// The worker that has answered.
struct answer {
    int worker; // 0: there was no answer
    int pid;
};

// Starts ./server with these options on 127.0.0.1. If they name no port, the kernel chooses
// one. Dies if the server does not run.
struct peer peer_begin(const char *options);

// The same on a free port that the kernel gives to no client: for a port that is used again.
struct peer peer_begin_on_own_port(const char *options);

// As peer_begin(), but returns false if the server does not run.
bool peer_try(struct peer *peer, const char *options);

// Ends the server, and waits until it has ended.
void peer_end(const struct peer *peer);

// Makes a socket for a connection to the server.
int socket_to_connect(const struct peer *peer);

// Begins to connect that socket, and does not wait. Returns 0, or -1 with errno set
// (EINPROGRESS: the kernel goes on with it).
int start_connecting(int fd, const struct peer *peer);

// Returns a connection; -1, with errno set: there is none. When a scene closes it, the kernel
// sends a reset and no FIN. The side that sends the first FIN has to remember the connection
// for a minute (TIME_WAIT), and a scene makes thousands of them.
int connect_to(const struct peer *peer);

// Sends a request. False: the connection is broken.
bool send_request(int fd, const char *request);

// Reads the answer, and closes the connection.
struct answer read_answer(int fd);

// Makes a connection, sends a request and reads the answer.
struct answer ask(const struct peer *peer);

// Reads the stats of all workers from the supervisor, so no worker is disturbed. Returns how
// many workers there are; dies if no answer comes.
int read_stats(const struct peer *peer, struct seen seen[WORKERS_MAX]);

// The sums over all workers.
struct seen sum_stats(const struct peer *peer);

// Waits until all workers sleep, because each waits for connections again. On a busy machine
// that takes a moment, and a worker that is still awake cannot be woken.
void await_sleep(const struct seen *seen, int workers);

#endif
