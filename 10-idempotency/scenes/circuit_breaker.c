// circuit_breaker.c: a service fails, and is not called for a while.
#include <stdio.h>
#include <string.h>

#include "ledger_client.h"
#include "breaker.h"
#include "claim.h"
#include "net.h"
#include "temp_server.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define OUTAGE_MS  600
#define EVERY_MS   10 // a call is wanted
#define WATCHED_MS 1200
#define TRIES      3
#define COLUMN_MS  20 // of the picture
#define COLUMNS    (WATCHED_MS / COLUMN_MS)

// Opens when half of at least 5 calls fail; a probe after 150 ms; one good probe closes it.
static const struct breaker_policy policy = {500, 5, 50, 150, 1};

struct watch {
    struct breaker *breaker;   // NULL: none
    long wanted, sent, failed; // calls: wanted, made, failed
    long openings;             // times that the breaker opened
    long probes, failed_probes;
    long seen; // calls that the server has seen
    bool well; // the last call was answered as it should be
    int64_t began_ns;
    char picture[COLUMNS + 1]; // x: a call in vain, o: a good one, ' ': none
};

static int64_t now_ms(void)
{
    return now_ns() / 1000000;
}

static void note(struct watch *watch, int64_t at_ns)
{
    int64_t column = (at_ns - watch->began_ns) / (COLUMN_MS * 1000000);
    if (column >= 0 && column < COLUMNS && watch->picture[column] != 'x')
        watch->picture[column] = "xo"[watch->well];
}

// A call is wanted: it is made, unless the breaker refuses it.
static void want(const struct service *service, struct watch *watch)
{
    static struct call call;
    struct breaker *breaker = watch->breaker;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    uint32_t ticket = 0;
    enum breaker_state before = BREAKER_CLOSED;
    watch->wanted++;
    if (breaker) {
        ticket = breaker_ask(breaker, now_ms());
        before = breaker->state;
    }
    if (breaker && ticket == BREAKER_REFUSED)
        return;
    customer_new(&customer);
    call_make(
        service,
        &(struct call_request){"POST", "/charges", new_key(key), customer.charge, PATIENCE_MS},
        &call);
    watch->well = call.outcome == CALL_ANSWERED && call.status < 500;
    watch->sent++;
    watch->failed += !watch->well;
    watch->probes += before == BREAKER_HALF_OPEN;
    watch->failed_probes += before == BREAKER_HALF_OPEN && !watch->well;
    note(watch, call.began_ns);
    if (!breaker)
        return;
    breaker_tell(breaker, ticket, watch->well, now_ms());
    if (breaker->state == before && before == BREAKER_CLOSED)
        return;
    watch->openings += breaker->state == BREAKER_OPEN;
    story_event("%s %d: %s", before == BREAKER_HALF_OPEN ? "probe" : "call", call.status,
                breaker_state_name(breaker->state));
}

static void watch_it(const struct service *service, struct breaker *breaker,
                     struct watch *watch)
{
    *watch = (struct watch){.breaker = breaker};
    long posts = figure_of(service, "posts");
    memset(watch->picture, ' ', COLUMNS);
    fail_for(service, OUTAGE_MS);
    watch->began_ns = now_ns();
    for (int i = 0; i < WATCHED_MS / EVERY_MS; i++) {
        int64_t due_ns = watch->began_ns + i * EVERY_MS * INT64_C(1000000);
        if (due_ns > now_ns())
            sleep_ms((double)(due_ns - now_ns()) / 1e6);
        want(service, watch);
    }
    watch->seen = figure_of(service, "posts") - posts;
}

static void draw(const char *label, const struct watch *watch)
{
    printf("  %-16s", label);
    for (int i = 0; i < COLUMNS; i++) {
        char mark = watch->picture[i];
        if (mark == 'x')
            printf("%s✗%s", paint(RED), paint(PLAIN));
        else if (mark == 'o')
            printf("%s✓%s", paint(GREEN), paint(PLAIN));
        else
            printf("%s·%s", paint(GREEN), paint(PLAIN));
    }
    printf("\n");
}

// Is it as the notes say? Most of what was wanted while the server failed was not sent, the
// server has seen no other calls, and all is well in the end.
static bool is_left_alone(const struct watch *without, const struct watch *with)
{
    return with->breaker && with->seen == with->sent && with->openings && with->probes &&
           with->wanted - with->sent > with->failed && 2 * with->failed < without->failed &&
           with->well && with->breaker->state == BREAKER_CLOSED;
}

static const struct claim leaves_alone = {"10.8", "guide §7, §13.8",
                                          "a circuit breaker stops calls to a failing service",
                                          HOLDS, NULL};

void scene_circuit_breaker(void)
{
    static const char *const quick[] = {"--process-ms", "0", NULL};
    static struct watch without, with;
    static struct temp_server own;
    struct breaker breaker;
    temp_server_begin(&own, quick);
    story_say("A call every %d ms, for %d ms; the server fails for the first %d ms. First "
              "without a breaker, then with one: it opens for %lld ms when half of the calls "
              "have failed, of %d or more:",
              EVERY_MS, WATCHED_MS, OUTAGE_MS, (long long)policy.open_ms, policy.calls_min);
    // A machine that stands still for a moment makes no calls, so there is nothing to spare.
    for (int tries = 0; tries < TRIES && !is_left_alone(&without, &with); tries++) {
        watch_it(&own.service, NULL, &without);
        breaker_begin(&breaker, &policy, now_ms());
        story_timeline();
        watch_it(&own.service, &breaker, &with);
        story_quiet(true);
    }
    temp_server_end(&own);
    story_say("✗ calls in vain, ✓ good ones, · none; each column is %d ms:", COLUMN_MS);
    story_say("");
    draw("without", &without);
    draw("with a breaker", &with);
    story_head("|wanted|sent|in vain|opened|probes");
    story_row("without|%ld|%ld|%ld||", without.wanted, without.sent, without.failed);
    story_row("with a breaker|%ld|%ld|%ld|%ld|%ld", with.wanted, with.sent, with.failed,
              with.openings, with.probes);
    claim_report(
        &leaves_alone, holds_if(is_left_alone(&without, &with)),
        "%ld calls in vain instead of %ld: %ld until it opened, and %ld probes; %ld calls "
        "were let through, and the server has seen %ld; in the end it is %s",
        with.failed, without.failed, with.failed - with.failed_probes, with.failed_probes,
        with.sent, with.seen, breaker_state_name(breaker.state));
}
