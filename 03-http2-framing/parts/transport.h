// transport.h: one HTTP/2 connection as a protocol above it sees it (RFC 9113): streams on
// which header fields and data go both ways, at either end. The lesson's own server needs less:
// it sends an answer to a request. A variation needs this: messages that come and go at any
// time, and header fields behind them (trailers).
//
// It takes bytes and gives bytes; it knows no socket. Before each call the caller calls
// transport_lend(); `out_length` says then how much of the room was written.
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "abuse_budget.h"
#include "hpack.h"
#include "message.h"
#include "stream.h"

#define TRANSPORT_ROOM 512 // with less room for output no frame is taken

struct transport;

// What send() of the user has done, or why it could not.
enum transport_turn {
    TURN_OVER,    // sent something, and has more: it is the next stream's turn
    TURN_WAITS,   // has nothing that it may send: transport_wants_to_send() comes again
    TURN_NO_ROOM, // needs more room for output
};

// The protocol above. `stream->answer.owner` is its own pointer: NULL on a new stream.
struct transport_user {
    // A header block has come: of a new stream, or of one that is open. `list` is valid during
    // the call. A fault that is returned resets the stream.
    struct fault (*headers)(struct transport *, struct stream *, const struct hpack_list *list,
                            bool ends);
    // DATA has come. The user says with transport_used() when it needs the bytes no more.
    struct fault (*data)(struct transport *, struct stream *, const uint8_t *bytes,
                         uint32_t length, bool ends);
    // The stream is broken: by RST_STREAM of either side, by GOAWAY, or with the connection. It
    // is closed when the call returns.
    void (*broken)(struct transport *, struct stream *, enum error_code code);
    // It is the stream's turn to send: see transport_put_headers() and transport_put_data().
    // The user may close the stream.
    enum transport_turn (*send)(struct transport *, struct stream *);
};

enum transport_state {
    TRANSPORT_PREFACE,  // server: the 24 bytes of the preface are to come
    TRANSPORT_SETTINGS, // the peer's first SETTINGS frame is to come
    TRANSPORT_OPEN,
    TRANSPORT_STOPPING, // this server stops: requests that are on their way are still taken
    TRANSPORT_LEAVING,  // new requests are ignored, and open ones may finish
};

struct transport {
    const struct transport_user *user;
    bool is_client;
    uint32_t streams_max; // that this server allows; or that the server allows this client
    int64_t now_ns;
    uint8_t *out; // transport_lend()
    size_t out_room, out_length;
    enum transport_state state;
    struct streams streams;
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;
    struct abuse_budget budget; // a server's: for frames that cost it more than the client
    uint32_t last_taken;        // the last stream of the peer: for GOAWAY
    int64_t leave_ns;           // when TRANSPORT_STOPPING ends
    int64_t quiet_ns;           // since when no stream has been open
    bool went_away;             // the peer has sent GOAWAY: no new stream
    bool closing;               // the connection is to be closed when the output is sent
    bool gone;                  // transport_end(): the streams are broken with the connection
    struct fault fault;         // why; scope 0: nothing was wrong
    uint32_t pings_acked;
};

// What the caller does before each call: tells the time, and lends room for output.
static inline void transport_lend(struct transport *transport, int64_t now_ns, void *out,
                                  size_t room)
{
    transport->now_ns = now_ns;
    transport->out = out;
    transport->out_room = room;
    transport->out_length = 0;
}

// Begins: a client sends its preface, and both send SETTINGS. `streams_max` is a server's
// limit.
void transport_begin(struct transport *transport, const struct transport_user *user,
                     bool is_client, uint32_t streams_max);

// The connection is gone: breaks all streams, and frees what belongs to the connection.
void transport_end(struct transport *transport);

// Takes all frames that are whole, while there is room for output. Returns the bytes it used.
size_t transport_take(struct transport *transport, const uint8_t *bytes, size_t length);

// Lets the streams that want to send take turns, as far as windows and room allow. True: it has
// written something.
bool transport_send(struct transport *transport);

// Opens a stream of this client; NULL: the server allows no further one now, or goes away.
struct stream *transport_open(struct transport *transport);

// Closes a stream on which all is said. Where the peer is not at its end, it gets RST_STREAM
// with `code`. transport_reset() sends RST_STREAM in any case.
void transport_close(struct transport *transport, struct stream *stream, enum error_code code);
void transport_reset(struct transport *transport, struct stream *stream, enum error_code code);

// The user does not need `length` bytes of the stream's DATA any more: the peer may send more.
void transport_used(struct transport *transport, struct stream *stream, uint32_t length);

// The stream has something to send.
void transport_wants_to_send(struct transport *transport, struct stream *stream);

// For send(). put_headers() writes a header block; false: there is no room for it now.
// may_send() is how many bytes of DATA find room in the windows and in the output.
bool transport_put_headers(struct transport *transport, struct stream *stream,
                           const struct hpack_field *fields, size_t count, bool ends);
uint32_t transport_may_send(const struct transport *transport, const struct stream *stream);
void transport_put_data(struct transport *transport, struct stream *stream,
                        const uint8_t *bytes, uint32_t length, bool ends);

// For headers(): reads the fields of an answer, or of trailers. NULL, or what is wrong with
// them: they are malformed (message.h), too long, or end the stream where they must not.
const char *transport_read_answer(const struct hpack_list *list, bool ends,
                                  struct response_head *head);
const char *transport_read_trailers(const struct hpack_list *list, bool ends);

// A connection error (§5.4.1): GOAWAY, and `closing`.
void transport_fail(struct transport *transport, struct fault fault);

// The server stops: GOAWAY in two steps (§6.8). Call transport_stop_on() after each round; it
// sends the second GOAWAY when it is time, and sets `closing` when no stream is open.
void transport_stop(struct transport *transport);
void transport_stop_on(struct transport *transport);

// ---- for transport.c and transport_receive.c -----------------------------------------------

static inline uint8_t *transport_space(const struct transport *transport)
{
    return transport->out + transport->out_length;
}

static inline void transport_wrote(struct transport *transport, const uint8_t *end)
{
    transport->out_length = (size_t)(end - transport->out);
}

static inline size_t transport_room(const struct transport *transport)
{
    return transport->out_room - transport->out_length;
}

// Tells the user that the stream is broken, and closes the stream.
void transport_break(struct transport *transport, struct stream *stream, enum error_code code,
                     enum stream_end end);

#endif
