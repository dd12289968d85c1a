// race.c: scene race: the same request many times at the same moment.
#include <pthread.h>
#include <string.h>

#include "ledger_client.h"
#include "claim.h"
#include "net.h"
#include "operation.h"
#include "temp_server.h"
#include "scenes.h"
#include "story.h"

#define RUNNERS 20
#define BANK_MS "50" // that a charge takes

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    struct operation operation;
    bool done;
};

struct result {
    int created, replayed, conflicts; // first answers
    int done;                         // runners that have an answer that stands, in the end
    bool same;                        // all of these have the same content
    int charges;
};

static void *run(void *argument)
{
    struct runner *runner = argument;
    pthread_barrier_wait(runner->start);
    runner->done = operation_run(&runner->operation);
    return NULL;
}

// All start at the same moment, and go on as operation.c does: a runner that gets 409 asks
// again later.
static void race(const struct service *service, const char *target, const char *key,
                 struct result *result)
{
    static struct runner runners[RUNNERS];
    struct customer customer;
    pthread_barrier_t start;
    customer_new(&customer);
    pthread_barrier_init(&start, NULL, RUNNERS);
    memset(runners, 0, sizeof runners);
    for (int i = 0; i < RUNNERS; i++) {
        runners[i].start = &start;
        runners[i].operation =
            (struct operation){.service = service,
                               .request = {"POST", target, key, customer.charge, PATIENCE_MS},
                               .policy = {20, 50, 400, PATIENCE_MS, true},
                               .random = (uint64_t)now_ns() + (uint64_t)i};
        if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
            die("cannot start a thread");
    }
    *result = (struct result){.same = true};
    for (int i = 0; i < RUNNERS; i++) {
        const struct runner *runner = &runners[i];
        pthread_join(runner->thread, NULL);
        result->conflicts += runner->operation.first_status == 409;
        result->replayed += runner->operation.first_replayed;
        result->created +=
            runner->operation.first_status == 201 && !runner->operation.first_replayed;
        result->done += runner->done;
        result->same &=
            !strcmp(runner->operation.last.content, runners[0].operation.last.content);
    }
    pthread_barrier_destroy(&start);
    result->charges = charges_of(service, &customer);
}

static void show(const char *name, const struct result *result)
{
    story_row("%s|%d|%d|%d|%d|%d", name, result->created, result->replayed, result->conflicts,
              result->done, result->charges);
}

static const struct claim atomic = {"10.10", "guide §13.4",
                                    "the database itself prevents duplicates: it is atomic",
                                    HOLDS, NULL};

void scene_race(void)
{
    static const char *const slow[] = {"--process-ms", BANK_MS, NULL};
    static struct temp_server own;
    struct result naive, pattern, charges;
    char key[UUID_LENGTH + 1];
    temp_server_begin(&own, slow);
    story_say("%d threads send the same request at the same moment; the bank takes %s ms.",
              RUNNERS, BANK_MS);
    story_say(
        "What is the first answer to each, which of them get a charge in the end, and how many "
        "charges are there?");
    race(&own.service, "/naive/charges", NULL, &naive);
    race(&own.service, "/notes-pattern/charges", new_key(key), &pattern);
    race(&own.service, "/charges", new_key(key), &charges);
    temp_server_end(&own);
    story_head("POST|201|201 again|409|have paid|charges");
    show("/naive/charges", &naive);
    show("/notes-pattern/charges", &pattern);
    show("/charges", &charges);
    claim_report(&atomic,
                 holds_if(charges.charges == 1 && charges.created == 1 &&
                          charges.done == RUNNERS && charges.same &&
                          charges.created + charges.replayed + charges.conflicts == RUNNERS),
                 "%d requests with one key: charged %d time%s. %d came while it was made (409, "
                 "and asked again), %d after it; %d have an answer, %s. Check, then mark: %d "
                 "charges",
                 RUNNERS, charges.charges, charges.charges == 1 ? "" : "s", charges.conflicts,
                 charges.replayed, charges.done,
                 charges.same ? "all the same" : "and not the same", pattern.charges);
}
