// session.h: one HTTP/2 connection, seen from the server (RFC 9113). What belongs to the
// connection is in session.c: preface, settings, pings, windows, errors, limits, deadlines.
// What belongs to a request and its answer is in exchange.c.
#ifndef SESSION_H
#define SESSION_H

#include "hpack.h"
#include "loop.h"
#include "stream.h"

// What the teacher may change, and what is counted: one for the whole server.
struct service {
    int streams_max; // at once in a connection: SETTINGS_MAX_CONCURRENT_STREAMS
    int table_bytes; // of a client's encoder: SETTINGS_HEADER_TABLE_SIZE
    int idle_ms;     // without a request: the connection is closed
    int stall_ms;    // without a byte, though requests are open and wait for the client
    long requests;   // that were answered
    int64_t held;    // bytes of bodies that are kept, of all connections
};

enum session_state {
    SESSION_PREFACE,  // the client's 24 bytes are to come
    SESSION_SETTINGS, // then its SETTINGS
    SESSION_OPEN,
    SESSION_LEAVING, // we have said GOAWAY: what is open may finish
};

struct session {
    struct conn *conn;
    struct service *service;
    struct streams streams;
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;
    enum session_state state;
    bool settings_acked; // ours, by the client
    uint32_t last_taken; // the highest stream that we have looked at: what GOAWAY says
    int32_t patience;    // with frames that cost us more than the client: see session.c
    int64_t patience_ns; // when that was last reckoned
    int64_t heard_ns;    // when the last frame came
    int64_t progress_ns; // when content last moved in either direction
    uint32_t timed;      // streams that wait for their time
    uint32_t held;       // bytes of bodies that are kept for an echo
};

// The connection speaks HTTP/2: sends our SETTINGS.
void session_begin(struct session *session, struct conn *conn, struct service *service);

// What the loop calls (see loop.h).
size_t session_received(struct session *session, const uint8_t *bytes, size_t length);
bool session_produce(struct session *session);
void session_timeout(struct session *session);
void session_stop(struct session *session);
void session_closed(struct session *session);

#endif
