// once.c: an answer is lost, and the request has a key: the retry gets the first answer.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

static struct call call; // too large for the stack

static const struct claim first_answer = {
    "10.2", "guide §13.5", "with a key the retry gets the first answer", HOLDS, NULL};

static struct {
    int calls, charges;
    bool done;
} found;

// The same with a key, as operation.c does it. False: no answer was lost.
static bool pay_with_a_key(const struct service *service)
{
    static struct operation operation;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    operation = charge_operation(service, &customer, key);
    story_timeline();
    story_event("POST /charges  12.50 eur");
    story_event("Idempotency-Key: \"%s\"", key);
    bool done = operation_run(&operation);
    story_quiet(true);
    found.calls = operation.attempts;
    found.charges = charges_of(service, &customer);
    found.done = done && operation.last.replayed;
    return operation.first_status == 0;
}

void scene_once(void)
{
    static const char *const lossy[] = {"--drop", "1", NULL};
    static struct call first;
    char key[UUID_LENGTH + 1];
    struct customer customer;
    bool lost = temp_server_unless(pay_with_a_key, lossy);
    customer_new(&customer);
    struct call_request request = {"POST", "/charges", new_key(key), customer.charge,
                                   PATIENCE_MS};
    call_make(the_server(), &request, &first);
    call_make(the_server(), &request, &call);
    story_say("Another key, and nothing lost. Are the two answers really the same?");
    story_say("");
    say_answer(&first);
    say_answer(&call);
    bool same = first.status == 201 && call.status == 201 && !first.replayed && call.replayed &&
                !strcmp(first.content, call.content);
    int charges = found.charges + charges_of(the_server(), &customer);
    claim_report(
        &first_answer, holds_if(lost && found.done && same && charges == 2),
        "%d calls after a lost answer, and 2 calls: 2 operations, %d charges; %s: %d and %d, "
        "%zu and %zu bytes",
        found.calls, charges,
        same ? "the same answer, and Idempotent-Replayed: true" : "two answers", first.status,
        call.status, first.content_length, call.content_length);
}
