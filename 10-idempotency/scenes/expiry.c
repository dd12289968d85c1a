// expiry.c: a key is known for a time, and then it is a new key.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

#define KEY_TTL_MS 600
#define TRIES      5 // on a machine that may stand still for a moment

static struct call call; // too large for the stack

static const struct claim window = {
    "10.6", "guide §13.7", "keys need not be stored for ever, only for a time", HOLDS, NULL};

// One more call with this key. Returns the number of charges after it.
static int call_again(const struct temp_server *own, const struct customer *customer,
                      const char *key)
{
    char text[CALL_FIELD_BYTES];
    story_event("POST /charges");
    call_make(&own->service,
              &(struct call_request){"POST", "/charges", key, customer->charge, PATIENCE_MS},
              &call);
    int charges = charges_of(&own->service, customer);
    story_event("%s; in the books: %d", call_text(&call, text), charges);
    return charges;
}

void scene_expiry(void)
{
    char seconds[20];
    const char *const brief[] = {"--key-ttl", seconds, "--process-ms", "0", NULL};
    static struct temp_server own;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    bool within = false, replayed = false;
    int before = 0;
    snprintf(seconds, sizeof seconds, "%g", KEY_TTL_MS / 1000.0);
    temp_server_begin(&own, brief);
    story_say("This server forgets a key after %d ms.", KEY_TTL_MS);
    for (int tries = 0; tries < TRIES && !within; tries++) {
        customer_new(&customer);
        new_key(key);
        story_timeline();
        call_again(&own, &customer, key);
        int64_t began_ns = call.began_ns;
        before = call_again(&own, &customer, key);
        replayed = call.replayed;
        within = call.ended_ns - began_ns < KEY_TTL_MS * INT64_C(1000000);
    }
    sleep_ms(KEY_TTL_MS + 20);
    int after = call_again(&own, &customer, key);
    temp_server_end(&own);
    claim_report(&window,
                 holds_if(within && replayed && before == 1 && call.status == 201 &&
                          !call.replayed && after == 2),
                 "a retry within the window: %d charge; after it: %d. So the window has to be "
                 "longer than anybody retries: days, not minutes",
                 before, after);
}
