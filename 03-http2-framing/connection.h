// connection.h: one connection of the server: how it begins and how it ends, and what the
// client says about it. server.c reads its frames; connection.c acts on those that are about
// the connection, request.c and response.c on those of a request.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "abuse_budget.h"
#include "hpack.h"
#include "http1.h"
#include "loop.h"
#include "stream.h"

#define NS_PER_MS INT64_C(1000000)

// The options of the server, and what it counts.
struct service {
    int streams_max; // requests of a connection at once: SETTINGS_MAX_CONCURRENT_STREAMS
    int table_bytes; // of a client's HPACK encoder: SETTINGS_HEADER_TABLE_SIZE
    int idle_ms;     // a connection without a request is closed after this time
    int stall_ms;    // requests may wait so long for their client: see struct pace
    long requests;   // requests that were answered
};

// Their order counts: from CONNECTION_SETTINGS on the preface of HTTP/2 has come.
enum connection_state {
    CONNECTION_NEW,      // the first bytes will say which protocol the client speaks
    CONNECTION_HTTP_1,   // it speaks HTTP/1.1: see http1.h
    CONNECTION_PREFACE,  // it speaks HTTP/2: the 24 bytes of the preface are to come
    CONNECTION_SETTINGS, // its first SETTINGS frame is to come
    CONNECTION_OPEN,
    CONNECTION_STOPPING, // the server stops: requests that are on their way are still taken
    CONNECTION_LEAVING,  // new requests are ignored, and open ones may finish
};

struct connection {
    struct conn conn; // the loop's part: it has to be the first, for connection_of()
    struct service *service;
    enum connection_state state;
    union {
        struct http1 http1; // in state CONNECTION_HTTP_1
        struct {            // in the states of HTTP/2
            struct streams streams;
            struct hpack_decoder decoder; // of the header blocks of requests
            struct hpack_encoder encoder; // of the header blocks of responses
            bool settings_acked;          // the client has acknowledged the server's SETTINGS
            uint32_t last_taken;        // the last stream that the server has taken: for GOAWAY
            struct abuse_budget budget; // for frames that cost the server more than the client
            struct pace pace;           // how fast the client moves its requests and answers
            bool paced;                 // a request waits for its client: the pace counts
            int64_t idle_ns;            // when the last request ended
            int64_t leave_ns;           // when state CONNECTION_STOPPING ends
            uint32_t timed;             // answers that wait for their time (/slow, ...)
            size_t body_bytes;          // memory of the bodies that are kept for an echo
            bool withheld;     // some streams get no window now: see request_share_windows()
            uint32_t favoured; // the stream that gets window meanwhile
            struct pace favoured_pace;
        };
    };
};

// The connection that the loop's `conn` belongs to: `conn` is its first member, so both have
// the same address.
static inline struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// Where output is written. Call connection_wrote() then, with the end of what was written.
static inline uint8_t *connection_space(const struct connection *c)
{
    return (uint8_t *)conn_space(&c->conn);
}

static inline void connection_wrote(struct connection *c, const uint8_t *end)
{
    conn_wrote(&c->conn, (size_t)(end - connection_space(c)));
}

// The client speaks HTTP/2: sends the server's SETTINGS.
void connection_begin(struct connection *c);

// Frees what belongs to the connection.
void connection_free(struct connection *c);

// A SETTINGS frame of the client; or, with FLAG_ACK, its answer to the server's own SETTINGS.
// This function and the next two return what is wrong with the frame.
struct fault connection_settings(struct connection *c, const struct frame *frame);

// WINDOW_UPDATE: the client takes more bytes, of one stream, or (frame->stream is 0) of all
// together. `stream` is the frame's; NULL: it is not open.
struct fault connection_widen(struct connection *c, struct stream *stream,
                              const struct frame *frame);

// PING: the server sends it back, with FLAG_ACK; or the client has answered the server's own.
struct fault connection_ping(struct connection *c, const struct frame *frame);

// A connection error (RFC 9113 §5.4.1), or with NO_ERROR a normal end: sends GOAWAY and closes
// the connection.
void connection_fail(struct connection *c, struct fault fault);

// A stream error (§5.4.2): sends RST_STREAM. On a stream that was never opened it is a
// connection error.
void connection_reset(struct connection *c, uint32_t id, struct fault fault);

// The server stops: tells the client. Its requests may still be answered.
void connection_stop(struct connection *c);

// Call it after frames were taken or sent: goes on with a stop that has begun, and sets the
// next deadline.
void connection_update(struct connection *c);

// A deadline has passed. If it is that of the connection, or of a body that comes too slowly,
// ends it.
void connection_expire(struct connection *c);

#endif
