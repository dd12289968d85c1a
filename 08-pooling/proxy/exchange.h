// exchange.h: one request and its answer on their way through the proxy, and the two
// connections that they come and go on. One thread serves them all; a callback of one
// connection never writes to another one, but puts bytes into a pipe and wakes it.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "cache.h"
#include "forward.h"
#include "loop.h"
#include "net.h"
#include "pipe.h"
#include "route.h"

enum kind { CLIENT, UPSTREAM, LOOKUPS };

// How a client finds the end of its answer's content.
enum framing { FRAMED_BY_LENGTH, FRAMED_BY_CHUNKS, FRAMED_BY_CLOSE };

struct client {
    struct conn conn;
    enum kind kind;
    char address[NET_NAME]; // for X-Forwarded-For
    bool is_local;          // from loopback: it may PURGE
    // The request that is being answered.
    struct exchange *exchange; // NULL: it needs no server, or there is no request
    bool last;                 // the connection closes behind its answer
    bool old;                  // HTTP/1.0
    bool head_only;            // HEAD
    // Content from the store, or from an entry that is being filled.
    struct entry *entry;
    size_t entry_at;
    enum framing framing;
    // The client waits for another one's fetch of the same (collapse.h).
    struct exchange *flight;
    struct client *next_waiting, *previous_waiting;
    int waits;              // how often it has
    bool alone;             // it is to fetch by itself
    bool is_reset;          // what is missing of its answer will not come
    int failed;             // 0, or the status with which the fetch has failed
    bool began;             // a part of a request is here
    uint64_t content_bytes; // of a request's content, in this period
};

struct upstream {
    struct conn conn;
    enum kind kind;
    struct exchange *exchange; // NULL: it is idle, or it is to close
    enum { UPSTREAM_OPENING, UPSTREAM_CONNECTING, UPSTREAM_CONNECTED } stage;
    bool reused;
    struct upstream *next_idle;
    bool is_idle;
    char server[HTTP_HOST_BYTES];
};

struct exchange {
    struct client *client;     // NULL: it has gone
    struct upstream *upstream; // NULL: not yet, or no more
    bool pending;              // a name is being looked up, or a connection is about to open
    struct exchange *next_opening;
    int fd;                      // of that connection
    struct route route;          // its upgrade becomes a tunnel if the server agrees
    bool is_tunnel, is_ended[2]; // bytes both ways; which of the sides has ended
    bool tunnel_broken, is_idle; // how a tunnel ends before its time
    size_t left_over[2];         // bytes of each side that are not taken yet
    int64_t moved_ns;            // when bytes have moved last
    // The request.
    struct http_head request; // as it came from the client
    struct http_text head;    // as the server gets it
    size_t head_at;           // how much of that is sent
    struct http_body body;    // of the request
    struct pipe up;
    bool is_safe; // GET, HEAD, OPTIONS, TRACE: may be sent again on another connection
    bool asks_head;
    char line[80]; // for people
    // The cache.
    bool may_store;
    struct entry *stale;   // this request asks whether it is still good
    struct entry *filling; // this answer is being stored
    bool overflowed;       // it was: it is too long. Its first part is sent from `filling`
    // Other clients may wait for the answer: it is a flight (collapse.h).
    bool is_flight;
    struct exchange *next_flight;
    struct client *waiting;
    int64_t sent_s; // seconds since 1970
    // The answer.
    bool answered; // its head has come, one that is not 1xx
    int interim;
    int status;
    struct http_body answer;
    bool reusable; // the server's connection stays open behind it
    struct pipe down;
    bool done;   // all of it is in the pipe, or in the entry
    char text[]; // the two heads, and the key
};

// How requests become exchanges: see requests.c. How exchanges end:

// A new exchange of this client: copies its request's head, the route, and the head that the
// server gets. NULL: there is no memory.
struct exchange *exchange_open(struct client *client, struct http_text request,
                               const struct route *route, struct http_text head);

// The answer that has begun cannot be continued, or there is none: the client gets `status` if
// it has seen nothing yet, or a stale answer where that is allowed; else its connection breaks.
void exchange_fail(struct exchange *x, int status, const char *why);

// The client has gone. The exchange goes on if others wait for it, or if its answer is stored.
void exchange_leave(struct exchange *x);

// Frees it when nobody needs it any more.
void exchange_release(struct exchange *x);

// What a server has sent, and the end of its connection.
size_t exchange_take_answer(struct exchange *x, const char *bytes, size_t length);
void exchange_answer_ends(struct exchange *x, bool cleanly);

#endif
