// pool.h: a pool of resources that are expensive to make and can be used again: connections.
//
//     struct pool *pool = pool_create(&(struct pool_config){
//         .max = 10, .acquire_ms = 2000, .open_ms = 1000, .retry_ms = 100,
//         .open = log_in, .close = hang_up, .context = &address});
//     ...
//     struct lease lease; // in any thread, as often as you like
//     if (!pool_acquire(pool, "monthly report", &lease))
//         return complain(lease.error); // "nothing free within 2000 ms, 10 of 10 out: ..."
//     bool usable = ask(lease.resource, "get user 7", &answer);
//     pool_release(&lease, usable); // always, on every way out
//     ...
//     int missing = pool_close(pool, 5000);
//
// What it promises:
// * never more than `max` resources at once, those included that are being opened or closed;
// * threads that wait are served in the order of their coming: a resource that is returned goes
//   directly to the first in line, and no later thread can take it;
// * your functions are called outside the pool's lock: a slow open holds up no other thread;
// * a broken resource is closed, and the first in line may open another in its place;
// * when an open fails, its borrower gets an error with the reason. For `retry_ms` no other
//   borrower tries again: they wait for resources that are lent out; if none is, they get the
//   same reason. (A borrower whose idle resource proves dead replaces it at once, or learns why
//   not.)
// * a lease that is returned twice, even by a copy of it, does no harm to whoever has it next.
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>

#define POOL_MAX_RESOURCES 10000
#define POOL_ERROR         256 // bytes of a reason
#define POOL_WAITS         26  // classes of waiting times

struct pool;

struct pool_config {
    int min; // so many are kept open, used or not; 0: only as needed
    int max; // and no more than so many; 1 to POOL_MAX_RESOURCES

    // All times are in milliseconds, and exact to a tick of the kernel's clock (1 to 10 ms).
    int acquire_ms;  // so long a borrower waits in line; 0: not at all
    int open_ms;     // so long validating and opening may take together: validating half of it
    int retry_ms;    // after an open that failed no other is tried for so long
    int idle_ms;     // what was not used for so long is closed, down to min; 0: never
    int lifetime_ms; // a resource so old is closed, as soon as it is not lent; 0: never
    int jitter;      // percent, 0 to 50: each lives so much shorter, at random, or less
    int validate_ms; // what was idle for longer is asked before it is lent; 0: always
    int leak_ms;     // what is out for longer is reported, once; 0: never

    // Makes a resource, or returns NULL and says why not. Must give up after timeout_ms.
    void *(*open)(void *context, int timeout_ms, char why[POOL_ERROR]);
    void (*close)(void *resource);
    // True if the resource can still be used; must give up after timeout_ms. NULL: not asked.
    bool (*validate)(void *resource, int timeout_ms);
    // Called when a borrower has had a resource for longer than leak_ms. May be NULL.
    void (*leaked)(void *context, const char *who, double held_ms);
    void *context; // for open and leaked

    // For tests: nanoseconds of another clock. Then the pool has no thread of its own, and
    // pool_tend() is the caller's to call. NULL: the kernel's clock.
    int64_t (*clock)(void);
};

enum pool_result { POOL_OK, POOL_TIMEOUT, POOL_OPEN_FAILED, POOL_SHUT };

// What a borrower holds. Only one thread uses it at a time.
struct lease {
    void *resource;          // what was borrowed; NULL when it is returned
    enum pool_result result; // of pool_acquire()
    char error[POOL_ERROR];  // and why it was not POOL_OK
    struct pool *pool;       // this and the next are the pool's
    struct pool_item *item;
    uint64_t loan; // the number of this loan
};

enum pool_reason { // why a resource was closed
    POOL_BROKEN,   // its borrower returned it as not usable
    POOL_INVALID,  // it did not answer when it was asked
    POOL_IDLE,     // idle_ms
    POOL_OLD,      // lifetime_ms
    POOL_CLOSED,   // pool_close()
    POOL_REASONS
};
extern const char *const pool_reason_name[POOL_REASONS];

struct pool_stats {
    int active, idle; // lent; waiting to be lent
    int opening, closing;
    int waiting;              // borrowers in line
    int most;                 // resources that there have been at once
    uint64_t created, failed; // opens that succeeded, and that did not
    uint64_t closed[POOL_REASONS];
    uint64_t acquired, timeouts;
    uint64_t leaks;   // that were reported
    uint64_t misuses; // pool_release() of what was not lent, or not any more
    // How long the successful borrowers waited: waits[0] did not, waits[n] waited at least
    // 2^(n-1) and less than 2^n microseconds; the last one includes all longer ones.
    uint64_t waits[POOL_WAITS];
};

// A pool with this configuration (it is copied). Opens nothing yet: a thread of it soon opens
// `min` resources; so does pool_tend(). Returns NULL if the configuration makes no sense (errno
// EINVAL), or if there is no memory or no further thread.
struct pool *pool_create(const struct pool_config *config);

// Borrows a resource. `who` says for the leak report who has it: a name, or __func__; it must
// live as long as the lease. Returns false with lease->result and lease->error if there is none
// within acquire_ms, and open_ms more where one has to be asked or opened.
bool pool_acquire(struct pool *pool, const char *who, struct lease *lease);

// Returns it; `usable` is false if it is broken, or in a state that no other borrower should
// meet. False: this lease was returned before, or never got anything. Then nothing happens.
bool pool_release(struct lease *lease, bool usable);

// Does now what the pool's own thread does when it is time: closes what is old or was idle for
// too long, opens what is missing to `min`, reports leaks.
void pool_tend(struct pool *pool);

void pool_stats(struct pool *pool, struct pool_stats *stats);

// The names of the borrowers, and for how long each has had its resource, the longest first:
// "report.c:12 for 3.2 s, ...". As much of it as there is room for. Returns how many are held.
int pool_holders(struct pool *pool, char *text, int size);

// So many milliseconds, at least, `part` (0 to 1) of the borrowers had waited no longer than.
double pool_wait_ms(const struct pool_stats *stats, double part);

// Ends the pool: nothing is lent any more, threads in line get POOL_SHUT, and what is idle or
// comes back is closed. Waits until nothing is out, at most timeout_ms (and before that for
// what the pool's own thread is just opening or closing). Returns 0 when all is
// closed and the pool is gone; else how many are still out: then it stays, for pool_holders(),
// for the borrowers that still return theirs, and for another pool_close(). Not to be called
// while others may begin a pool_acquire().
int pool_close(struct pool *pool, int timeout_ms);

#endif
