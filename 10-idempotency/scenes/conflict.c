// conflict.c: what a key stands for: one request, and not another one.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

static struct call call; // too large for the stack

static const struct claim new_key_each = {
    "10.12", "guide §13.4", "the same key for a retry, a new key for another operation", HOLDS,
    NULL};

static int try_key(const char *what, const struct customer *customer, const char *key,
                   const char *content)
{
    char text[CALL_FIELD_BYTES];
    call_make(the_server(),
              &(struct call_request){"POST", "/charges", key, content, PATIENCE_MS}, &call);
    story_say("  %-33s%-26s%d charge%s so far", what, call_text(&call, text),
              charges_of(the_server(), customer),
              charges_of(the_server(), customer) == 1 ? "" : "s");
    return call.status;
}

void scene_conflict(void)
{
    struct customer customer;
    char key[UUID_LENGTH + 1], other[CHARGE_SIZE], respelt[CHARGE_SIZE],
        second[UUID_LENGTH + 1];
    customer_new(&customer);
    new_key(key);
    snprintf(other, sizeof other,
             "{\"amount\": 990000, \"currency\": \"eur\", \"source\": \"%s\"}",
             customer.source);
    snprintf(respelt, sizeof respelt, "{\"source\":\"%s\",\"currency\":\"eur\",\"amount\":%d}",
             customer.source, AMOUNT);
    int first = try_key("key A, 12.50 eur", &customer, key, customer.charge);
    int same = try_key("key A, 12.50 eur", &customer, key, customer.charge);
    int spelling = try_key("key A, 12.50 eur, other spelling", &customer, key, respelt);
    bool replayed = call.replayed;
    int mismatch = try_key("key A, 9900.00 eur", &customer, key, other);
    story_say("");
    say_answer(&call);
    story_say("");
    int missing = try_key("no key", &customer, NULL, customer.charge);
    int fresh = try_key("key B, 12.50 eur", &customer, new_key(second), customer.charge);
    int charges = charges_of(the_server(), &customer);
    claim_report(&new_key_each,
                 holds_if(first == 201 && same == 201 && spelling == 201 && replayed &&
                          mismatch == 422 && missing == 400 && fresh == 201 && charges == 2),
                 "two keys, %d charges; an old key with another amount is a mistake of the "
                 "client's: %d, as no key at all: %d",
                 charges, mismatch, missing);
}
