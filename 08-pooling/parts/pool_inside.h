// pool_inside.h: what the four files of the pool share. A program includes pool.h.
//
// pool.c lends resources and takes them back; pool_items.c opens and closes them;
// pool_maintenance.c closes old resources and opens missing ones; pool_report.c has the
// statistics. One lock guards everything. The caller of a function here holds the lock. Some
// functions unlock it while they call a function of the pool's owner; their comments say so.
#ifndef POOL_INSIDE_H
#define POOL_INSIDE_H

#include <pthread.h>
#include <time.h>

#include "pool.h"
#include "timers.h"

#define MS INT64_C(1000000) // nanoseconds

// An item goes FREE -> OPENING -> OUT -> IDLE -> CHECKING -> OUT ..., and from each state
// through CLOSING back to FREE. Every item that is not FREE counts against `max`.
enum state {
    FREE,     // a place without a resource
    OPENING,  // a borrower, or the pool's own thread, opens a resource
    CHECKING, // a borrower validates the resource, or it will be closed in a moment
    OUT,      // the resource is lent
    IDLE,     // the resource waits for a borrower
    CLOSING,  // the resource is being closed
    STATES
};

struct pool_item {
    enum state state;
    bool reported;          // this loan was reported as a leak
    void *resource;         // NULL: there is none, or it is not open yet
    const char *who;        // the borrower's name
    uint64_t loan;          // the number of the present loan
    int64_t since_ns;       // when the resource became IDLE, or was lent
    int64_t ends_ns;        // when its lifetime ends, or NEVER
    struct pool_item *next; // the next item in the list of idle items, or of free ones
};

// A borrower in line. Its thread sleeps until another thread sets `served`.
struct waiter {
    struct waiter *before, *behind;
    pthread_cond_t turn;
    bool served;             // the waiter has left the line
    struct pool_item *item;  // the item that it got; NULL: none
    enum pool_result result; // why it got none
};

struct pool {
    struct pool_config config;
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    struct waiter *first, *last;   // the line
    struct pool_item *idle, *free; // lists; the item that was added last is taken first
    int count[STATES];             // items in each state
    int inside;                    // threads that are in line, or are leaving it
    struct pool_stats stats;       // the counters; pool_stats() adds the present states
    bool failing;                  // the last open failed
    int64_t retry_at_ns;           // after a failure: when the next open may be tried
    char last_error[POOL_ERROR];   // the reason of the last failure
    uint64_t random;               // state of the random numbers
    bool closed;                   // pool_close() was called
    pthread_cond_t gone;   // wakes pool_close(): an item was freed, or a thread left the line
    uint64_t loans;        // how many loans there have been
    bool has_threads;      // the next two threads run; not in a pool with a clock of its own
    pthread_t maintenance; // closes resources that are old or idle, and reports leaks
    pthread_t filler;      // opens up to `min`: when the server hangs, only this thread waits
    uint64_t chores;       // grows when the two threads have to look again at once
    pthread_cond_t work;   // wakes the two threads
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

// How many items are not FREE.
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

// True if a resource may be opened now: there is a free place, and no open has failed within
// retry_ms. After a failure one thread alone tries; the others wait for its result.
bool pool_may_open(struct pool *pool, int64_t now);

// Takes a free item, which is OPENING then.
struct pool_item *pool_take_free(struct pool *pool);

// Opens a resource in this item; that may last until end_ns (of now_ns()). False: it failed,
// and the item is FREE again. Unlocks the pool meanwhile.
bool pool_open(struct pool *pool, struct pool_item *item, int64_t end_ns);

// Closes an item's resource. The item remains the caller's. Unlocks the pool meanwhile.
void pool_close_resource(struct pool *pool, struct pool_item *item, enum pool_reason reason);

// Serves the threads in line, the first one first, as long as there is an item for them.
void pool_serve_line(struct pool *pool);

// The item's resource is idle, or the item is free. The first thread in line gets it, if there
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

// Takes this item out of the list of idle items. It is CHECKING then, and the caller's.
void pool_take_idle(struct pool *pool, struct pool_item *item);

// Calls the owner's validate(), which may take half of open_ms. Unlocks the pool meanwhile.
bool pool_is_valid(struct pool *pool, struct pool_item *item);

// Wakes the pool's own threads: there is work that they do not know of.
void pool_wake_maintenance(struct pool *pool);

// pool_maintenance.c: the two threads.
void *pool_maintain(void *pool);
void *pool_fill(void *pool);

// pool_report.c: pool_list_holders() is pool_holders() for a caller that holds the lock;
// pool_count_wait() counts a borrower that was served after this wait.
int pool_list_holders(struct pool *pool, char *text, int size);
void pool_count_wait(struct pool *pool, int64_t waited_ns);

#endif
