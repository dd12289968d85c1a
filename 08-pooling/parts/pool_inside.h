// pool_inside.h: what the four files of the pool share. A program includes pool.h.
//
// pool.c lends and takes back, pool_items.c opens and closes, pool_maintenance.c closes what is
// too old and opens what is missing, pool_report.c tells how it goes. One lock guards
// everything. All functions here are called with it held; those that say so let go of it while
// they call the pool's owner.
#ifndef POOL_INSIDE_H
#define POOL_INSIDE_H

#include <pthread.h>
#include <time.h>

#include "pool.h"
#include "timers.h"

#define MS INT64_C(1000000) // nanoseconds

// A resource goes FREE -> OPENING -> OUT -> IDLE -> CHECKING -> OUT ..., and from each of them
// over CLOSING back to FREE. Whatever is not FREE counts against `max`.
enum state {
    FREE,     // a place without a resource
    OPENING,  // a borrower's already, or the pool's own
    CHECKING, // a borrower's already: is asked whether it is still good, or about to be closed
    OUT,      // lent
    IDLE,
    CLOSING,
    STATES
};

struct pool_item {
    enum state state;
    bool reported;          // as a leak
    void *resource;         // NULL while there is none, or none yet
    const char *who;        // the borrower's name
    uint64_t loan;          // the number of the loan by which it is out
    int64_t since_ns;       // that it is idle, or out
    int64_t ends_ns;        // its lifetime, or NEVER
    struct pool_item *next; // the next idle one, or free one
};

// A borrower in line. Its thread sleeps until it is served.
struct waiter {
    struct waiter *before, *behind;
    pthread_cond_t turn;
    bool served;             // it is out of the line,
    struct pool_item *item;  // and this is its own;
    enum pool_result result; // or there is none for it, and why
};

struct pool {
    struct pool_config config;
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    struct waiter *first, *last;   // the line
    struct pool_item *idle, *free; // what was returned last is lent first
    int count[STATES];             // items in each state
    int inside;                    // threads in line, or on their way out of it
    struct pool_stats stats;       // what only grows
    bool failing;                  // the last open failed,
    int64_t retry_at_ns;           // and before this moment no other is tried
    char last_error[POOL_ERROR];
    uint64_t random;
    bool closed;           // pool_close() has been called
    pthread_cond_t gone;   // for it: an item was closed, or a thread has left the line
    uint64_t loans;        // so far
    bool has_threads;      // the next two; a pool with a clock of its own has none
    pthread_t maintenance; // closes what is old or idle, reports leaks
    pthread_t filler;      // opens to `min`: a server that hangs holds up nothing else
    uint64_t chores;       // grows when these threads are to look again at once
    pthread_cond_t work;   // for them
    struct pool_item items[];
};

static inline int64_t pool_now(const struct pool *pool)
{
    struct timespec now;
    if (pool->config.clock)
        return pool->config.clock();
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now); // quick, and exact enough: see time(7)
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// Things that there are, or will be in a moment.
static inline int pool_total(const struct pool *pool)
{
    return pool->config.max - pool->count[FREE];
}

static inline void pool_set_state(struct pool *pool, struct pool_item *item, enum state state)
{
    pool->count[item->state]--;
    pool->count[state]++;
    item->state = state;
}

// True if a further resource may be opened now: there is a place for it, and no open has failed
// a moment ago. After a failure one alone tries; the others wait for what becomes of it.
bool pool_may_open(struct pool *pool, int64_t now);

// A free place, now OPENING.
struct pool_item *pool_take_free(struct pool *pool);

// Opens a resource for this place, until end_ns of now_ns() at the latest. False: that failed,
// and the place is free again. Lets go of the lock meanwhile.
bool pool_open(struct pool *pool, struct pool_item *item, int64_t end_ns);

// Closes an item's resource. The place remains the caller's. Lets go of the lock meanwhile.
void pool_close_resource(struct pool *pool, struct pool_item *item, enum pool_reason reason);

// Gives the first in line what they can have, as long as there is something.
void pool_serve_line(struct pool *pool);

// A resource that may be lent, or a place that may be opened in: to the first in line, if there
// is one.
static inline void pool_put_idle(struct pool *pool, struct pool_item *item)
{
    pool_set_state(pool, item, IDLE);
    item->next = pool->idle;
    pool->idle = item;
    if (pool->first)
        pool_serve_line(pool);
}

void pool_put_free(struct pool *pool, struct pool_item *item);

// An idle item, now CHECKING and the caller's.
void pool_take_idle(struct pool *pool, struct pool_item *item);

// Asks it whether it can still be used; that may take half of open_ms. Lets go of the lock
// meanwhile.
bool pool_is_valid(struct pool *pool, struct pool_item *item);

// The maintenance thread has something to do that it does not know of.
void pool_wake_maintenance(struct pool *pool);

// pool_maintenance.c: the two threads; and the first one's work, which returns when there will
// be more of it.
void *pool_maintain(void *pool);
void *pool_fill(void *pool);
int64_t pool_maintain_once(struct pool *pool);

// pool_report.c: pool_holders(), and one more borrower was served after this wait.
int pool_list_holders(struct pool *pool, char *text, int size);
void pool_count_wait(struct pool *pool, int64_t waited_ns);

#endif
