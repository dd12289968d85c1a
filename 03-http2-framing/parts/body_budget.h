// body_budget.h: the memory for the bodies that /echo keeps, of all connections together.
//
// The memory is limited, and clients that are slow must not keep it from all others. So a body
// pays rent: its bytes, for as long as it is here. When a new body finds no memory, the body
// whose bytes times age are the most is thrown away, and its request is told so.
#ifndef BODY_BUDGET_H
#define BODY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODIES_MAX (64 << 20) // bytes of the bodies of all connections

struct conn;

// All zero is a body without bytes.
struct body {
    uint8_t *bytes;
    size_t room; // bytes of memory
    size_t *sum; // of the memory of all bodies of its connection
    struct conn *conn;
    int64_t since_ns;
    bool evicted; // thrown away: its connection is called by timeout() to say so
    struct body *next, *previous;
};

// Writes bytes into a body, `at` bytes behind its beginning, where it has ended so far. False:
// there is no memory for them. The first call says whose body it is.
bool body_append(struct body *body, size_t at, const uint8_t *bytes, size_t length,
                 struct conn *conn, size_t *sum);

void body_free(struct body *body);

#endif
