// h3_connection.h: a connection of HTTP/3 (RFC 9114 §3, §6): QUIC's streams, and what they are
// for. Server and client share it; what they do differently they pass in as a `struct role`.
//
//     unidirectional, one each way:  control (SETTINGS, GOAWAY), QPACK encoder, QPACK decoder
//     bidirectional, of the client:  one for each request and its answer
#ifndef H3_CONNECTION_H
#define H3_CONNECTION_H

#include "http3.h"
#include "qpack.h"
#include "quic.h"

#define STREAMS_OPEN_MAX 128 // unidirectional streams of the peer that are open at once
#define BROKEN_OFF_MAX   200 // requests that a client may break off, more than are answered

struct h3_connection;

struct stream {
    struct stream *next;
    struct h3_connection *connection;
    SSL *ssl;
    uint64_t id;
    enum {
        KIND_UNKNOWN,
        KIND_CONTROL,
        KIND_ENCODER,
        KIND_DECODER,
        KIND_IGNORED,
        KIND_REQUEST
    } kind;
    struct frame_reader reader;
    int64_t expected; // bytes of the message's content, as its field says; -1: no such field
    int64_t received; // that have come
    uint8_t type[NUMBER_BYTES]; // the stream's type, as far as it has come
    size_t type_length;
    uint64_t instruction; // QPACK's: see qpack_instructions()
    bool read_ended;      // nothing more will come
    bool write_ended;     // nothing more will be sent
    bool done;            // it is to be freed
};

// What server and client do. Each call is about one request stream.
struct role {
    bool server;
    size_t request_bytes; // of the struct that begins with a struct stream
    int requests_max;     // at once; further ones wait
    // The fields of a message: NULL, or what is wrong with them (H3_MESSAGE_ERROR). They may be
    // followed by content if the call moves the reader's stage.
    const char *(*head)(struct stream *, const struct qpack_list *);
    // Fields that are longer than SECTION_MAX. A fault ends the stream, or the connection.
    struct fault (*too_long)(struct stream *);
    void (*content)(struct stream *, const uint8_t *bytes, size_t length); // a part of it
    void (*ended)(struct stream *);   // the peer's side has ended
    bool (*produce)(struct stream *); // true: something was written. NULL: there is nothing
    void (*reset)(struct stream *, uint64_t code);        // the peer has broken it off
    void (*refused)(struct stream *, struct fault fault); // this side has
    void (*freed)(struct stream *);
};

struct h3_connection {
    const struct role *role;
    SSL *ssl;
    enum { STATE_HANDSHAKE, STATE_OPEN, STATE_CLOSING, STATE_CLOSED } state;
    struct stream *streams;
    SSL *control;        // ours
    size_t control_sent; // bytes of control_bytes that QUIC has taken
    size_t control_length;
    uint8_t control_bytes[CONTROL_BYTES];
    bool has[STREAM_DECODER + 1]; // the peer's streams of these types are there
    int requests, others;         // streams that are open
    int broken_off;               // requests, less those that were answered
    uint64_t next_id;             // of the next request stream that was not seen yet
    uint64_t goaway;              // requests from here on are not answered; NUMBER_MAX: all are
    uint64_t push_max;            // the last MAX_PUSH_ID; 0: there was none
    struct fault closing;         // the reason
    int64_t close_ns; // closing: from this time on it does not wait for the peer any more
    char why[QUIC_WHY_BYTES]; // when it is closed
    // Called with every frame that comes or goes (scenes); NULL: nothing to do.
    void (*seen)(const struct stream *s, bool to_peer, const struct frame *frame);
};

// `ssl` belongs to the connection from now on.
void h3_connection_begin(struct h3_connection *c, const struct role *role, SSL *ssl);

// Does all that can be done without waiting. Returns true if anything was done: then
// SSL_handle_events() has something to send. When c->state is STATE_CLOSED, free it.
bool h3_connection_serve(struct h3_connection *c);

void h3_connection_free(struct h3_connection *c);

// Closes the connection with an error, or, with H3_NO_ERROR, because all is done.
void h3_connection_close(struct h3_connection *c, struct fault fault);

// Tells the peer that this side stops: requests from next_id on are not answered (§5.2).
void h3_connection_goaway(struct h3_connection *c);

// A new request stream (client). NULL: the peer allows none at this time.
struct stream *h3_connection_request(struct h3_connection *c);

// Tells c->seen() of a frame that this side writes.
void h3_connection_tell(struct h3_connection *c, const struct stream *s, uint64_t type,
                        const void *bytes, size_t length);

// ---- streams (h3_stream.c) -----------------------------------------------------------------

// Adds a stream of QUIC to the connection, at the end of its list. NULL: no memory; then it is
// freed.
struct stream *stream_add(struct h3_connection *c, SSL *ssl, bool request);

// Frees a stream that is not in the list any more.
void stream_free(struct h3_connection *c, struct stream *s);

// Writes to a stream as much as QUIC takes. Returns how much; 0: wait.
size_t stream_write(struct stream *s, const void *bytes, size_t length);

// True if the peer has acknowledged all that was written to this stream of QUIC.
bool stream_is_acknowledged(SSL *ssl);

// Nothing more will be written.
void stream_end(struct stream *s);

// Breaks the stream off, in both directions, with a code of HTTP/3.
void stream_reset(struct stream *s, uint64_t code);

// Writes HEADERS, and, if there is content, the beginning of one DATA frame for all of it,
// whose payload is written next. A stream begins with room for that. False: the fields are too
// long, or the stream is broken.
bool stream_write_message(struct stream *s, const struct qpack_entry *fields, size_t count,
                          uint64_t content_length);
#define MESSAGE_FIELDS_MAX 8

// Takes a frame of the peer's message: its fields, or a part of its content (§4.1); the end of
// the message.
struct fault stream_take_message(struct stream *s, const struct frame *frame);
struct fault stream_end_message(struct stream *s);

#endif
