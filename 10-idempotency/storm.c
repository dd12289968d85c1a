// storm.c: scene backoff: a hundred clients, and a server that fails for a second.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "claim.h"
#include "net.h"
#include "operation.h"
#include "own.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define CLIENTS   100
#define OUTAGE_MS 600
#define SLOT_MS   20
#define SLOTS     60 // of the picture: the outage, and what comes behind it
#define ROWS      4  // of the picture
#define TRIES     3
#define FULLEST   (SLOTS / 10) // what share of the retries comes in the fullest tenth?

// One way to come back.
struct storm {
    const char *name;
    struct retry_policy policy;
    const struct service *service;
    pthread_barrier_t start;
    int64_t began_ns;
    long slots[SLOTS];   // requests that were sent in each,
    long retries[SLOTS]; // without the first of each client
    long requests;       // in all
    int done;            // clients whose charge is made
    double share;        // of all retries, the part that comes in the FULLEST slots
};

struct storm_client {
    struct storm *storm;
    pthread_t thread;
    struct operation operation;
    long slots[SLOTS], retries[SLOTS];
    bool done;
};

static void count(const struct operation *operation)
{
    struct storm_client *client = operation->context;
    int64_t slot = (operation->last.began_ns - client->storm->began_ns) / (SLOT_MS * 1000000);
    if (slot < 0 || slot >= SLOTS)
        return;
    client->slots[slot]++;
    client->retries[slot] += operation->attempts > 1;
}

static void *insist(void *argument)
{
    struct storm_client *client = argument;
    pthread_barrier_wait(&client->storm->start);
    client->done = operation_run(&client->operation);
    return NULL;
}

static int falling(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (y > x) - (y < x);
}

static double share_of_fullest(const long slots[SLOTS])
{
    long sorted[SLOTS], all = 0, most = 0;
    memcpy(sorted, slots, sizeof sorted);
    qsort(sorted, SLOTS, sizeof *sorted, falling);
    for (int i = 0; i < SLOTS; i++) {
        all += sorted[i];
        most += i < FULLEST ? sorted[i] : 0;
    }
    return all ? (double)most / (double)all : 0;
}

static void run(struct storm *storm, const struct customer *customer)
{
    memset(storm->slots, 0, sizeof storm->slots);
    memset(storm->retries, 0, sizeof storm->retries);
    storm->requests = storm->done = 0;
    static struct storm_client clients[CLIENTS];
    static char keys[CLIENTS][UUID_LENGTH + 1];
    memset(clients, 0, sizeof clients);
    pthread_barrier_init(&storm->start, NULL, CLIENTS + 1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].storm = storm;
        clients[i].operation = (struct operation){
            .service = storm->service,
            .request = {"POST", "/charges", new_key(keys[i]), customer->charge, PATIENCE_MS},
            .policy = storm->policy,
            .made = count,
            .context = &clients[i],
            .random = (uint64_t)now_ns() * (uint64_t)(i + 1)};
        if (pthread_create(&clients[i].thread, NULL, insist, &clients[i]))
            die("cannot start a thread");
    }
    fail_for(storm->service, OUTAGE_MS);
    storm->began_ns = now_ns();
    pthread_barrier_wait(&storm->start);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        storm->requests += clients[i].operation.attempts;
        storm->done += clients[i].done;
        for (int slot = 0; slot < SLOTS; slot++) {
            storm->slots[slot] += clients[i].slots[slot];
            storm->retries[slot] += clients[i].retries[slot];
        }
    }
    pthread_barrier_destroy(&storm->start);
    storm->share = share_of_fullest(storm->retries);
}

// A picture of upright bars, each a slot of SLOT_MS.
static void draw(const struct storm *storm)
{
    static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    long most = 1;
    for (int i = 0; i < SLOTS; i++)
        most = storm->slots[i] > most ? storm->slots[i] : most;
    story_say("");
    for (int row = ROWS - 1; row >= 0; row--) {
        if (row == ROWS - 1)
            printf("  %-13s%5ld ┤%s", storm->name, most, paint(CYAN));
        else
            printf("  %18s │%s", "", paint(CYAN));
        for (int i = 0; i < SLOTS; i++) {
            long height = (storm->slots[i] * ROWS * 8 + most - 1) / most - row * 8;
            printf("%s", eighths[height < 0 ? 0 : height > 8 ? 8 : height]);
        }
        printf("%s\n", paint(PLAIN));
    }
    printf("  %18s └", "");
    for (int i = 0; i < SLOTS; i++)
        printf("%s", i == OUTAGE_MS / SLOT_MS ? "┴" : "─");
    printf("\n");
}

// Is it as the notes say? Jitter costs some requests, since on average it waits half as long;
// what it saves is the waves.
static bool is_spared(const struct storm storms[3])
{
    return 2 * storms[0].requests > 3 * storms[1].requests &&
           2 * storms[0].requests > 3 * storms[2].requests &&
           storms[1].share > 1.4 * storms[2].share;
}

static const struct claim spares = {"10.7", "guide §13.8",
                                    "exponential back-off: do not hammer a failing service",
                                    HOLDS, NULL};

void scene_backoff(void)
{
    static const char *const quick[] = {"--process-ms", "0", NULL};
    static struct storm storms[] = {
        {.name = "at once", .policy = {1000000, 0, 0, PATIENCE_MS, false}},
        {.name = "back-off", .policy = {100, 150, 600, PATIENCE_MS, false}},
        {.name = "with jitter", .policy = {100, 150, 600, PATIENCE_MS, true}},
    };
    const struct storm *at_once = &storms[0], *backoff = &storms[1], *jitter = &storms[2];
    static struct own own;
    struct customer customer;
    int tries;
    customer_new(&customer);
    own_begin(&own, quick);
    story_say("%d clients want to pay at the same moment; for %d ms all they get is 503. Their",
              CLIENTS, OUTAGE_MS);
    story_say("requests, each column %d ms (┴ is the end of the outage):", SLOT_MS);
    // Where other programs take the processors away, threads cannot hammer, and those that
    // wait for different moments wake up together: then once more.
    for (tries = 0; tries < TRIES && !is_spared(storms); tries++)
        for (int i = 0; i < 3; i++) {
            storms[i].service = &own.service;
            run(&storms[i], &customer);
        }
    for (int i = 0; i < 3; i++)
        draw(&storms[i]);
    int charges = charges_of(&own.service, &customer);
    own_end(&own);
    story_head("retry|requests|have paid|fullest 1/10");
    for (int i = 0; i < 3; i++)
        story_row("%s|%ld|%d|%.0f %%", storms[i].name, storms[i].requests, storms[i].done,
                  100 * storms[i].share);
    claim_report(
        &spares, charges == 3 * CLIENTS * tries && is_spared(storms) ? HOLDS : UNCLEAR,
        "%ld requests until all have paid, %ld with back-off, %ld with jitter. But who "
        "failed together comes back together: %.0f %% of the retries in a tenth of the "
        "time, with jitter %.0f %%",
        at_once->requests, backoff->requests, jitter->requests, 100 * backoff->share,
        100 * jitter->share);
}
