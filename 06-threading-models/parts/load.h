// load.h: a load generator. Each of its connections asks, waits for the answer, and asks again
// ("closed loop"). So there are never more requests under way than connections.
//
//     struct load_target cheap = {"/cheap", 64, 0};
//     load_open(&load, "127.0.0.1", 8006, &cheap, 1);
//     load_run(&load, 100, 0);  // to warm up
//     load_run(&load, 2000, 0); // measured: every run begins with new figures
//     load_close(&load);
//
// It has one thread and one epoll set. For each request it makes one send(), one read() and a
// part of an epoll_wait(). It runs on the same cores as the server, so it must not use much.
#ifndef LOAD_H
#define LOAD_H

#include <math.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "exchange.h"
#include "histogram.h"
#include "timers.h"

#define LOAD_CONNECTIONS 16384 // of all targets together
#define LOAD_OPENING     1000 // so many may wait for their first answer; then others are opened
#define LOAD_RETRY_MS    10   // after an error a connection waits for so long
#define LOAD_ONCE        INFINITY

enum load_error {
    LOAD_UNREACHABLE, // no connection
    LOAD_CLOSED,      // closed before the answer was whole
    LOAD_MALFORMED,   // no HTTP
    LOAD_OVERLOADED,  // 503: the server says that it is too much
    LOAD_REFUSED,     // another status than 2xx
    LOAD_ERRORS,
};

// What some of the connections ask for, and what came of it.
struct load_target {
    const char *path;
    int connections;
    double pause_ms; // between an answer and the next request; LOAD_ONCE: there is none

    // Figures of the last run.
    uint64_t errors[LOAD_ERRORS];
    uint64_t slowest_error_ns; // from the request to a status that is not 2xx
    int served;                // connections that had an answer in this run
    struct histogram latency;  // nanoseconds of each answer with status 2xx; .total: how many

    struct pattern pattern; // of its answers
    char *request;
    size_t request_length;
};

struct load {
    double seconds, cpu_seconds; // of the last run, and of this thread in it

    struct load_target *targets;
    int target_count;
    struct sockaddr_storage address;
    socklen_t address_length;
    int epoll, count, opened;
    int opening;       // connections whose first request has not come to an end
    int done;          // connections that have asked once, and will not ask again
    uint64_t finished; // answers and errors of the first target in this run
    int run;           // the number of this run
    struct load_connection *connections;
    struct timers pauses;
    char *bytes; // what one read() brings
};

// Prepares the connections of all targets, to be opened in this order. Dies if there is no such
// host, or more connections than LOAD_CONNECTIONS.
void load_open(struct load *load, const char *host, int port, struct load_target *targets,
               int count);

// Runs for so many milliseconds; or until the first target has had `requests` (0: no limit)
// answers and errors; or until no connection has anything more to ask. Requests that are under
// way then stay under way.
void load_run(struct load *load, double ms, uint64_t requests);

// Closes all connections, and frees what they had. The figures stay.
void load_close(struct load *load);

// All errors of a target.
uint64_t load_errors(const struct load_target *target);

#endif
