// servers.h: what the scenes of this client need: servers of their own, a question and its
// answer, and the stats of the workers.
#ifndef SERVERS_H
#define SERVERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "stats.h"

#define PATIENCE_S 20 // that we wait for an answer
#define GET_ROOT   "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

struct peer {
    const char *host;
    int port;
    pid_t pid; // of its supervisor, if we have started it
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

// Starts ./server with these options, on 127.0.0.1; on a port that the kernel chooses if they
// name none. Dies if it does not run.
struct peer peer_begin(const char *options);

// The same, but false if it does not run.
bool peer_try(struct peer *peer, const char *options);

// Ends it, and waits until it has ended.
void peer_end(const struct peer *peer);

// A socket that is about to be connected, and the call that does it without waiting: 0, or -1
// with errno (EINPROGRESS: it goes on by itself).
int socket_to_connect(const struct peer *peer);
int start_connecting(int fd, const struct peer *peer);

// A connection; -1, errno set, if there is none. When it is closed it is reset, not ended:
// the side that ends a connection first has to remember it for a minute (TIME_WAIT), and our
// thousands would be many.
int connect_to(const struct peer *peer);

// Sends a question, and reads the answer to it; closes the connection.
bool say_on(int fd, const char *request);
struct answer hear_on(int fd);

// Both, on a connection of their own.
struct answer ask(const struct peer *peer);

// The stats of all workers, from the supervisor: no worker is disturbed. Returns how many
// workers there are; dies if no answer comes.
int read_stats(const struct peer *peer, struct seen seen[WORKERS_MAX]);

// All of them together.
struct seen sum_stats(const struct peer *peer);

// Waits until all workers sleep: then each of them is back where it waits for connections. On a
// busy machine that takes a moment, and a worker that is not back cannot be woken.
void await_sleep(const struct seen *seen, int workers);

#endif
