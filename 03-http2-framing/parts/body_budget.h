// body_budget.h: the memory for the bodies that /echo keeps, of all connections together.
//
// The memory is limited, and slow clients must not keep it from all others. So a body costs its
// bytes times its age. When a new body finds no memory, the body that costs the most is thrown
// away, and its request gets an error.
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
    bool evicted; // the body was thrown away: its connection is woken, to tell the client
    struct body *next, *previous;
};

// Adds bytes to a body, which has `at` bytes so far. False: there is no memory for them. The
// first call says which connection the body belongs to.
bool body_append(struct body *body, size_t at, const uint8_t *bytes, size_t length,
                 struct conn *conn, size_t *sum);

void body_free(struct body *body);

#endif
