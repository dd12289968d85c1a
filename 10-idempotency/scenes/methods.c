// methods.c: which requests need no key: GET, PUT and DELETE, not POST.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "temp_server.h"

#define REPEATS      5
#define STATE_SIZE   500
#define ACCOUNT_NAME 60

static struct call call; // too large for the stack

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
        state_of(account, customer, &last);
        if (i == 0)
            first = last;
    }
    bool same = !strcmp(first.summary, last.summary) && !strcmp(first.account, last.account);
    story_say("%-8s%-21s%-20s%-20s%s", method, answers, first.summary, last.summary,
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
    story_say("%-8s%-21s%-20s%s", "", "answers", "after the first", "after all");
    bool put = repeat_it("PUT", target, account, target, &customer);
    bool get = repeat_it("GET", target, NULL, target, &customer);
    bool erase = repeat_it("DELETE", target, NULL, target, &customer);
    bool post = repeat_it("POST", "/naive/charges", customer.charge, target, &customer);
    int charges = charges_of(the_server(), &customer);
    claim_report(
        &by_design, holds_if(put && get && erase && !post && charges == REPEATS),
        "%d times each: the first leaves the state that all leave, except for POST: %d "
        "charges. DELETE answers 404 the second time, but what counts is the state",
        REPEATS, charges);
}
