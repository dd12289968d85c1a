// expiry.c: a key is known for a time, and then it is a new key. And what it costs to know it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "table.h"
#include "temp_server.h"

#define KEY_TTL_MS 600
#define TRIES      5 // on a machine that may stand still for a moment
#define KEYS       100000
#define CALLS      15

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

// ---- what a key costs ----------------------------------------------------------------------

struct cost {
    double lookup_us;     // to find one of KEYS keys: CPU time
    double call_us;       // a charge with a key, from the request to the answer
    size_t journal_bytes; // of each key
    size_t memory_bytes;  // the same
};

// A charge with this key, NULL: without one; as the server keeps it.
static struct record *new_charge(const char *key)
{
    static const char source[] = "tok_visa";
    struct http_text name = {key, key ? strlen(key) : 0}, text = {source, sizeof source - 1};
    struct record *charge = record_new(CHARGE, name, text);
    if (!charge)
        die("no memory for a record");
    return charge;
}

static size_t line_bytes(const char *key)
{
    char line[RECORD_BYTES];
    struct record *charge = new_charge(key);
    size_t length = record_write(charge, line);
    free(charge);
    return length;
}

// The server's table, with so many keys; then each of them is looked up.
static void measure_lookups(struct cost *cost)
{
    static struct record *charges[KEYS];
    struct table table;
    char key[UUID_LENGTH + 1];
    int found = 0;
    if (!table_begin(&table, KEYS))
        die("no memory for %d keys", KEYS);
    for (int i = 0; i < KEYS; i++) {
        charges[i] = new_charge(new_key(key));
        if (!table_add(&table, charges[i]))
            die("a key that was there already");
    }
    double start_ms = cpu_ms();
    for (int i = 0; i < KEYS; i++)
        found += table_find(&table, record_name(charges[i])) == charges[i];
    cost->lookup_us = (cpu_ms() - start_ms) * 1000 / KEYS;
    if (found != KEYS)
        die("%d of %d keys were found", found, KEYS);
    cost->memory_bytes = UUID_LENGTH + sizeof *table.slots * table.size / KEYS;
    for (int i = 0; i < KEYS; i++)
        free(charges[i]);
    table_end(&table);
}

static struct cost measure_key(const struct service *service)
{
    double calls_us[CALLS];
    struct cost cost = {0};
    struct customer customer;
    char key[UUID_LENGTH + 1];
    customer_new(&customer);
    for (int i = 0; i < CALLS; i++) {
        call_make(service,
                  &(struct call_request){"POST", "/charges", new_key(key), customer.charge,
                                         PATIENCE_MS},
                  &call);
        calls_us[i] = (double)(call.ended_ns - call.began_ns) / 1000;
    }
    cost.call_us = least_of(calls_us, CALLS);
    cost.journal_bytes = line_bytes(key) - line_bytes(NULL);
    measure_lookups(&cost);
    story_head("what a key costs|a lookup|of a call of|journal|memory");
    story_row("one of %d|%.2f us|%.0f us|%zu bytes|%zu bytes", KEYS, cost.lookup_us,
              cost.call_us, cost.journal_bytes, cost.memory_bytes);
    return cost;
}

static const struct claim overhead = {
    "10.15", "guide §13.7",
    "a lookup of the key might slightly slow down each request; and keys have to be stored",
    HOLDS, NULL};

// --------------------------------------------------------------------------------------------

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
    bool again = call.status == 201 && !call.replayed;
    story_quiet(true);
    struct cost cost = measure_key(&own.service);
    temp_server_end(&own);
    claim_report(&window, holds_if(within && replayed && before == 1 && again && after == 2),
                 "a retry within the window: %d charge; after it: %d. So the window has to be "
                 "longer than anybody retries: days, not minutes",
                 before, after);
    claim_report(&overhead,
                 holds_if(cost.lookup_us > 0 && cost.lookup_us * 20 < cost.call_us &&
                          cost.journal_bytes > UUID_LENGTH),
                 "%.2g %% of the time of a charge, which waits for the disk; %zu bytes on the "
                 "disk and %zu in memory, until the key expires",
                 100 * cost.lookup_us / cost.call_us, cost.journal_bytes, cost.memory_bytes);
}
