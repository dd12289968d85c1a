// call.h: calls on one connection, at either end. A call is a stream of ../stream.h; messages
// go both ways on it, as many as the method has, and a status ends it.
//
// What a method does is a struct handler. Its functions are called when something has come, or
// when the call may go on; none of them waits. A server's handler answers by call_send() and
// ends the call by call_finish(); a client's sends by call_send() and call_half_close().
#ifndef CALL_H
#define CALL_H

#include "bytes.h"
#include "rpc.h"
#include "timers.h"
#include "transport.h"

#define CALL_OUT_HIGH     65536  // with more output than this, a call takes no further message
#define CALL_OUT_LOW      16384  // with less, it goes on
#define CALL_MESSAGE_MS   120000 // until a message that has begun is whole
#define CALL_STALL_MS     30000  // while memory is scarce, a peer has to take so much output
#define CALL_STALL_BYTES  30000  // in so much time
#define CALL_METADATA_MAX 8192   // bytes of metadata that a call sends

struct call;

// Each function may be NULL.
struct handler {
    const char *path; // "/toDo.ToDo/createToDo"
    bool streams_in;  // more than one message may come
    bool unlogged;    // the server says nothing about such a call
    // The other side's header fields have come: of the call; at a client, of the answer.
    void (*begin)(struct call *, const struct hpack_list *fields);
    void (*message)(struct call *, const uint8_t *bytes, size_t length);
    void (*half_closed)(struct call *); // server: the client has sent all its messages
    // The call may go on: there is room for output again, the time of call_wake_at() has come,
    // or call_wake() was called.
    void (*go_on)(struct call *);
    void (*trailers)(struct call *, const struct hpack_list *fields); // client
    // The call is over: `status` says how. A server's work for it has to end now. Nothing is
    // called any more, and the call is freed soon.
    void (*ended)(struct call *);
};

struct call {
    struct calls *calls;
    struct stream *stream;
    const struct handler *handler;
    void *state;        // of the handler
    long number;        // of the handler
    int64_t timeout_ms; // a client's; 0: none
    int http_status;
    int status; // how it has ended: valid in ended()
    char text[RPC_TEXT_BYTES];
    int64_t deadline_ns; // NEVER: none
    int64_t wake_ns, message_ns;
    int64_t stall_ns; // end of the period in which the peer has to take some output
    uint32_t taken;   // bytes that it has taken in this period
    uint32_t messages_in, messages_out;
    struct bytes in, out;
    struct bytes initial, trailing; // metadata to be sent: see call_add_metadata()
    uint32_t owed;                  // bytes of DATA that the peer has no window for again yet
    bool hold;       // set by a handler: takes no message for now; see call_release()
    bool cut_short;  // the output that is left may end in the middle of a message
    bool encoded;    // grpc-encoding is not "identity"
    bool answer_now; // the header fields of the answer go out before its first message
    bool headers_sent, input_ended, half_closed, half_closed_told, finished, waits_for_room;
    bool woken, released;
};

// The calls of one connection.
struct calls {
    struct transport transport;            // the first, for calls_of()
    const struct handler *const *services; // a server's: lists that end with a path of NULL
    void (*wake)(struct calls *); // a server's: makes it call calls_due() and transport_send()
    const char *authority;        // a client's
    long *counter;                // of calls that have ended; NULL: none
    int64_t due_ns;               // when calls_due() is to be called: never later than needed
};

static inline struct calls *calls_of(struct transport *transport)
{
    return (struct calls *)transport;
}

void calls_begin(struct calls *calls, bool is_client, uint32_t streams_max);

// Ends calls whose deadline has passed, and lets those go on that wait for this moment.
void calls_due(struct calls *calls);

// All calls go on in the next calls_due().
void calls_wake_all(struct calls *calls);

// ---- for handlers --------------------------------------------------------------------------

// Sends a message. call_has_room() is false while much output waits: go_on() comes later then.
void call_send(struct call *call, const void *message, size_t length);
void call_begin_answer(struct call *call); // sends the header fields already
bool call_has_room(struct call *call);

// Ends the call: at a server's handler this is its answer. Tells the handler, once; the call is
// closed when it is its turn to send. `text` may be NULL.
void call_finish(struct call *call, int status, const char *text);

// Adds a field to the header fields, or to the trailers, that the call will send. The value of
// a "-bin" field is base64 already. False: there is too much of it.
bool call_add_metadata(struct call *call, bool trailing, const char *name, const char *value,
                       size_t value_length);

// Finds a header field of the peer. NULL: it is not there.
const struct hpack_field *call_field(const struct hpack_list *fields, const char *name);

// True: the server stops, so a call that would not end by itself has to end.
static inline bool call_is_stopping(const struct call *call)
{
    return call->calls->transport.state >= TRANSPORT_STOPPING;
}

// go_on() is called at this time; or soon, also from another connection's call.
void call_wake_at(struct call *call, int64_t at_ns);
void call_wake(struct call *call);

// Ends `hold`: messages are taken again, soon.
void call_release(struct call *call);

// ---- for clients ---------------------------------------------------------------------------

// Begins a call. timeout_ms: 0 for none. NULL: the connection takes no further call now.
struct call *call_open(struct calls *calls, const struct handler *handler, void *state,
                       int64_t timeout_ms);
void call_half_close(struct call *call); // all messages are sent
void call_cancel(struct call *call);     // RST_STREAM

// ---- for call.c, call_receive.c and metadata.c ---------------------------------------------

static inline struct call *call_of(const struct stream *stream)
{
    return stream->answer.owner;
}

struct call *call_new(struct calls *calls, struct stream *stream);

// Closes the stream, and frees the call. Where the peer is not at its end, it gets RST_STREAM.
void call_close(struct call *call, enum error_code code);

// calls_due() is to be called at this time, or before.
void calls_note_due(struct call *call, int64_t at_ns);

// What transport.h calls when something has come.
struct fault call_take_data(struct transport *transport, struct stream *stream,
                            const uint8_t *bytes, uint32_t length, bool ends);
struct fault call_take_fields(struct transport *transport, struct stream *stream,
                              const struct hpack_list *list, bool ends);

// Goes on with what has come before.
void call_take_kept(struct call *call);

// Write the header fields of a call; and of an answer: with `trailers` those that end it; where
// nothing was sent before, both at once. False: there is no room now.
bool call_put_request(struct call *call);
bool call_put_answer(struct call *call, bool trailers);

#endif
