// crash.c: scene crash: the server is killed at every point of its work, started again, and
// asked again.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ledger_client.h"
#include "claim.h"
#include "net.h"
#include "temp_server.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define AT_ONCE 2

enum way { ONE_RECORD, CHECK_THEN_MARK };

static const char *const targets[] = {"/charges", "/notes-pattern/charges"};

struct trial {
    enum way way;
    const char *point; // of --crash-at
    bool killed;       // it died there, by SIGKILL, and the first call has no answer
    int before, after; // charges, after the restart and after the retry
    struct call retry;
};

static struct trial trials[] = {
    {.way = ONE_RECORD, .point = "before-journal"},
    {.way = ONE_RECORD, .point = "after-journal"},
    {.way = ONE_RECORD, .point = "after-sync"},
    {.way = ONE_RECORD, .point = "before-reply"},
    {.way = CHECK_THEN_MARK, .point = "after-check"},
    {.way = CHECK_THEN_MARK, .point = "after-mark"},
    {.way = CHECK_THEN_MARK, .point = "after-charge"},
};

#define TRIALS (sizeof trials / sizeof *trials)

static void try_one(struct trial *trial)
{
    static const char *const plain[] = {NULL};
    const char *const deadly[] = {"--crash-at", trial->point, NULL};
    static struct temp_server own;
    static struct call first;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    customer_new(&customer);
    struct call_request request = {"POST", targets[trial->way], new_key(key), customer.charge,
                                   PATIENCE_MS};
    temp_server_begin(&own, deadly);
    call_make(&own.service, &request, &first);
    if (first.outcome == CALL_LOST)
        trial->killed = temp_server_wait(&own) == 128 + SIGKILL;
    else
        spawn_stop(own.pid); // it has not come to that point
    temp_server_start(&own, plain);
    trial->before = charges_of(&own.service, &customer);
    call_make(&own.service, &request, &trial->retry);
    trial->after = charges_of(&own.service, &customer);
    temp_server_end(&own);
}

struct pair {
    pthread_barrier_t *start;
    const struct service *service;
    struct call_request request;
    struct call call;
};

static void *call_at_once(void *argument)
{
    struct pair *pair = argument;
    pthread_barrier_wait(pair->start);
    call_make(pair->service, &pair->request, &pair->call);
    return NULL;
}

// The notes' pattern without any crash, but two at the same moment. Returns the charges.
static int two_at_once(int *created)
{
    static const char *const wide[] = {"--lookup-ms", "300", NULL}; // the gap, to be seen
    static struct temp_server own;
    static struct pair pairs[AT_ONCE];
    pthread_t threads[AT_ONCE];
    pthread_barrier_t start;
    struct customer customer;
    char key[UUID_LENGTH + 1];
    customer_new(&customer);
    new_key(key);
    temp_server_begin(&own, wide);
    pthread_barrier_init(&start, NULL, AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
        pairs[i].start = &start;
        pairs[i].service = &own.service;
        pairs[i].request = (struct call_request){"POST", targets[CHECK_THEN_MARK], key,
                                                 customer.charge, PATIENCE_MS};
        if (pthread_create(&threads[i], NULL, call_at_once, &pairs[i]))
            die("cannot start a thread");
    }
    *created = 0;
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(threads[i], NULL);
        *created += pairs[i].call.status == 201;
    }
    pthread_barrier_destroy(&start);
    int charges = charges_of(&own.service, &customer);
    temp_server_end(&own);
    return charges;
}

static const char *in_words(int charges)
{
    if (charges == 0)
        return "NEVER";
    if (charges == 1)
        return "once";
    return "TWICE";
}

static void show(const struct trial *trial)
{
    char what[100], answer[CALL_FIELD_BYTES];
    const char *how = "";
    if (trial->retry.replayed)
        how = " again";
    else if (trial->retry.status == 200)
        how = " skipped";
    snprintf(answer, sizeof answer, "%d%s", trial->retry.status, how);
    snprintf(what, sizeof what, "%s %s",
             trial->way == ONE_RECORD ? "/charges," : "notes' pattern,", trial->point);
    story_row("%s|%s|%d|%s|%d|%s", what, trial->killed ? "killed" : "alive", trial->before,
              answer, trial->after, in_words(trial->after));
}

static const struct claim check_then_mark = {
    "10.3", "guide §13.4", "the basic pattern: is it processed? mark it, then process",
    NOT_HERE,
    "Two steps leave room for a crash between them, and for another request. The mark and the "
    "charge have to be one record, on the disk before the answer (fdatasync(2)), as with the "
    "INSERT ... ON CONFLICT of the same section."};

static const struct claim survives = {
    "10.11", "guide §13.4", "one atomic insert works even if the server crashes", HOLDS, NULL};

void scene_crash(void)
{
    int exact = 0, points = 0, lost = 0, created;
    story_say("SIGKILL at a point of its work; a new server with the same journal; the same "
              "request.");
    story_head("server is killed|first call|charges then|retry says|charges now|charged");
    for (size_t i = 0; i < TRIALS; i++) {
        struct trial *trial = &trials[i];
        try_one(trial);
        show(trial);
        bool ours = trial->way == ONE_RECORD;
        points += ours;
        exact += ours && trial->killed && trial->after == 1 && trial->retry.status == 201;
        lost += !ours && trial->killed && trial->after == 0;
    }
    int doubled = two_at_once(&created);
    story_row("notes' pattern, two at once|%d x 201|||%d|%s", created, doubled,
              in_words(doubled));
    claim_report(&survives, holds_if(exact == points),
                 "killed at %d points: charged exactly once after the retry at %d of them",
                 points, exact);
    enum verdict verdict = UNCLEAR;
    if (lost && doubled == AT_ONCE)
        verdict = NOT_HERE;
    claim_report(
        &check_then_mark, verdict,
        "killed after the mark: charged never, and the retry is told that all is done; "
        "two at once, without any crash: charged %d times",
        doubled);
}
