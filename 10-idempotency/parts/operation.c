// operation.c: see operation.h.
#include "operation.h"

#include "measure.h"
#include "net.h"

static int64_t now_ms(void)
{
    return now_ns() / 1000000;
}

// A failure is what another call might mend: an answer of the kind 4xx is the server at work.
static bool is_good(const struct call *call)
{
    return call->outcome == CALL_ANSWERED && call->status < 500;
}

// One call, if the breaker lets it pass, and not longer than the operation may take. False: it
// does not pass.
static bool make_call(struct operation *operation, int64_t left_ms)
{
    struct call_request request = operation->request;
    uint32_t ticket = 0;
    if (left_ms < request.timeout_ms)
        request.timeout_ms = (int)left_ms;
    if (operation->breaker) {
        ticket = breaker_ask(operation->breaker, now_ms());
        if (ticket == BREAKER_REFUSED) {
            operation->refused++;
            return false;
        }
    }
    call_make(operation->service, &request, &operation->last);
    if (!operation->attempts++) {
        operation->first_status = operation->last.status;
        operation->first_replayed = operation->last.replayed;
    }
    if (operation->breaker)
        breaker_tell(operation->breaker, ticket, is_good(&operation->last), now_ms());
    if (operation->made)
        operation->made(operation);
    return true;
}

bool operation_run(struct operation *operation)
{
    const struct call_request *request = &operation->request;
    const struct call *last = &operation->last;
    bool repeatable = retry_is_repeatable(request->method, request->key);
    int64_t began_ms = now_ms();
    for (int tries = 1;; tries++) {
        bool called = make_call(operation, began_ms + operation->policy.deadline_ms - now_ms());
        if (called && !retry_may(last->outcome, last->status, repeatable))
            return last->outcome == CALL_ANSWERED && last->status / 100 == 2;
        int64_t asked_ms = RETRY_UNASKED;
        if (called)
            asked_ms = retry_after_ms(last->retry_after, time(NULL));
        int64_t wait_ms = retry_wait_ms(&operation->policy, tries, now_ms() - began_ms,
                                        asked_ms, random_next(&operation->random));
        if (wait_ms == RETRY_GIVE_UP)
            return false;
        if (operation->waits)
            operation->waits(operation, wait_ms);
        sleep_ms((double)wait_ms);
    }
}
