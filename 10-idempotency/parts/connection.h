// connection.h: one connection of lesson 10's server, and what all of them share.
//
// A request is answered at once, or its connection waits: for the bank, which takes its time,
// and then for the journal, which is synced once for all that wait. Meanwhile it is paused.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "http_server.h"
#include "json.h"
#include "loop.h"
#include "store.h"

#define ANSWER_ROOM 32768 // bytes of output that any answer finds room in

struct connection;

// A request that is here, with its content. The texts are gone when answer() returns.
struct request {
    const struct http_head *head;
    struct http_text path, query; // of the target
    struct http_text rest;        // of the path, behind the route's
    struct http_text content;
};

struct route {
    const char *method, *path; // a path that ends with "/" stands for all below it
    void (*answer)(struct connection *c, const struct request *request);
};

struct settings {
    int idle_ms;    // without a request, or without the rest of one
    int process_ms; // that the bank takes for a charge
    int lookup_ms;  // between check and mark of the notes' pattern
    int capacity;   // requests a second that POST takes; 0: all
    int drop;       // so many first answers to POST are lost
};

struct stats {
    uint64_t requests, posts;       // that came; of them to any of the charges' paths
    uint64_t charged, declined;     // by the bank
    uint64_t replayed;              // answers that were given again
    uint64_t conflicts, mismatches; // 409, 422
    uint64_t skipped;               // by the notes' pattern: "already done"
    uint64_t overloaded, failed;    // 503: too many, or the journal cannot be written
    uint64_t dropped;               // answers that were lost on purpose
};

struct api {
    struct settings settings;
    struct stats stats;
    const struct route *routes; // the last one has no path
    struct store store;
    struct json json;  // room for the request that is being read
    double tokens;     // requests that POST takes now,
    int64_t filled_ns; // and when they were counted
    int64_t outage_until_ns;
    int retry_after; // seconds that clients are told in an outage; 0: nothing
};

struct connection {
    struct conn conn; // the first member: see connection_of() in server.c
    struct http_server http;
    struct api *api;
    char about[64];        // method and target of the present request, for the log
    struct record *charge; // the charge that is being made for this client
    struct record *mark;   // of check_then_mark.c, before it is in the journal
    struct record *record; // in the journal's present group; the client waits for it
    void (*then)(struct connection *c); // called when the wait is over
    void (*made)(struct connection *c); // called when the charge is made, or cannot be kept
    bool durable;                       // the record that the client waited for is on the disk
    bool existed;                       // there was a record of this name before
};

// What the loop calls: see server.c.
void connection_opened(struct connection *c);
size_t connection_received(struct connection *c, const char *bytes, size_t length);
void connection_timeout(struct connection *c);
void connection_woken(struct connection *c);
void connection_stop(struct connection *c);

// Answers with JSON. `fields` end with CRLF. With 204 there is no content.
void connection_answer(struct connection *c, int status, const char *fields,
                       struct http_text json);

// Leaves the request without an answer, and closes: as if the network had lost it.
void connection_drop(struct connection *c);

// Adds a record to the journal's group, and calls `then` when it is known what became of it:
// see `durable`. False: there is no room for it, and nothing is awaited.
bool connection_keep(struct connection *c, struct record *record,
                     void (*then)(struct connection *c));
void connection_settled(void *waiter, struct record *record); // called by the store

// Waits: `then` is called so many milliseconds from now.
void connection_wait(struct connection *c, int64_t ms, void (*then)(struct connection *c));

#endif
