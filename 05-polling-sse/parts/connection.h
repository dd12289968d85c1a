// connection.h: one connection of lesson 05's server, the data that all connections share, and
// the functions that write an HTTP answer.
//
// A connection is in one mode at a time: it reads requests (exchange.h), holds one back until
// there is news (polling.h) or a job is done (jobs.h), streams events (sse.h) or an answer
// (assistant.h), or is a WebSocket (websocket_chat.h). A mode is four functions: each call of
// the loop calls one of them.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "buffer.h"
#include "feed.h"
#include "http_server.h"
#include "loop.h"
#include "websocket.h"

#define ANSWER_ROOM 8192 // bytes of output that are enough for any head and any short answer

#define REQUEST_BYTES 48 // bytes of a request's method and target that the log shows

enum technique { OTHER, POLL, WAIT, SSE, WEBSOCKET, TECHNIQUES };

struct connection;

struct mode { // NULL: nothing to do. produce() is called after timeout(), as in loop.h.
    size_t (*received)(struct connection *c, const char *bytes, size_t length);
    bool (*produce)(struct connection *c);
    void (*timeout)(struct connection *c);
    void (*stop)(struct connection *c);
};

struct route {
    const char *method, *path; // a path that ends with "/" matches all paths below it
    enum technique technique;
    void (*answer)(struct connection *c, const struct http_request *request);
};

// The cost of one technique.
struct traffic {
    int clients; // connections whose last request was of this technique
    uint64_t requests, events, bytes_in, bytes_out;
};

struct settings {
    int heartbeat_ms;    // after so long without news, a stream or a WebSocket is sent a sign
    int retry_ms;        // EventSource waits so long before it connects again
    int queue;           // events that may wait for a subscriber that does not read
    int token_ms;        // time between two words of an answer
    double rate;         // bursts of events a second that the server makes itself; 0: none
    int burst;           // events in one burst
    const char *origins; // see handshake_origin_is_allowed()
};

struct service {
    struct settings settings;
    const struct route *routes;     // the last one has no path
    struct feed news;               // the published events
    struct feed room;               // the messages of the chat
    struct connection *subscribers; // the connections that wait for news
    struct ring *ring;              // of --fan-out uring (fan_out.h); else NULL
    bool has_news;                  // with a ring: the subscribers are to be told in this round
    struct jobs *jobs;
    struct page *page;
    struct traffic traffic[TECHNIQUES];
    int64_t round_ns;      // the time of the loop's round in which an event was published last
    uint32_t round_events; // how many events were published in that round
    uint64_t dropped_slow; // subscribers that were closed because they were too far behind
    uint64_t dropped_stalled; // subscribers that were closed because they took too few bytes
    uint64_t dropped_silent;  // subscribers that were closed because they sent no pong
    uint32_t cuts;            // how many POST /cut have come
    uint32_t users;           // WebSockets of the chat that are open
    uint32_t last_user;       // the number of the last user that came
    int64_t tick_ns;          // when the server makes its next burst of events
    uint64_t ticks;           // how many bursts it has made
};

// Content that is being sent. Its bytes stay where they are until all are sent.
struct content {
    const char *at;
    size_t left;
    struct event *event; // the bytes belong to this event, which is then released; or NULL
};

struct connection {
    struct conn conn;
    struct service *service;
    const struct mode *mode;
    struct content content;
    struct http_server http;   // the request that is coming
    const struct route *route; // the route of that request
    bool has_place;            // its content waits in a place of content_limit.h
    bool evicted;              // it has lost this place: timeout() refuses the request
    struct buffer kept;        // an answer that is sent from here
    int64_t published_ns;      // the time of the round in which this client published last
    uint8_t technique;
    // Of a subscriber of the feed:
    bool subscribed; // it is in the list of subscribers
    struct connection *next, *previous;
    uint64_t seen;   // the id of the last event that it was sent
    uint64_t joined; // the id of the newest event when it joined
    int64_t due_ns;  // the time of the next heartbeat, or of a held poll's 204
    uint32_t cuts;   // service->cuts when it joined
    union {          // an HTTP connection needs no WebSocket's members
        struct {
            struct websocket frames;
            uint64_t heard;  // the id of the last event of the chat that it was sent
            uint32_t number; // the user's number
            bool echo;       // this is /ws/echo: no feed, no chat
            bool pinged;     // a ping was sent, and nothing has come since
        } ws;
        struct {
            char
                request[REQUEST_BYTES]; // "GET /poll?since=7": the present request, for the log
            uint64_t job;               // the job for which this client waits
            struct {
                uint32_t at; // how many bytes of `kept` are sent
                bool chunked;
                bool as_events; // each word is an event
            } tokens;
        };
    };
};

// The room that is left for output, and the way to say how much of it was used.
struct http_out connection_out(struct connection *c);
void connection_wrote(struct connection *c, size_t length);

// In place of a length. CHUNKED: the content is sent in chunks; an HTTP/1.0 client does not
// know chunks, so for it the content ends with the connection. TO_CLOSE: it does so for all
// clients.
enum { CHUNKED = -1, TO_CLOSE = -2 };

// NO_STORE: no cache may store the answer. NO_DELAY: nginx, as a proxy, is also asked to pass
// on each part of the answer at once; otherwise it collects them.
#define NO_STORE "Cache-Control: no-store\r\n"
#define NO_DELAY NO_STORE "X-Accel-Buffering: no\r\n"

// Writes the head of an answer, and a line of the log that says what is answered. `type` NULL:
// there is no content. `fields` end with CRLF.
void connection_head(struct connection *c, int status, const char *type, int64_t length,
                     const char *fields);

// Answers a request with a text, and goes on to the next request. If the text and the head may
// be longer than ANSWER_ROOM, the caller must keep the text until it is sent.
void connection_answer(struct connection *c, int status, const char *type,
                       struct http_text text, const char *fields);

// Answers with a status, and half a sentence that says why.
void connection_refuse(struct connection *c, int status, const char *why, const char *fields);

// Begins to send content that may be longer than the room. connection_send() writes as much of
// it as there is room for, and returns true if it wrote anything.
void connection_send_from(struct connection *c, struct http_text text, struct event *event);
bool connection_send(struct connection *c);

// Call it when an answer was written as far as there was room. The mode of exchange.h sends the
// rest, and then ends the exchange.
void connection_finish(struct connection *c);

// Ends an exchange: frees its memory, and waits for the next request or closes the connection.
void connection_end_exchange(struct connection *c);

// Counts this connection as a client of this technique from now on.
void connection_use(struct connection *c, enum technique technique);

// Asks for timeout() at this moment of now_ns()'s clock.
void connection_wake_at(struct connection *c, int64_t at_ns);

// Call it when the connection is closed: frees what belongs to it.
void connection_closed(struct connection *c);

// Reads the number called `name` in a query. Without it *value stays as it is. False: it is no
// number up to `max`.
bool query_number(struct http_text query, const char *name, uint64_t max, uint64_t *value);
#endif
