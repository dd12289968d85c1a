// retry.h: may a request that has failed be sent again, and when?
//
// Three rules keep retries from doing harm:
// * Only what is safe to repeat: the request was certainly not delivered, or its method is
//   idempotent (RFC 9110 §9.2.2); and all of it is still here.
// * Only a failure of this hop. What the far application has answered passes as it is, also a
//   503: behind it may be other hops, whose sidecars have already tried again. Else the tries
//   of all hops would be multiplied.
// * A budget: retries are at most a part of all requests, so that they never become the load
//   that keeps a service down.
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_settings {
    int tries;          // of a request, the first one among them
    int budget_percent; // of the requests may be retries,
    int budget_min;     // and so many beyond that
    int backoff_ms;     // the longest pause before the second try; it doubles each time
};

#define RETRY_BACKOFF_MAX_MS 1000

// How a try has failed.
enum retry_failure {
    RETRY_NOT_DELIVERED, // no connection; or the other sidecar says that its app has not got it
    RETRY_BROKEN,        // the connection broke after the request and before its answer
    RETRY_TIMED_OUT,     // no answer has come: the app may still be working
    RETRY_REFUSED,       // by a rule that will not change: another try would end the same way
};

enum retry_verdict {
    RETRY_YES,
    RETRY_NO_FAILURE, // not this failure
    RETRY_NO_UNSAFE,  // it may have been delivered, and it must not be delivered twice
    RETRY_NO_TRIES,   // no more tries
    RETRY_NO_BUDGET,
    RETRY_NO_INSTANCE, // the breaker of each has opened meanwhile
};

struct retry_request {
    enum retry_failure failure;
    int tries;       // so far
    bool idempotent; // by its method
    bool kept;       // all of it can be sent again
};

// In thousandths of a retry.
struct retry_budget {
    long left;
};

// Each request adds a part of a retry to the budget.
void retry_budget_add(struct retry_budget *budget, const struct retry_settings *settings);

// Decides, and takes a retry from the budget if it is one.
enum retry_verdict retry_decide(const struct retry_settings *settings,
                                const struct retry_request *request,
                                struct retry_budget *budget);

// How many milliseconds to wait before the next try, after `tries` of them: any time up to a
// longest one, which doubles. All clients of a server that was away would else come back at the
// same moments.
int retry_backoff_ms(const struct retry_settings *settings, int tries, uint64_t random);

// The verdict in words: "no more tries".
extern const char *const retry_words[];

// True for a method that does the same when it is done twice.
bool retry_is_idempotent(const char *method, unsigned long length);

#endif
