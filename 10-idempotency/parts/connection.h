// connection.h: one connection of lesson 10's server, and what all connections share.
//
// A request is answered at once, or its connection waits: first for the bank, which takes its
// time, and then for the journal, which is synced once for all connections that wait. A
// connection that waits is paused: nothing more is read from it.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "http_server.h"
#include "json.h"
#include "loop.h"
#include "store.h"

#define ANSWER_ROOM 32768 // bytes of output that any answer finds room in

struct connection;

// A whole request. Its texts are gone when answer() returns.
struct request {
    const struct http_head *head;
    struct http_text path, query; // the two parts of the target
    struct http_text rest;        // the part of the path behind the route's path
    struct http_text content;
};

struct route {
    const char *method, *path; // a path that ends with "/" stands for all paths below it
    void (*answer)(struct connection *c, const struct request *request);
};

struct settings {
    int idle_ms;    // a connection may be silent, or in the middle of a request, for so long
    int process_ms; // the bank takes so long for a charge
    int lookup_ms;  // the time between check and mark in the notes' pattern
    int capacity;   // POST is answered so many times a second; 0: without a limit
    int drop;       // the next answers to charges that are lost on purpose
};

struct stats {
    uint64_t requests;              // all requests
    uint64_t posts;                 // requests that ask for a charge
    uint64_t charged, declined;     // the bank's decisions
    uint64_t replayed;              // answers that were given again
    uint64_t conflicts, mismatches; // answers 409 and 422
    uint64_t skipped;               // the notes' pattern has answered "already done"
    uint64_t overloaded;            // answers 503: there were too many requests
    uint64_t failed;                // answers 503 and 507: a charge could not be kept
    uint64_t dropped;               // answers that were lost on purpose
};

struct api {
    struct settings settings;
    struct stats stats;
    const struct route *routes; // the last one has no path
    struct store store;
    struct json json;  // the content of the request that is being read
    double tokens;     // POST takes so many requests now
    int64_t filled_ns; // the time at which the tokens were counted
    int64_t outage_until_ns;
    int retry_after; // in an outage clients are told to wait so many seconds, if not 0
};

struct connection {
    struct conn conn; // the first member: see connection_of()
    struct http_server http;
    struct api *api;
    char about[64];        // method and target of the present request, for the log
    struct record *charge; // the charge that is being made for this client
    struct record *mark;   // check_then_mark.c's, before it is in the journal
    // The record in the journal's present group that the client waits for.
    struct record *record;
    // A charge takes two waits, one for the bank and one for the journal. `then` is called when
    // the present wait is over; `when_made` is what follows the second.
    void (*then)(struct connection *c);
    void (*when_made)(struct connection *c);
    bool durable; // the record that the client waited for is on the disk
    bool existed; // there was a record of this name before
};

// The connection that a struct conn of the loop is the first member of.
struct connection *connection_of(struct conn *conn);

// A client has connected: starts the deadline for its first request.
void connection_opened(struct connection *c, struct api *api);

// What the loop calls: see server.c.
size_t connection_received(struct conn *conn, const char *bytes, size_t length);
void connection_timeout(struct conn *conn);
void connection_woken(struct conn *conn);
void connection_stop(struct conn *conn);

// Answers with JSON. `fields` end with CRLF. With 204 there is no content.
void connection_answer(struct connection *c, int status, const char *fields,
                       struct http_text json);

// Leaves the request without an answer, and closes: as if the network had lost it.
void connection_drop(struct connection *c);

// Adds a record to the journal's present group. `then` is called when the group is on the disk,
// or could not be written: see `durable`. False: there is no room for the record, and `then` is
// not called.
bool connection_write_record(struct connection *c, struct record *record,
                             void (*then)(struct connection *c));
void connection_settled(void *waiter, struct record *record); // called by the store

// Waits: `then` is called so many milliseconds from now.
void connection_wait(struct connection *c, int64_t ms, void (*then)(struct connection *c));

#endif
