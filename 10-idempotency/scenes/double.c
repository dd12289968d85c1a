// double.c: an answer is lost, and the request has no key: the customer pays twice.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

static struct call call; // too large for the stack

static const struct claim twice = {"10.1", "guide §13.3",
                                   "the answer is lost, the client retries: charged twice",
                                   HOLDS, NULL};

static struct {
    char first[CALL_FIELD_BYTES], second[CALL_FIELD_BYTES];
    int charges;
} doubled;

// What the books say, beside the story: only the scene looks, not the customer.
static int look(const struct service *service, const struct customer *customer)
{
    story_quiet(true);
    int charges = charges_of(service, customer);
    story_quiet(false);
    return charges;
}

// A customer pays, gets no answer, and pays again. False: there was an answer.
static bool pay_in_doubt(const struct service *service)
{
    char text[CALL_FIELD_BYTES];
    struct customer customer;
    customer_new(&customer);
    struct call_request request = {"POST", "/naive/charges", NULL, customer.charge,
                                   PATIENCE_MS};
    story_timeline();
    story_event("POST /naive/charges  12.50 eur");
    call_make(service, &request, &call);
    snprintf(doubled.first, sizeof doubled.first, "%s", call_text(&call, text));
    story_event("%s", doubled.first);
    if (call.outcome != CALL_LOST)
        return false;
    story_event("(it cannot know; but the books say: %d charge)", look(service, &customer));
    story_event("POST /naive/charges  12.50 eur, to be sure");
    call_make(service, &request, &call);
    snprintf(doubled.second, sizeof doubled.second, "%s", call_text(&call, text));
    story_event("%s", doubled.second);
    doubled.charges = look(service, &customer);
    story_event("(the books say: %d charges)", doubled.charges);
    return true;
}

void scene_double(void)
{
    static const char *const lossy[] = {"--drop", "1", NULL};
    bool lost = temp_server_unless(pay_in_doubt, lossy);
    int cents = doubled.charges * AMOUNT;
    claim_report(&twice, holds_if(lost && call.status == 201 && doubled.charges == 2),
                 "first %s, then %s: %d charges in the books, %d.%02d eur instead of %d.%02d",
                 doubled.first, doubled.second, doubled.charges, cents / 100, cents % 100,
                 AMOUNT / 100, AMOUNT % 100);
}
