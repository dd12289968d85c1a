// timeout.c: the client gives up, and the charge is made all the same.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

#define HASTE_MS 150 // patience of a client that has none

static const struct claim no_failure = {
    "10.9", "guide §13.8", "a timeout does not mean that the request failed", HOLDS, NULL};

static struct {
    bool done;
    int charges;
} late;

// Waits until the customer is charged; false if that does not happen.
static bool await_charge(const struct service *service, const struct customer *customer)
{
    for (int64_t until_ns = now_ns() + 5 * INT64_C(1000000000); now_ns() < until_ns;
         sleep_ms(20))
        if (charges_of(service, customer))
            return true;
    return false;
}

// A client without patience. False: the bank was quicker, or the request was too late.
static bool pay_in_haste(const struct service *service)
{
    static struct operation operation;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    operation = charge_operation(service, &customer, key);
    struct call_request hasty = operation.request;
    hasty.timeout_ms = HASTE_MS;
    story_timeline();
    story_event("POST /charges, with a patience of %d ms", HASTE_MS);
    call_make(service, &hasty, &operation.last);
    operation.made(&operation);
    story_quiet(true);
    if (operation.last.outcome != CALL_TIMEOUT || !await_charge(service, &customer))
        return false;
    story_quiet(false);
    story_event("no client has asked again, and the server says: 1 charge");
    story_event("POST /charges, with the same key");
    late.done = operation_run(&operation) && operation.last.replayed;
    story_quiet(true);
    late.charges = charges_of(service, &customer);
    return true;
}

void scene_timeout(void)
{
    static const char *const slow[] = {"--process-ms", "400", NULL};
    bool charged = temp_server_unless(pay_in_haste, slow);
    claim_report(&no_failure, holds_if(charged && late.done && late.charges == 1),
                 "no answer within %d ms, and yet the charge was made; the retry gets its "
                 "answer, and the books still say: %d charge",
                 HASTE_MS, late.charges);
}
