// layer7.h: a client of layer 7 and its present request, for layer7.c, answers.c and parts/.
#ifndef LAYER7_H
#define LAYER7_H

#include <netinet/in.h>

#include "balancer.h"
#include "forward.h"

#define REPEAT_BYTES 32768 // a request up to this length can be sent a second time

// A connection to a backend: it carries one request at a time, and waits for the next one in
// the backend's list.
struct backend_leg {
    struct leg leg;
    struct backend *backend;
    struct client *client;             // whose request it carries; NULL: none
    struct backend_leg *next, *before; // in the backend's list
    bool reused;                       // the present request is not its first
    bool listed;                       // it waits for a request: it is in the backend's list
    bool no_more;                      // its present answer is the last one
};

struct client {
    struct leg leg;
    struct backend_leg *to; // carries the present request; NULL: none
    struct group *group;
    struct pick_for what;
    char address[INET6_ADDRSTRLEN];
    int64_t since_ns; // when the balancer began to wait for this client, or for its answer
    bool began;       // the first bytes of a request are here
    bool busy;        // a request is under way
    bool last;        // no request after this one
    // The request.
    bool in_content, safe, head, old, upgrade; // safe: to repeat; old: HTTP/1.0
    struct http_body body;
    uint64_t content_bytes;
    int repeats;
    bool was_stale; // the connection that it was sent on had been closed already
    char *kept;     // what the backend was sent, to send it again; kept_all: it is all here
    size_t kept_length, kept_size;
    bool kept_all;
    char line[80];         // its method and target, for people
    struct backend *bound; // by its cookie
    // The answer.
    bool in_answer, answer_sent; // a part of it has gone to the client
    bool plain;                  // plain: the chunks are taken off
    struct http_body answer_body;
};

static inline struct client *client_of(struct leg *leg)
{
    return (struct client *)leg; // it begins with it
}

static inline struct backend_leg *backend_leg_of(struct leg *leg)
{
    return (struct backend_leg *)leg; // it begins with it
}

extern const struct forward_proxy layer7_proxy;
extern const struct leg_kind layer7_backend; // answers.c

// layer7.c: an answer of the balancer's own; `fields` are lines, or "". The second function
// says what is wrong; `close`: nothing more can be read from the client.
void answer(struct client *client, int status, const char *type, const char *fields,
            struct http_text content);
void answer_self(struct client *client, int status, const char *why, bool close);

// The client's request has its whole answer.
void end_request(struct client *client);

// The backend has not answered: sends the request to another one, where that is safe; else the
// client gets `status`.
void try_another(struct client *client, struct backend *failed, int status, const char *why,
                 bool was_sent, bool reused);

// Adds to a head that asks for another protocol, or agrees to it, what says so.
void pass_upgrade(const struct http_head *head, struct http_out *out);

// answers.c: a connection to this backend: one that waits, or a new one. NULL, and errno, if
// there is none.
struct backend_leg *backend_leg_take(struct backend *backend, struct client *client);

// Takes the leg from its client.
void backend_leg_leave(struct backend_leg *leg);

// parts/cookie.c: the backend that the client's cookie names; NULL: none. The field that binds
// a client to a backend.
struct backend *sticky_find(const struct http_head *head);
void sticky_put(struct http_out *out, const struct backend *backend);

// parts/status.c: answers a request for the page /balancer. False: it is for another one.
bool status_answer(struct client *client, const struct http_head *head);

#endif
