// backoff.c: a hundred clients, and a server that fails for a while.
//
// One thread plays all of them: as threads they would take the processor away from the server,
// and from one another, and a wave would be none.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger_client.h"
#include "claim.h"
#include "fetch.h"
#include "http.h"
#include "measure.h"
#include "net.h"
#include "temp_server.h"
#include "retry.h"
#include "scenes.h"
#include "smaller.h"
#include "story.h"
#include "text.h"

#define CLIENTS   100
#define OUTAGE_MS 600
#define SLOT_MS   20
#define SLOTS     60 // of the picture: the outage, and what comes behind it
#define ROWS      4  // of the picture
#define NAME_CELL 13 // columns for a crowd's name beside the picture, where there is room
#define SCALE     9  // columns for the scale between the name and the slots, and the margin
#define TRIES     3
#define FULLEST   (SLOTS / 10) // what share of the retries comes in the fullest tenth?

struct crowd_client {
    int fd;         // -1: it waits
    int64_t due_ns; // for this moment
    int attempts;
    bool done;
    uint64_t random;
    char key[UUID_LENGTH + 1];
};

// One way to come back.
struct crowd {
    const char *name;
    struct retry_policy policy;
    const struct service *service;
    int64_t began_ns;
    long slots[SLOTS];   // requests that were sent in each,
    long retries[SLOTS]; // without the first of each client
    long requests;       // in all
    int done;            // clients whose charge is made
    double share;        // of the retries in the slots, the part in the FULLEST ones
    struct crowd_client clients[CLIENTS];
};

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
        if (i < FULLEST)
            most += sorted[i];
    }
    if (all == 0)
        return 0;
    return (double)most / (double)all;
}

// A call has come to its end: when is the next one?
static void finish(struct crowd *crowd, struct crowd_client *client, enum call_outcome outcome,
                   int status)
{
    int64_t now = now_ns();
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    if (!retry_may(outcome, status, true)) {
        client->done = true;
        crowd->done += status == 201;
        return;
    }
    int64_t wait_ms =
        retry_wait_ms(&crowd->policy, client->attempts, (now - crowd->began_ns) / 1000000,
                      RETRY_UNASKED, random_next(&client->random));
    client->done = wait_ms == RETRY_GIVE_UP;
    client->due_ns = now + wait_ms * 1000000;
}

