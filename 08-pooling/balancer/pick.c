// pick.c: see pick.h. Read round_robin() first: the others have its shape, or are a figure of
// which lowest() takes the lowest.
#include "pick.h"

#include <math.h>

#include "measure.h"

static bool ignore_health; // all are unhealthy: see pick()

// True if an algorithm may take this backend: it is healthy, has a weight, and was not tried.
static bool may_take(const struct backend *backend, const struct pick_for *what)
{
    return backend->weight > 0 && !(what->tried >> backend->index & 1) &&
           (ignore_health || backend_is_healthy(backend));
}

uint32_t pick_hash(const void *bytes, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 16777619u;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu; // neighbours among addresses are far apart now
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

// ---- one after the other -------------------------------------------------------------------

static struct backend *round_robin(struct group *group, const struct pick_for *what)
{
    for (int i = 0; i < group->count; i++) {
        struct backend *b = group->members[group->next++ % group->count];
        if (may_take(b, what))
            return b;
    }
    return NULL;
}

// With weights 5, 1, 1 this gives a a b a c a a, not a a a a a b c: each backend gains its
// weight each time, and the one that is taken pays what all have gained.
static struct backend *weighted_round_robin(struct group *group, const struct pick_for *what)
{
    struct backend *best = NULL;
    int total = 0;
    for (int i = 0; i < group->count; i++) {
        struct backend *b = group->members[i];
        if (!may_take(b, what))
            continue;
        total += b->weight;
        b->current_weight += b->weight;
        if (!best || b->current_weight > best->current_weight)
            best = b;
    }
    if (best)
        best->current_weight -= total;
    return best;
}

// ---- the one with the lowest figure --------------------------------------------------------

// Begins with another backend each time: among equals, each has its turn.
static struct backend *lowest(struct group *group, const struct pick_for *what,
                              double (*figure)(struct backend *))
{
    struct backend *best = NULL;
    double best_figure = INFINITY;
    group->next++;
    for (int i = 0; i < group->count; i++) {
        struct backend *b = group->members[(group->next + i) % group->count];
        if (may_take(b, what) && figure(b) < best_figure) {
            best = b;
            best_figure = figure(b);
        }
    }
    return best;
}

static double connections(struct backend *b)
{
    return b->active;
}

// The new one counts as well: so an idle backend of weight 1 is no better than one of weight 4
// that has two.
static double connections_by_weight(struct backend *b)
{
    return (b->active + 1.0) / b->weight;
}

// How long a new request would take, if those before it go one after the other.
static double response_time(struct backend *b)
{
    backend_fade(b);
    return b->response_us * (b->active + 1);
}

static double bandwidth(struct backend *b)
{
    backend_fade(b);
    return b->bytes_second;
}

// ---- by the client's address ---------------------------------------------------------------

// The backends that may be taken, in their order. Returns how many there are.
static int list_candidates(const struct group *group, const struct pick_for *what,
                           struct backend *list[BACKENDS_MAX])
{
    int count = 0;
    for (int i = 0; i < group->count; i++)
        if (may_take(group->members[i], what))
            list[count++] = group->members[i];
    return count;
}

// The same address has the same backend, as long as there are as many backends.
static struct backend *address_hash(struct group *group, const struct pick_for *what)
{
    struct backend *list[BACKENDS_MAX];
    int count = list_candidates(group, what, list);
    if (count == 0)
        return NULL;
    return list[what->address_hash % (uint32_t)count];
}

// Each pair of an address and a backend has a number, and the highest one wins (rendezvous
// hashing: Thaler, Ravishankar 1998). If a backend goes, only its own clients move.
static struct backend *consistent_hash(struct group *group, const struct pick_for *what)
{
    struct backend *list[BACKENDS_MAX], *best = NULL;
    int count = list_candidates(group, what, list);
    uint32_t best_hash = 0;
    for (int i = 0; i < count; i++) {
        uint32_t pair[2] = {what->address_hash, pick_hash(list[i]->id, ID_BYTES)};
        uint32_t hash = pick_hash(pair, sizeof pair);
        if (!best || hash > best_hash) {
            best = list[i];
            best_hash = hash;
        }
    }
    return best;
}

// ---- by chance -----------------------------------------------------------------------------

static uint64_t seed = 1;

static struct backend *random_one(struct group *group, const struct pick_for *what)
{
    struct backend *list[BACKENDS_MAX];
    int count = list_candidates(group, what, list);
    if (count == 0)
        return NULL;
    return list[random_next(&seed) % (uint64_t)count];
}

// Two by chance, and of these the one that has less to do (Mitzenmacher 2001).
static struct backend *two_choices(struct group *group, const struct pick_for *what)
{
    struct backend *list[BACKENDS_MAX];
    int count = list_candidates(group, what, list);
    if (count < 2)
        return count ? list[0] : NULL;
    int first = (int)(random_next(&seed) % (uint64_t)count);
    int second = (int)(random_next(&seed) % (uint64_t)(count - 1));
    if (second >= first)
        second++;
    if (list[second]->active < list[first]->active)
        return list[second];
    return list[first];
}

// ---- all -----------------------------------------------------------------------------------

const struct pick_algorithm pick_algorithms[] = {
    {"round-robin", .pick = round_robin},
    {"weighted-round-robin", .pick = weighted_round_robin},
    {"least-connections", .figure = connections},
    {"weighted-least-connections", .figure = connections_by_weight},
    {"address-hash", .pick = address_hash},
    {"consistent-hash", .pick = consistent_hash},
    {"least-response-time", .figure = response_time},
    {"random", .pick = random_one},
    {"two-choices", .pick = two_choices},
    {"least-bandwidth", .figure = bandwidth},
    {0}};

const struct pick_algorithm *pick_find(const char *name)
{
    for (const struct pick_algorithm *a = pick_algorithms; a->name; a++)
        if (!strcmp(a->name, name))
            return a;
    return NULL;
}

static struct backend *pick_one(const struct pick_algorithm *algorithm, struct group *group,
                                const struct pick_for *what)
{
    if (algorithm->figure)
        return lowest(group, what, algorithm->figure);
    return algorithm->pick(group, what);
}

struct backend *pick(const struct pick_algorithm *algorithm, struct group *group,
                     const struct pick_for *what)
{
    struct backend *b = pick_one(algorithm, group, what);
    if (b)
        return b;
    ignore_health = true;
    b = pick_one(algorithm, group, what);
    ignore_health = false;
    return b;
}
