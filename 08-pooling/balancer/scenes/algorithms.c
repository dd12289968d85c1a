// algorithms.c: all of them against the same backends: equal ones, unequal ones, one that is
// slow, and requests that are large.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "lab.h"
#include "pick.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CLIENTS  6
#define REQUESTS 120
#define BACKENDS 3
#define LARGE    "/bytes/400000"
#define ROAMERS  3000 // clients' addresses

enum { EQUAL, UNEQUAL, SLOW, LARGES, SITUATIONS };

static const int weights[] = {4, 1, 1};
static const char *const large_paths[] = {LARGE, "/", "/"};

static const struct situation {
    const char *title, *backends[BACKENDS];
    const int *weights;
    const char *const *paths;
    int clients, requests;
} situations[SITUATIONS] = {
    {"equal backends",
     {"--delay-ms 2 --workers 1", "--delay-ms 2 --workers 1", "--delay-ms 2 --workers 1"},
     NULL,
     NULL,
     CLIENTS,
     REQUESTS},
    {"a has 4 workers, b and c have 1 (weights 4, 1, 1)",
     {"--delay-ms 4 --workers 4", "--delay-ms 4 --workers 1", "--delay-ms 4 --workers 1"},
     weights,
     NULL,
     CLIENTS,
     REQUESTS},
    {"c takes 30 ms, a and b 2",
     {"--delay-ms 2", "--delay-ms 2", "--delay-ms 30"},
     NULL,
     NULL,
     CLIENTS,
     REQUESTS},
    {"every third request asks for 400 KB", {"", "", ""}, NULL, large_paths, 1, 90}};

#define ALGORITHMS 16
static struct cell {
    struct outcome outcome;
    double busiest; // percent of the bytes that came from the backend with most of them
} cells[ALGORITHMS][SITUATIONS];

static int find(const char *name)
{
    for (int i = 0; pick_algorithms[i].name; i++)
        if (!strcmp(pick_algorithms[i].name, name))
            return i;
    return 0;
}

static const struct cell *cell(const char *name, int situation)
{
    return &cells[find(name)][situation];
}

// Those that go by the client's address have nothing to choose here: see the scene "sticky".
static bool is_by_address(int algorithm)
{
    return strstr(pick_algorithms[algorithm].name, "hash") != NULL;
}

// ---- large answers -------------------------------------------------------------------------

static struct fetch f;

static void throw_away(struct fetch *of, struct http_text part)
{
    (void)of;
    (void)part;
}

// Asks one after the other. Returns the percentage of all bytes that the busiest backend sent.
static double busiest_share(int port, const struct situation *s)
{
    uint64_t bytes[BACKENDS] = {0}, all = 0, most = 0;
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    fetch_or_die(&f, fetch_open(&f, &address, 0));
    f.piece = throw_away;
    for (int i = 0; i < s->requests; i++) {
        fetch_or_die(&f, fetch_ask(&f, "GET", s->paths[i % 3], "", NULL));
        int who = lab_who(&f);
        if (who >= 0 && who < BACKENDS)
            bytes[who] += f.content_bytes;
    }
    fetch_close(&f);
    for (int i = 0; i < BACKENDS; i++) {
        all += bytes[i];
        if (bytes[i] > most)
            most = bytes[i];
    }
    return 100.0 * (double)most / (double)all;
}

// ---- the table -----------------------------------------------------------------------------

static void try_situation(int situation)
{
    const struct situation *s = &situations[situation];
    struct lab lab = {.count = 0};
    for (int b = 0; b < BACKENDS; b++)
        lab_backend(&lab, s->backends[b]);
    for (int i = 0; pick_algorithms[i].name; i++) {
        char options[80];
        if (is_by_address(i))
            continue;
        snprintf(options, sizeof options, "--check-ms 0 --algorithm %s",
                 pick_algorithms[i].name);
        lab_balancer(&lab, options, s->weights);
        struct load load = {.port = lab.port, .clients = s->clients, .requests = s->requests};
        if (s->paths)
            cells[i][situation].busiest = busiest_share(lab.port, s);
        else
            cells[i][situation].outcome = lab_load(&load);
        spawn_stop(lab.balancer);
        lab.balancer = 0;
    }
    lab_end(&lab);
}

static void print_situation(int situation)
{
    double best = 1e9;
    for (int i = 0; pick_algorithms[i].name; i++)
        if (!is_by_address(i) && cells[i][situation].outcome.p99_ms < best)
            best = cells[i][situation].outcome.p99_ms;
    story_say("%s:", situations[situation].title);
    story_head("algorithm|a|b|c|median|p99|");
    for (int i = 0; pick_algorithms[i].name; i++) {
        const struct outcome *o = &cells[i][situation].outcome;
        if (is_by_address(i))
            continue;
        story_row("%s|%d|%d|%d|%.1f ms|%.1f ms|%s", pick_algorithms[i].name, o->answers[0],
                  o->answers[1], o->answers[2], o->median_ms, o->p99_ms,
                  o->p99_ms <= best * 1.1 ? "*" : "");
    }
}

static void print_large(void)
{
    story_say("%s, one at a time:", situations[LARGES].title);
    for (int i = 0; pick_algorithms[i].name; i++)
        if (!is_by_address(i))
            story_bar(pick_algorithms[i].name, cells[i][LARGES].busiest, 100,
                      "%.0f %% of the bytes from one backend", cells[i][LARGES].busiest);
}

