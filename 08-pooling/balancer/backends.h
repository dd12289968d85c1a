// backends.h: the servers behind the balancer, and what it knows about each of them.
#ifndef BACKENDS_H
#define BACKENDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http.h"
#include "net.h"

#define BACKENDS_MAX 32
#define GROUPS_MAX   8
#define WEIGHT_MAX   1000
#define ID_BYTES     9 // of a backend's name in a cookie

// Averages in which older values count less and less: after so long half as much.
#define BYTES_HALF_MS    1000
#define RESPONSE_HALF_MS 200

struct backend_leg;

struct backend {
    char name[NET_NAME]; // HOST:PORT
    char id[ID_BYTES];   // the same name, always the same eight digits: for cookies
    struct sockaddr_storage address;
    int index;  // its place in backends[]
    int weight; // 0: it gets nothing new, but for those who are bound to it
    // Load.
    int active;                    // requests, or at layer 4 connections, that are under way
    int current_weight;            // of smooth weighted round robin
    double response_us;            // average time until an answer begins; 0: not known
    double bytes_second;           // average of what it has sent and received lately
    int64_t response_ns, bytes_ns; // when these two were brought up to date
    // Health: by active checks, and by what happens to requests.
    bool down;                // the checks say so
    int good, bad;            // checks in a row
    int failures;             // requests in a row that failed
    int64_t ejected_until_ns; // because of them
    int64_t next_check_ns;
    struct leg *check;
    // Connections that are open and wait for a request; the one used last comes first.
    struct backend_leg *idle;
    long requests, errors, connections; // since the start
};

// Backends that serve the same requests.
struct group {
    char host[64], path[128]; // which requests: "" is any host, "/" any path
    struct backend *members[BACKENDS_MAX];
    int count;
    unsigned turn; // how many requests there were
};

extern struct backend backends[BACKENDS_MAX];
extern struct group groups[GROUPS_MAX];
extern int backend_count, group_count;

// Options, in the order of the command line: "HOST:PORT[,weight]" adds a backend to the newest
// group; "[HOST]/PATH" begins a new group, for these requests.
void backends_add(const char *text);
void backends_begin_group(const char *text);

// Dies if a group has no backend.
void backends_check_options(void);

// The group for a request: the longest path that fits, of a group with this host before one for
// any host. NULL: there is none.
struct group *backends_find_group(struct http_text host, struct http_text path);

// The backend with this id, or this name; NULL: there is none.
struct backend *backends_find(struct http_text id);

// True if the backend can take requests: the checks have not found it down, and it is not
// ejected.
bool backend_is_healthy(const struct backend *backend);

// A request has got the first byte of its answer after so long.
void backend_answered(struct backend *backend, int64_t took_ns);

// So many bytes have gone to a backend, or have come from it.
void backend_moved(struct backend *backend, size_t bytes);

// Lets both averages fade as time goes by. A backend that was slow is tried again some time.
void backend_fade(struct backend *backend);

#endif
