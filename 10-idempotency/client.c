// client.c: what happens when a request is sent twice.
//
// Run:    ./client             against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=crash
//         ./client --charge 1250        a real charge, tried until it is certain
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

#define HASTE_MS 150 // patience of a client that has none

#define HASTY_TRIES  5
#define REPEATS      5
#define KEY_TTL_S    1
#define STATE_SIZE   500
#define ACCOUNT_NAME 60

static const struct retry_policy careful = {10, 50, 1000, PATIENCE_MS, true};

static struct call call; // too large for the stack

static void show_call(const struct operation *operation)
{
    char text[CALL_FIELD_BYTES];
    story_event("%s", call_text(&operation->last, text));
}

static void show_wait(const struct operation *operation, int64_t ms)
{
    story_event("waits %lld ms; then call %d, with the same key", (long long)ms,
                operation->attempts + 1);
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
    story_event("POST /naive/charges  12.50 eur, to be sure");
    call_make(service, &request, &call);
    snprintf(doubled.second, sizeof doubled.second, "%s", call_text(&call, text));
    story_event("%s", doubled.second);
    story_quiet(true);
    doubled.charges = charges_of(service, &customer);
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

// Prints an answer, its content without the end of the line.
static void say_answer(const struct call *answer)
{
    char text[CALL_FIELD_BYTES];
    story_say("    %s", call_text(answer, text));
    story_say("      %.*s", (int)strcspn(answer->content, "\n"), answer->content);
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
        "%d calls after a lost answer, and 2 calls: 2 operations, %d charges; the same "
        "status, the same %zu bytes, and Idempotent-Replayed: true",
        found.calls, charges, call.content_length);
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
    if (operation.last.outcome != CALL_TIMEOUT || !await_charge(service, &customer))
        return false;
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

static void scene_conflict(void)
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
    story_say("    %.*s", (int)strcspn(call.content, "\n"), call.content);
    story_say("");
    int missing = try_key("no key", &customer, NULL, customer.charge);
    int fresh = try_key("key B, 12.50 eur", &customer, new_key(second), customer.charge);
    int charges = charges_of(the_server(), &customer);
    claim_report(&new_key_each,
                 first == 201 && same == 201 && spelling == 201 && replayed &&
                         mismatch == 422 && missing == 400 && fresh == 201 && charges == 2
                     ? HOLDS
                     : UNCLEAR,
                 "two keys, two charges; an old key with another amount is a mistake of the "
                 "client's: %d, as no key at all: %d",
                 mismatch, missing);
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

static void scene_methods(void)
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
    bool delete = repeat_it("DELETE", target, NULL, target, &customer);
    bool post = repeat_it("POST", "/naive/charges", customer.charge, target, &customer);
    int charges = charges_of(the_server(), &customer);
    claim_report(
        &by_design, put && get && delete &&!post && charges == REPEATS ? HOLDS : UNCLEAR,
        "%d times each: the first leaves the state that all leave, except for POST: %d "
        "charges. DELETE answers 404 the second time, but what counts is the state",
        REPEATS, charges);
}

// ---- expiry --------------------------------------------------------------------------------

static const struct claim window = {
    "10.6", "guide §13.7", "keys need not be stored for ever, only for a time", HOLDS, NULL};

static void scene_expiry(void)
{
    static const char *const brief[] = {"--key-ttl", "1", NULL};
    static struct own own;
    struct customer customer;
    char key[UUID_LENGTH + 1], text[CALL_FIELD_BYTES];
    bool within = false;
    own_begin(&own, brief);
    story_say("This server forgets a key after %d second.", KEY_TTL_S);
    for (int tries = 0; tries < HASTY_TRIES && !within; tries++) {
        customer_new(&customer);
        struct call_request request = {"POST", "/charges", new_key(key), customer.charge,
                                       PATIENCE_MS};
        call_make(&own.service, &request, &call);
        int64_t began_ns = call.began_ns;
        story_timeline();
        story_event("%s", call_text(&call, text));
        call_make(&own.service, &request, &call);
        within = call.ended_ns - began_ns < KEY_TTL_S * INT64_C(900000000);
        story_event("%s", call_text(&call, text));
    }
    bool replayed = call.replayed;
    int before = charges_of(&own.service, &customer);
    sleep_ms(KEY_TTL_S * 1000 + 50);
    struct call_request again = {"POST", "/charges", key, customer.charge, PATIENCE_MS};
    call_make(&own.service, &again, &call);
    story_event("%s, after a retry that came too late", call_text(&call, text));
    int after = charges_of(&own.service, &customer);
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

// ---- one charge ----------------------------------------------------------------------------

static void print_call(const struct operation *operation)
{
    char text[CALL_FIELD_BYTES];
    printf("%s\n", call_text(&operation->last, text));
}

static void print_wait(const struct operation *operation, int64_t ms)
{
    printf("waits %lld ms, then call %d\n", (long long)ms, operation->attempts + 1);
}

// Charges for somebody at the command line.
static int charge(int amount, const char *given_key)
{
    static struct operation operation;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    customer_new(&customer);
    snprintf(customer.charge, sizeof customer.charge,
             "{\"amount\": %d, \"currency\": \"eur\", \"source\": \"tok_visa\"}", amount);
    operation = charge_of(the_server(), &customer, given_key ? given_key : new_key(key));
    operation.made = print_call;
    operation.waits = print_wait;
    printf("Idempotency-Key: \"%s\"\n", operation.request.key);
    bool done = operation_run(&operation);
    printf("%s\n", operation.last.content);
    return done ? 0 : 1;
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *key;
    static int port = 8010, amount;
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
        {"charge", OPTION_INT, &amount, 0, 99999999,
         "no scene: charge so many cents, and retry until it is certain"},
        {"key", OPTION_TEXT, &key, .help = "the Idempotency-Key of --charge"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 10: requests that are sent twice. Without SCENE all of them: "
                          "double, once,\ntimeout, conflict, methods, race, crash, expiry, "
                          "backoff, breaker, ulid.",
                          options});
    books_at(host, port);
    story_begin(STORY_CLIENT);
    return amount ? charge(amount, key) : story_tell(scenes, argv[first]);
}
