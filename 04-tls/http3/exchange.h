// exchange.h: one request at the server, and its answer, on one QUIC stream.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "h3_connection.h"
#include "pages.h"

#define EXCHANGE_LINE 48 // bytes of a request's method and path, for the log

struct exchange {
    struct stream stream; // it begins with this
    bool head;            // the method is HEAD: the answer has no content
    bool answering;       // the answer is decided: what else comes is not looked at
    bool begun;           // HEADERS are sent
    bool lingering;       // the client has the whole answer, but its request has not ended
    int64_t deadline_ns;  // of the whole request; then of the next byte of the answer
    char line[EXCHANGE_LINE];
    struct page page;
};

// Limits, which options of the server change.
extern struct exchange_limits {
    int request_ms; // a whole request has to come in this time
    int stall_ms;   // a client has to take some of the answer in this time
} exchange_limits;

// What the server passes to h3_connection_begin().
extern const struct role exchange_role;

// How many requests were answered; when the next answer is due, or a deadline is over. (The
// server sets the time to NEVER before each round.)
extern long exchange_count;
extern int64_t exchange_next_ns;

#endif