// ---- what moves when a backend joins -------------------------------------------------------

// How many of ROAMERS addresses have another backend when there are four instead of three.
static int count_moved(const char *algorithm)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    const struct pick_algorithm *a = pick_find(algorithm);
    struct group group = {.count = 0};
    int moved = 0;
    for (int i = 0; i < 4; i++) {
        group.members[i] = &backends[i];
        backends[i].index = i;
        backends[i].weight = 1;
        snprintf(backends[i].id, sizeof backends[i].id, "%s", names[i]);
    }
    for (uint32_t i = 0; i < ROAMERS; i++) {
        struct pick_for what = {.address_hash = pick_hash(&i, sizeof i)};
        group.count = 3;
        struct backend *before = pick(a, &group, &what);
        group.count = 4;
        moved += pick(a, &group, &what) != before;
    }
    return moved;
}

static int least_of(const struct outcome *o)
{
    int least = o->answers[0];
    for (int i = 1; i < BACKENDS; i++)
        if (o->answers[i] < least)
            least = o->answers[i];
    return least;
}

static int spread(const struct outcome *o)
{
    int most = 0;
    for (int i = 0; i < BACKENDS; i++)
        if (o->answers[i] > most)
            most = o->answers[i];
    return most - least_of(o);
}

static const struct claim capacity = {
    "8.18", "load balancing", "weighted round robin follows capacity, not the load of now",
    HOLDS, NULL};
static const struct claim response_time = {
    "8.20", "load balancing", "least response time: low latency where performance is mixed",
    HOLDS, NULL};
static const struct claim by_chance = {
    "8.21", "load balancing", "random: simple; the distribution is uneven", HOLDS, NULL};
static const struct claim bandwidth = {"8.22", "load balancing",
                                       "least bandwidth, where requests need much bandwidth",
                                       HOLDS, NULL};
static const struct claim short_ones = {
    "8.41", "load balancing", "least connections is not for short-lived connections", NOT_HERE,
    "it counts what is under way now, and counting costs nothing: short requests are spread as "
    "evenly as by round robin, and a slow backend gets fewer"};

static void report(void)
{
    const struct outcome *wrr = &cell("weighted-round-robin", UNEQUAL)->outcome,
                         *wrr_slow = &cell("weighted-round-robin", SLOW)->outcome,
                         *rr_slow = &cell("round-robin", SLOW)->outcome,
                         *lrt = &cell("least-response-time", SLOW)->outcome,
                         *lc = &cell("least-connections", EQUAL)->outcome,
                         *lc_slow = &cell("least-connections", SLOW)->outcome;
    claim_report(
        &capacity,
        holds_if(wrr->answers[0] == REQUESTS * 4 / 6 && wrr_slow->answers[2] == REQUESTS / 3),
        "weights 4, 1, 1: %d, %d, %d of %d requests; and still %d of %d to the slow one",
        wrr->answers[0], wrr->answers[1], wrr->answers[2], REQUESTS, wrr_slow->answers[2],
        REQUESTS);
    claim_report(&response_time, holds_if(lrt->answers[2] < rr_slow->answers[2]),
                 "the slow backend gets %d of %d requests, %d by round robin", lrt->answers[2],
                 REQUESTS, rr_slow->answers[2]);
    int random_spread = spread(&cell("random", EQUAL)->outcome);
    int round_spread = spread(&cell("round-robin", EQUAL)->outcome);
    claim_report(&by_chance, holds_if(random_spread > round_spread),
                 "of %d requests the first and the last backend differ by %d; by %d by round "
                 "robin, by %d with two choices",
                 REQUESTS, random_spread, round_spread,
                 spread(&cell("two-choices", EQUAL)->outcome));
    claim_report(&bandwidth,
                 holds_if(cell("least-bandwidth", LARGES)->busiest * 1.5 <
                          cell("round-robin", LARGES)->busiest),
                 "the busiest backend sends %.0f %% of the bytes, %.0f %% by round robin",
                 cell("least-bandwidth", LARGES)->busiest,
                 cell("round-robin", LARGES)->busiest);
    claim_report(&short_ones,
                 least_of(lc) > 0 && lc_slow->answers[2] < rr_slow->answers[2] ? NOT_HERE
                                                                               : UNCLEAR,
                 "requests of 2 ms: %d, %d, %d; the slow backend gets %d, %d by round robin",
                 lc->answers[0], lc->answers[1], lc->answers[2], lc_slow->answers[2],
                 rr_slow->answers[2]);
}

void scene_algorithms(void)
{
    story_say("%d clients send %d requests to three backends. (*: the shortest p99, or at "
              "most 10 %% longer)",
              CLIENTS, REQUESTS);
    for (int i = 0; i < SITUATIONS; i++)
        try_situation(i);
    for (int i = 0; i < LARGES; i++)
        print_situation(i);
    print_large();
    int mod = count_moved("address-hash"), ring = count_moved("consistent-hash");
    story_say("A fourth backend joins, and of %d clients that go by their address these get "
              "another one:",
              ROAMERS);
    story_bar("address-hash", mod, ROAMERS, "%d", mod);
    story_bar("consistent-hash", ring, ROAMERS, "%d (a quarter is what the new one gets)",
              ring);
    report();
}
