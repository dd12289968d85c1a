// exchange.h: a request of a client and its answer, on their way through the proxy. An exchange
// joins two ends: a stream of the client's connection, and a stream of a backend's connection,
// or a whole connection where the backend speaks HTTP/1.1.
//
// The rule that keeps it simple: what happens at one end never writes to the other one. It
// changes the exchange, and wakes the other end (exchange_wake_client(),
// exchange_wake_backend()). An end that is woken looks at the exchange and does what is to be
// done.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "backend.h"
#include "flow.h"
#include "loop.h"

#define OWED_LEAST 16384 // bytes that are worth waking the sender: see flow_give_back()
#define TRIES_MAX  4     // backends that one request is sent to, one after the other

struct upstream;

struct exchange {
    struct flow up, down;   // the request's content and trailers; the answer
    struct fields *request; // its head, kept for a second try; NULL: not read yet
    // The client's end. `client_stream` is NULL when it is gone.
    struct conn *client_conn;
    struct transport *client;
    struct stream *client_stream;
    bool reset; // the client is to get RST_STREAM
    enum error_code reset_code;
    // The backend's end. While it waits for a connection it is in the backend's queue.
    struct backend *backend;
    struct exchange *next, *previous;
    bool queued;
    struct upstream *upstream;      // the connection; NULL: none
    struct stream *upstream_stream; // NULL: HTTP/1.1
    bool cancelled;                 // the backend is to stop
    enum error_code cancel_code;
    int tries;
    bool head;            // the method is HEAD: an answer has no content
    bool patient;         // gRPC: its messages may come at any time
    bool safe;            // to ask twice does no harm (RFC 9110 §9.2.1)
    int64_t moved_ns;     // when the backend last said something, or was given something
    int64_t drain_end_ns; // the answer is sent: until then the rest of the request is dropped
    int64_t deadline_ns;  // of grpc-timeout; NEVER: there is none
    struct pace pace;     // of the client, while it is awaited
    char line[REQUEST_BYTES]; // "GET /img/1", for people
};

// Makes an exchange for a new stream of a client; NULL: no memory.
struct exchange *exchange_begin(struct conn *conn, struct transport *transport,
                                struct stream *stream);

// Finds a backend for it. The request's head is here.
void exchange_dispatch(struct exchange *x, int64_t now_ns);

void exchange_wake_client(struct exchange *x);
void exchange_wake_backend(struct exchange *x);

// The proxy answers itself, in place of a backend; `why` is half a sentence.
void exchange_answer(struct exchange *x, int status, const char *why);

// The client's stream is gone. The backend is told `code`.
void exchange_client_gone(struct exchange *x, enum error_code code);

// The backend has said all of its answer, or its end is gone after exchange_cancel().
void exchange_backend_done(struct exchange *x);

// The backend's end is broken before its answer was whole. CONNECTION_LOST: with its
// connection.
#define CONNECTION_LOST ((enum error_code)0x100)
void exchange_backend_broken(struct exchange *x, enum error_code code, int64_t now_ns);

// Takes the exchange away from its backend: the backend is told `code`.
void exchange_cancel(struct exchange *x, enum error_code code);

// Looks whether the client or the backend is too late.
void exchange_check(struct exchange *x, int64_t now_ns);

// True: the client may still send its request, and the backend wants it.
bool exchange_takes_request(const struct exchange *x);

// The figures that the proxy prints when it stops.
struct exchange_figures {
    long requests, own_answers, retries, resets;
};
extern struct exchange_figures exchange_figures;

#endif
