// operation.h: one thing that is to be done once, however many calls that takes. All of them
// carry the same Idempotency-Key: a new key would be a new operation.
#ifndef OPERATION_H
#define OPERATION_H

#include "breaker.h"
#include "call.h"
#include "retry.h"

struct operation {
    const struct service *service;
    struct call_request request; // with the key, if there is to be one
    struct retry_policy policy;
    struct breaker *breaker;                         // asked before each call; NULL: none
    uint64_t random;                                 // any number: where the jitter begins
    void (*made)(const struct operation *operation); // after each call; may be NULL
    void (*waits)(const struct operation *operation, int64_t ms); // before a back-off; the same
    // What has become of it:
    int attempts;        // calls so far,
    int refused;         // and calls that the breaker refused
    int first_status;    // of the first call's answer; 0: there was none
    bool first_replayed; // it was one of an earlier call
    struct call last;
};

// Makes calls, with back-offs between them, until one brings an answer that stands, or the
// policy gives up. True: it is done (a 2xx); what came last is in `last`.
bool operation_run(struct operation *operation);

#endif
