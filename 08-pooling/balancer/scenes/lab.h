// lab.h: what the scenes are made of: backends, a balancer in front of them, and clients.
#ifndef LAB_H
#define LAB_H

#include <stdbool.h>
#include <sys/types.h>

#include "fetch.h"

#define LAB_BACKENDS 8
#define LAB_CLIENTS  64
#define LAB_OPTIONS  600 // bytes of a command line's options

// Backends are called a, b, c, ...
struct lab {
    pid_t backends[LAB_BACKENDS], balancer;
    int ports[LAB_BACKENDS], count, port; // port: the balancer's
};

// Starts a backend with these options, separated by spaces. Returns its index.
int lab_backend(struct lab *lab, const char *options);

// Starts the backend anew on the port that it had.
void lab_restart(struct lab *lab, int backend, const char *options);

// Starts a balancer in front of all backends; where `weights` is not NULL, with these.
void lab_balancer(struct lab *lab, const char *options, const int *weights);

// Starts a balancer with these options alone. Returns its port.
int lab_start_balancer(pid_t *pid, const char *options);

void lab_kill(struct lab *lab, int backend); // kill -9
void lab_end(struct lab *lab);

// A change of the balancer while it runs: what follows "/balancer?", such as
// "algorithm=random".
void lab_change(const struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// One number of a backend in the balancer's page: "active", "requests", "connections", ...
double lab_figure(const struct lab *lab, int backend, const char *name);

// Waits until the balancer calls the backend's state so: "up", "down". Dies if it never does.
void lab_await(const struct lab *lab, int backend, const char *state);

// ---- clients -------------------------------------------------------------------------------

struct load {
    int port, clients, requests; // requests: of all clients together
    bool new_connections;        // each request has one of its own
    bool cookies;                // each client keeps the cookie that it is given
    const char *method;          // NULL: GET
    const char *const *paths;    // one after the other; NULL: /
    int path_count;
    const char *fields;    // NULL: none
    void (*at_half)(void); // called when half of the requests are answered; NULL: nothing
};

struct outcome {
    int answers[LAB_BACKENDS]; // with status 200, of each backend
    int errors;                // no answer, or one of 500 and above
    int connection_errors;     // of these, those without an answer
    int moved;                 // answers of another backend than the same client's one before
    double median_ms, p99_ms, total_ms;
};

// Lets the clients, each in a thread of its own, send their requests one after the other.
struct outcome lab_load(const struct load *load);

// The name of the backend that has answered: 0 for a, 1 for b; -1: none has.
int lab_who(const struct fetch *f);

#endif
