// backend.h: the servers behind the proxy, and which one is next.
#ifndef BACKEND_H
#define BACKEND_H

#include "loop.h"
#include "net.h"
#include "options.h"

#define BACKENDS_MAX    16
#define BACKEND_DOWN_MS 1000 // that a backend is left out after it has refused a connection

struct exchange;
struct upstream;

struct backend {
    char name[300]; // "127.0.0.1:8003", as the command line says it
    struct sockaddr_storage address;
    socklen_t address_length;
    int64_t down_until_ns;
    struct exchange *first, *last; // the queue of those that wait for a connection
    int waiting;
    struct upstream *current; // HTTP/2: the connection that takes new streams; NULL: none
    struct upstream *idle;    // HTTP/1.1: connections without a request
    int connections;          // there are now, also those that are not connected yet
    int dialing;              // of these, those that are not connected yet
    long requests, opened, lost;
};

extern struct backend backends[BACKENDS_MAX];
extern int backend_count;

// Splits "HOST:PORT", also "[::1]:8003"; false: it is not that.
bool backend_split(const char *text, char host[256], int *port);

// --backend HOST:PORT. The name is looked up once.
void backends_add(const char *text);

// The value and the help of this option, for a program's table.
extern option_call backends_option;
extern const char backends_help[];

// Where the command line names none: 127.0.0.1:9001, 9002 and 9003.
void backends_default(void);

// The next one in turn that is not down, and not `not_this` if there is another one. Where all
// are down: the next one in turn. NULL: there is no backend.
struct backend *backend_pick(const struct backend *not_this, int64_t now_ns);

void backend_enqueue(struct backend *backend, struct exchange *x);
void backend_dequeue(struct backend *backend, struct exchange *x);

#endif
