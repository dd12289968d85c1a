// play.c: what happens when a request is sent twice.
//
// Run:    ./play               against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=crash
// Watch:  how often the customer is charged, by the server's own books.
//
// operation.c is the client that a service should have; retry.c and breaker.c are its rules.
// The longer scenes are in the files that scenes.h names.
#include <stdio.h>
#include <string.h>

#include "books.h"
#include "claim.h"
#include "net.h"
#include "operation.h"
#include "options.h"
#include "own.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define HASTE_MS 150 // patience of a client that has none

static const struct retry_policy careful = {100, 50, 1000, PATIENCE_MS, true};

static struct call call; // too large for the stack

static void show_call(const struct operation *operation)
{
    char text[CALL_FIELD_BYTES];
    story_event("%s", call_text(&operation->last, text));
}

static void show_wait(const struct operation *operation, int64_t ms)
{
    story_event("waits %lld ms; then call %d", (long long)ms, operation->attempts + 1);
}

// A charge of this customer, as operation.c makes it.
static struct operation charge_of(const struct service *service,
                                  const struct customer *customer, const char *key)
{
    return (struct operation){
        .service = service,
        .request = {"POST", "/charges", key, customer->charge, PATIENCE_MS},
        .policy = careful,
        .made = show_call,
        .waits = show_wait,
        .random = (uint64_t)now_ns()};
}

// ---- double --------------------------------------------------------------------------------

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

// A customer who pays, gets no answer, and pays again. False: there was an answer.
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

static void scene_double(void)
{
    static const char *const lossy[] = {"--drop", "1", NULL};
    bool lost = own_unless(pay_in_doubt, lossy);
    int cents = doubled.charges * AMOUNT;
    claim_report(&twice, lost && call.status == 201 && doubled.charges == 2 ? HOLDS : UNCLEAR,
                 "first %s, then %s: %d charges in the books, %d.%02d eur instead of %d.%02d",
                 doubled.first, doubled.second, doubled.charges, cents / 100, cents % 100,
                 AMOUNT / 100, AMOUNT % 100);
}

// ---- once ----------------------------------------------------------------------------------

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
    customer_new(&customer);
    operation = charge_of(service, &customer, new_key(key));
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

static void scene_once(void)
{
    static const char *const lossy[] = {"--drop", "1", NULL};
    static struct call first;
    char key[UUID_LENGTH + 1];
    struct customer customer;
    bool lost = own_unless(pay_with_a_key, lossy);
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
        &first_answer, lost && found.done && same && charges == 2 ? HOLDS : UNCLEAR,
        "%d calls after a lost answer, and 2 calls: 2 operations, %d charges; %s: %d and %d, "
        "%zu and %zu bytes",
        found.calls, charges,
        same ? "the same answer, and Idempotent-Replayed: true" : "two answers", first.status,
        call.status, first.content_length, call.content_length);
}

// ---- timeout -------------------------------------------------------------------------------

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
    customer_new(&customer);
    operation = charge_of(service, &customer, new_key(key));
    struct call_request hasty = operation.request;
    hasty.timeout_ms = HASTE_MS;
    story_timeline();
    story_event("POST /charges, with a patience of %d ms", HASTE_MS);
    call_make(service, &hasty, &operation.last);
    show_call(&operation);
    story_quiet(true);
    if (operation.last.outcome != CALL_TIMEOUT || !await_charge(service, &customer))
        return false;
    story_quiet(false);
    story_event("nobody has asked again, and the books say: 1 charge");
    story_event("POST /charges, with the same key");
    late.done = operation_run(&operation) && operation.last.replayed;
    story_quiet(true);
    late.charges = charges_of(service, &customer);
    return true;
}

static void scene_timeout(void)
{
    static const char *const slow[] = {"--process-ms", "400", NULL};
    bool charged = own_unless(pay_in_haste, slow);
    claim_report(&no_failure, charged && late.done && late.charges == 1 ? HOLDS : UNCLEAR,
                 "no answer within %d ms, and yet the charge was made; the retry gets its "
                 "answer, and the books still say: %d charge",
                 HASTE_MS, late.charges);
}

// ---- the program ---------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8010;
    static const struct scene scenes[] = {
        {"double", "an answer is lost, and nobody has a key", scene_double},
        {"once", "an answer is lost, and there is a key", scene_once},
        {"timeout", "no answer is no answer", scene_timeout},
        {"conflict", "what a key stands for", scene_conflict},
        {"methods", "who needs no key", scene_methods},
        {"race", "everybody at once", scene_race},
        {"crash", "the plug is pulled, at every point", scene_crash},
        {"expiry", "a key that comes too late", scene_expiry},
        {"backoff", "a hundred clients, and a server that fails", scene_backoff},
        {"breaker", "to leave somebody alone", scene_breaker},
        {"ulid", "keys in order, and at random", scene_ulid},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 10: requests that are sent twice. Without SCENE all of them: "
                          "double, once,\ntimeout, conflict, methods, race, crash, expiry, "
                          "backoff, breaker, ulid.",
                          options});
    books_at(host, port);
    story_begin();
    return story_tell(scenes, argv[first]);
}
