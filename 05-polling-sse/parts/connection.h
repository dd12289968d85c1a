// connection.h: one connection of lesson 05's server, what all of them share, and how an HTTP
// answer is written.
//
// A connection is in one mode at a time: it reads requests (exchange.h), holds one back until
// there is news (polling.h) or a job is done (jobs.h), streams events (sse.h) or an answer
// (tokens.h), or is a WebSocket (websocket_chat.h). A mode is four functions, which the loop's
// calls become.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "buffer.h"
#include "feed.h"
#include "http_server.h"
#include "loop.h"
#include "websocket.h"

#define ANSWER_ROOM 8192 // bytes of output that any head and any short answer find room in

enum technique { OTHER, POLL, WAIT, SSE, WEBSOCKET, TECHNIQUES };

struct connection;

struct mode { // NULL: nothing to do. After timeout() comes produce(), as in loop.h.
    size_t (*received)(struct connection *c, const char *bytes, size_t length);
    bool (*produce)(struct connection *c);
    void (*timeout)(struct connection *c);
    void (*stop)(struct connection *c);
};

struct route {
    const char *method, *path; // a path that ends with "/" stands for all below it
    enum technique technique;
    void (*answer)(struct connection *c, const struct http_request *request);
};

// What one technique has cost, and how many use it now.
struct traffic {
    int clients; // connections whose last request was of this technique
    uint64_t requests, events, bytes_in, bytes_out;
};

struct settings {
    int heartbeat_ms; // an SSE or WebSocket subscriber hears from us at least that often
    int retry_ms;     // EventSource waits so long before it comes back
    int queue;        // events that may wait for a subscriber that does not take them
    int token_ms;     // between the words of an answer
    double rate;      // bursts a second that the feed makes itself; 0: none
    int burst;        // events in one
    const char *origins;
};

struct service {
    struct settings settings;
    const struct route *routes;     // the last one has no path
    struct feed news, room;         // what is published; what is said in the chat
    struct connection *subscribers; // those that wait for either
    struct jobs *jobs;
    struct page *page;
    struct traffic traffic[TECHNIQUES];
    int64_t round_ns;      // the time of the loop's round in which an event was published last
    uint32_t round_events; // that were published in that round
    uint64_t dropped_slow, dropped_stalled, dropped_silent; // subscribers, and why
    uint32_t cuts;      // how often all subscribers were cut off
    uint32_t users;     // WebSockets of the chat that are open
    uint32_t last_user; // number of the last one that came
    int64_t tick_ns;    // when the feed makes its next event
    uint64_t ticks;     // that it has made
};

// Content that is on its way: bytes that stay where they are until they are sent.
struct content {
    const char *at;
    size_t left;
    struct event *event; // that they are part of, to be released; or NULL
};

struct connection {
    struct conn conn;
    struct service *service;
    const struct mode *mode;
    struct content content;
    struct http_server http; // what it is asked
    const struct route *route;
    struct buffer kept; // an answer, as long as it is sent from here
    // A subscriber of the feed:
    struct connection *next, *previous;
    int64_t published_ns; // the time of the round in which it published last
    uint64_t seen;        // id of the last event that it was sent
    uint64_t joined;      // id of the newest event when it came
    int64_t due_ns;       // of the next heartbeat, or of the end of its patience
    uint32_t cuts;        // service->cuts when it came
    uint8_t technique;
    bool subscribed; // it is in the list
    union {
        struct {
            struct websocket frames;
            uint64_t heard;  // id of the last event of the chat that it was sent
            uint32_t number; // of the user
            bool echo;       // /ws/echo: no feed, no chat
            bool pinged;     // and nothing has come since
        } ws;
        struct {
            uint64_t id;
        } job;
        struct {
            uint32_t at; // of `kept`: how much of the answer is sent
            bool chunked;
            bool as_events; // each word is an event
        } tokens;
    };
};

// The room that is left for output, and the way to say how much of it was used.
struct http_out connection_out(struct connection *c);
void connection_wrote(struct connection *c, size_t length);

// Instead of a length: content that comes in chunks (from us to HTTP/1.0, until the connection
// closes), or that ends with the connection for everybody.
enum { CHUNKED = -1, TO_CLOSE = -2 };

// What keeps an answer from being stored on its way; and from being gathered there until it is
// long enough, which is what nginx does.
#define NO_STORE "Cache-Control: no-store\r\n"
#define NO_DELAY NO_STORE "X-Accel-Buffering: no\r\n"

// Writes the head of an answer. `type` NULL: there is no content. `fields` end with CRLF.
void connection_head(struct connection *c, int status, const char *type, int64_t length,
                     const char *fields);

// Answers a request with a text, and goes on to the next one. A text that may not fit into
// ANSWER_ROOM, with the head, must stay where it is: it is sent from there.
void connection_answer(struct connection *c, int status, const char *type,
                       struct http_text text, const char *fields);

// Answers with a status, and half a sentence that says why.
void connection_refuse(struct connection *c, int status, const char *why, const char *fields);

// Begins to send content that may be longer than the room; connection_send() goes on with it as
// there is room, and returns true if there was any.
void connection_send_from(struct connection *c, struct http_text text, struct event *event);
bool connection_send(struct connection *c);

// An answer was written, as far as there was room: the mode of exchange.h sends the rest of it,
// if there is any, and then the exchange is over.
void connection_finish(struct connection *c);

// The exchange is over: frees what belongs to it, and waits for the next request, or closes.
void connection_end_exchange(struct connection *c);

// Says which technique a connection uses from now on.
void connection_use(struct connection *c, enum technique technique);

// Asks for timeout() at this moment of now_ns()'s clock.
void connection_wake_at(struct connection *c, int64_t at_ns);

// The connection is gone: frees what belongs to it.
void connection_closed(struct connection *c);

// The number called `name` in a query, or *value as it is. False: it is no number up to `max`.
bool query_number(struct http_text query, const char *name, uint64_t max, uint64_t *value);
#endif
