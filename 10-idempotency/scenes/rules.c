// rules.c: scenes conflict, methods and expiry: what a key stands for, who needs none, and for
// how long it is known.
#include <stdio.h>
#include <string.h>

#include "books.h"
#include "claim.h"
#include "net.h"
#include "own.h"
#include "scenes.h"
#include "story.h"

#define REPEATS      5
#define STATE_SIZE   500
#define ACCOUNT_NAME 60
#define KEY_TTL_MS   600
#define TRIES        5 // on a machine that may stand still for a moment

static struct call call; // too large for the stack

// ---- conflict ------------------------------------------------------------------------------

static const struct claim new_key_each = {
    "10.12", "guide §13.4", "the same key for a retry, a new key for another operation", HOLDS,
    NULL};

static int try_key(const char *what, const struct customer *customer, const char *key,
                   const char *content)
{
    char text[CALL_FIELD_BYTES];
    call_make(the_server(),
              &(struct call_request){"POST", "/charges", key, content, PATIENCE_MS}, &call);
    story_say("  %-33s %-32s %d charge%s so far", what, call_text(&call, text),
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
                 first == 201 && same == 201 && spelling == 201 && replayed &&
                         mismatch == 422 && missing == 400 && fresh == 201 && charges == 2
                     ? HOLDS
                     : UNCLEAR,
                 "two keys, %d charges; an old key with another amount is a mistake of the "
                 "client's: %d, as no key at all: %d",
                 charges, mismatch, missing);
}

// ---- methods -------------------------------------------------------------------------------

static const struct claim by_design = {
    "10.4", "guide §13.2", "GET, PUT and DELETE are idempotent; POST is not", HOLDS, NULL};

// All that the methods could change: the account, and the customer's charges.
struct state {
    char summary[STATE_SIZE], account[STATE_SIZE];
};

static void state_of(const char *target, const struct customer *customer, struct state *state)
{
    int charges = charges_of(the_server(), customer);
    must_call(the_server(), "GET", target, NULL, &call);
    snprintf(state->account, sizeof state->account, "%.*s", STATE_SIZE - 1, call.content);
    snprintf(state->summary, sizeof state->summary, "%s, %d charge%s",
             call.status == 200 ? "account" : "none", charges, charges == 1 ? "" : "s");
}

// Repeats a request; true if the state after all is the state after the first.
static bool repeat_it(const char *method, const char *target, const char *content,
                      const char *account, const struct customer *customer)
{
    struct state first, last;
    char answers[30] = "";
    for (int i = 0; i < REPEATS; i++) {
        must_call(the_server(), method, target, content, &call);
        snprintf(answers + 4 * i, sizeof answers - 4 * (size_t)i, "%d ", call.status);
        state_of(account, customer, i ? &last : &first);
    }
    bool same = !strcmp(first.summary, last.summary) && !strcmp(first.account, last.account);
    story_say("%-8s%-24s%-22s%-22s%s", method, answers, first.summary, last.summary,
              same ? "the same" : "another");
    return same;
}

void scene_methods(void)
{
    static const char account[] = "{\"owner\": \"Ada\", \"limit\": 50000}";
    struct customer customer;
    char target[ACCOUNT_NAME];
    customer_new(&customer);
    snprintf(target, sizeof target, "/accounts/%s", customer.source);
    story_say("Each request %d times, and what the server then has:", REPEATS);
    story_say("");
    story_say("%-8s%-24s%-22s%s", "", "answers", "after the first", "after all");
    bool put = repeat_it("PUT", target, account, target, &customer);
    bool get = repeat_it("GET", target, NULL, target, &customer);
    bool erase = repeat_it("DELETE", target, NULL, target, &customer);
    bool post = repeat_it("POST", "/naive/charges", customer.charge, target, &customer);
    int charges = charges_of(the_server(), &customer);
    claim_report(
        &by_design, put && get && erase && !post && charges == REPEATS ? HOLDS : UNCLEAR,
        "%d times each: the first leaves the state that all leave, except for POST: %d "
        "charges. DELETE answers 404 the second time, but what counts is the state",
        REPEATS, charges);
}

// ---- expiry --------------------------------------------------------------------------------

static const struct claim window = {
    "10.6", "guide §13.7", "keys need not be stored for ever, only for a time", HOLDS, NULL};

// One more call with this key. Returns the number of charges after it.
static int call_again(const struct own *own, const struct customer *customer, const char *key)
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
    static struct own own;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    bool within = false, replayed = false;
    int before = 0;
    snprintf(seconds, sizeof seconds, "%g", KEY_TTL_MS / 1000.0);
    own_begin(&own, brief);
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
    own_end(&own);
    claim_report(&window,
                 within && replayed && before == 1 && call.status == 201 && !call.replayed &&
                         after == 2
                     ? HOLDS
                     : UNCLEAR,
                 "a retry within the window: %d charge; after it: %d. So the window has to be "
                 "longer than anybody retries: days, not minutes",
                 before, after);
}
