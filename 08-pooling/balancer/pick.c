// pick.c: see pick.h. Read pick() first, then round_robin(): the others have its shape, or are
// a figure of which lowest() takes the lowest.
#include "pick.h"

#include <math.h>

#include "measure.h"

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

static struct backend *round_robin(const struct candidates *from)
{
    return from->list[from->turn % (unsigned)from->count];
}

// With weights 5, 1, 1 this gives a a b a c a a, not a a a a a b c: each backend gains its
// weight each time, and the one that is taken pays what all have gained.
static struct backend *weighted_round_robin(const struct candidates *from)
{
    struct backend *best = from->list[0];
    int total = 0;
    for (int i = 0; i < from->count; i++) {
        struct backend *b = from->list[i];
        total += b->weight;
        b->current_weight += b->weight;
        if (b->current_weight > best->current_weight)
            best = b;
    }
    best->current_weight -= total;
    return best;
}

// ---- the one with the lowest figure --------------------------------------------------------

// Begins with another backend each time: among equals, each has its turn.
static struct backend *lowest(const struct candidates *from, double (*figure)(struct backend *))
{
    struct backend *best = NULL;
    double best_figure = INFINITY;
    for (int i = 1; i <= from->count; i++) {
        struct backend *b = from->list[(from->turn + (unsigned)i) % (unsigned)from->count];
        if (figure(b) < best_figure) {
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

// The same address has the same backend, as long as there are as many backends.
static struct backend *address_hash(const struct candidates *from)
{
    return from->list[from->address_hash % (uint32_t)from->count];
}

// Each pair of an address and a backend has a number, and the highest one wins (rendezvous
// hashing: Thaler, Ravishankar 1998). If a backend goes, only its own clients move.
static struct backend *consistent_hash(const struct candidates *from)
{
    struct backend *best = NULL;
    uint32_t best_hash = 0;
    for (int i = 0; i < from->count; i++) {
        struct backend *b = from->list[i];
        uint32_t pair[2] = {from->address_hash, pick_hash(b->id, ID_BYTES)};
        uint32_t hash = pick_hash(pair, sizeof pair);
        if (!best || hash > best_hash) {
            best = b;
            best_hash = hash;
        }
    }
    return best;
}

// ---- by chance -----------------------------------------------------------------------------

static int random_below(int count)
{
    static uint64_t seed = 1;
    return (int)(random_next(&seed) % (uint64_t)count);
}

static struct backend *random_one(const struct candidates *from)
{
    return from->list[random_below(from->count)];
}

// Two by chance, and of these the one that has less to do (Mitzenmacher 2001).
static struct backend *two_choices(const struct candidates *from)
{
    if (from->count == 1)
        return from->list[0];
    int first = random_below(from->count), second = random_below(from->count - 1);
    if (second >= first)
        second++;
    if (from->list[second]->active < from->list[first]->active)
        return from->list[second];
    return from->list[first];
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

static void list_candidates(struct candidates *all, const struct group *group, uint32_t tried,
                            bool healthy)
{
    for (int i = 0; i < group->count; i++) {
        struct backend *b = group->members[i];
        if (b->weight > 0 && !(tried >> b->index & 1) && (backend_is_healthy(b) || !healthy))
            all->list[all->count++] = b;
    }
}

struct backend *pick(const struct pick_algorithm *algorithm, struct group *group,
                     const struct pick_for *what)
{
    struct candidates all = {.address_hash = what->address_hash, .turn = group->turn};
    if (what->tried == 0) // a second try takes no turn from another request
        group->turn++;
    list_candidates(&all, group, what->tried, true);
    if (all.count == 0) // all are unhealthy
        list_candidates(&all, group, what->tried, false);
    if (all.count == 0)
        return NULL;
    if (algorithm->figure)
        return lowest(&all, algorithm->figure);
    return algorithm->pick(&all);
}