static void call_now(struct crowd *crowd, struct crowd_client *client,
                     const struct customer *customer)
{
    char request[1000];
    int64_t slot = (now_ns() - crowd->began_ns) / (SLOT_MS * 1000000);
    if (slot < SLOTS) {
        crowd->slots[slot]++;
        crowd->retries[slot] += client->attempts > 0;
    }
    crowd->requests++;
    client->attempts++;
    int length = snprintf(request, sizeof request,
                          "POST /charges HTTP/1.1\r\n" FETCH_HOST "Connection: close\r\n"
                          "Idempotency-Key: \"%s\"\r\nContent-Length: %zu\r\n\r\n%s",
                          client->key, strlen(customer->charge), customer->charge);
    // On loopback this does not wait: the kernel takes the connection, and the request.
    client->fd = fetch_connect(&crowd->service->address, 0);
    if (client->fd < 0)
        finish(crowd, client, CALL_REFUSED, 0);
    else if (send(client->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        finish(crowd, client, CALL_LOST, 0);
}

static void take_answer(struct crowd *crowd, struct crowd_client *client)
{
    static struct http_head head;
    char answer[2000]; // comes in one piece; if not, it is as good as lost
    ssize_t got = recv(client->fd, answer, sizeof answer, 0);
    bool whole = got > 0 && http_read_response(answer, (size_t)got, &head) > 0;
    if (whole)
        finish(crowd, client, CALL_ANSWERED, head.status);
    else
        finish(crowd, client, CALL_LOST, 0);
}

// Waits until one of the clients has an answer, or has to make its next call; not for ever.
static void await(struct crowd *crowd, struct pollfd *polled, int64_t next_ns)
{
    int64_t left_ns = next_ns - now_ns(), most_ns = PATIENCE_MS * INT64_C(1000000);
    if (left_ns < 0)
        left_ns = 0;
    if (left_ns > most_ns)
        left_ns = most_ns;
    struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
    for (int i = 0; i < CLIENTS; i++)
        polled[i] = (struct pollfd){crowd->clients[i].fd, POLLIN, 0};
    int ready = ppoll(polled, CLIENTS, &left, NULL);
    if (ready < 0 && errno != EINTR)
        die("cannot wait for answers: %s", strerror(errno));
    if (ready == 0 && left_ns == most_ns)
        die("no answer for %d seconds", PATIENCE_MS / 1000);
}

static void run(struct crowd *crowd, const struct customer *customer)
{
    struct pollfd polled[CLIENTS];
    memset(crowd->slots, 0, sizeof crowd->slots);
    memset(crowd->retries, 0, sizeof crowd->retries);
    crowd->requests = crowd->done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        crowd->clients[i] = (struct crowd_client){.fd = -1, .random = (uint64_t)now_ns()};
        new_key(crowd->clients[i].key);
    }
    fail_for(crowd->service, OUTAGE_MS);
    crowd->began_ns = now_ns();
    for (;;) {
        int64_t next_ns = INT64_MAX;
        int busy = 0;
        for (int i = 0; i < CLIENTS; i++) {
            struct crowd_client *client = &crowd->clients[i];
            if (client->fd < 0 && !client->done && client->due_ns <= now_ns())
                call_now(crowd, client, customer);
            if (client->fd < 0 && !client->done && client->due_ns < next_ns)
                next_ns = client->due_ns;
            busy += !client->done;
        }
        if (!busy)
            break;
        await(crowd, polled, next_ns);
        for (int i = 0; i < CLIENTS; i++)
            if (polled[i].fd >= 0 && polled[i].revents)
                take_answer(crowd, &crowd->clients[i]);
    }
    crowd->share = share_of_fullest(crowd->retries);
}

// A picture of upright bars, each a slot of SLOT_MS.
static void draw(const struct crowd *crowd)
{
    static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int name_cell = (int)smaller(NAME_CELL, (size_t)(text_width() - SLOTS - SCALE));
    long most = 1;
    for (int i = 0; i < SLOTS; i++)
        if (crowd->slots[i] > most)
            most = crowd->slots[i];
    story_say("");
    for (int row = ROWS - 1; row >= 0; row--) {
        if (row == ROWS - 1)
            printf("  %-*s%5ld ┤%s", name_cell, crowd->name, most, paint(CYAN));
        else
            printf("  %*s │%s", name_cell + 5, "", paint(CYAN));
        for (int i = 0; i < SLOTS; i++) {
            long height = (crowd->slots[i] * ROWS * 8 + most - 1) / most - row * 8;
            if (height < 0)
                height = 0;
            if (height > 8)
                height = 8;
            printf("%s", eighths[height]);
        }
        printf("%s\n", paint(PLAIN));
    }
    printf("  %*s └", name_cell + 5, "");
    for (int i = 0; i < SLOTS; i++)
        printf("%s", i == OUTAGE_MS / SLOT_MS ? "┴" : "─");
    printf("\n");
}

// Is it as the notes say? Jitter costs some requests, since on average it waits half as long;
// what it saves is the waves.
static bool is_spared(const struct crowd storms[3])
{
    return 4 * storms[0].requests > 5 * storms[1].requests &&
           4 * storms[0].requests > 5 * storms[2].requests &&
           storms[1].share > 1.4 * storms[2].share;
}

static const struct claim spares = {"10.7", "guide §13.8",
                                    "exponential back-off: do not hammer a failing service",
                                    HOLDS, NULL};

void scene_backoff(void)
{
    static const char *const quick[] = {"--process-ms", "0", NULL};
    static struct crowd storms[] = {
        {.name = "at once", .policy = {1000000, 0, 0, PATIENCE_MS, false}},
        {.name = "back-off", .policy = {100, 250, 1000, PATIENCE_MS, false}},
        {.name = "with jitter", .policy = {100, 250, 1000, PATIENCE_MS, true}},
    };
    const struct crowd *at_once = &storms[0], *backoff = &storms[1], *jitter = &storms[2];
    static struct temp_server own;
    struct customer customer;
    int tries;
    customer_new(&customer);
    temp_server_begin(&own, quick);
    story_say("%d clients want to pay at the same moment; for %d ms all they get is 503.",
              CLIENTS, OUTAGE_MS);
    story_say("Their requests, each column %d ms (┴ is the end of the outage):", SLOT_MS);
    // On a busy machine the clients that call at once are too slow to make many requests, and
    // clients that wait for different moments come back together: then all is run once more.
    for (tries = 0; tries < TRIES && !is_spared(storms); tries++)
        for (int i = 0; i < 3; i++) {
            storms[i].service = &own.service;
            run(&storms[i], &customer);
        }
    for (int i = 0; i < 3; i++)
        draw(&storms[i]);
    int charges = charges_of(&own.service, &customer);
    temp_server_end(&own);
    story_say("");
    story_say("Which part of the retries comes in the fullest tenth of the columns?");
    story_head("retry|requests|have paid|fullest 1/10");
    for (int i = 0; i < 3; i++)
        story_row("%s|%ld|%d|%.0f %%", storms[i].name, storms[i].requests, storms[i].done,
                  100 * storms[i].share);
    claim_report(
        &spares, holds_if(charges == 3 * CLIENTS * tries && is_spared(storms)),
        "%ld requests until all have paid, %ld with back-off, %ld with jitter. But clients "
        "that failed together come back together: %.0f %% of the retries in a tenth of the "
        "time, with jitter %.0f %%",
        at_once->requests, backoff->requests, jitter->requests, 100 * backoff->share,
        100 * jitter->share);
}
