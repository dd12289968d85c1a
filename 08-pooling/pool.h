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
//     pool_release(&lease, usable); // always, also after an error
//     ...
//     int missing = pool_close(pool, 5000);
//
// The pool promises:
// * There are never more than `max` resources. Those that are being opened or closed count too.
// * Threads that wait are served in the order in which they came. A resource that is returned
//   goes directly to the first thread in line, and no later thread can take it.
// * The pool calls your functions outside its lock: a slow open delays no other thread.
// * The pool closes a broken resource, and the first thread in line may open another one.
// * When an open fails, its borrower gets the reason. For `retry_ms` no other borrower tries to
//   open: the others wait for resources that are lent; if none is lent, they get the same
//   reason. (A borrower whose idle resource turns out to be dead opens another one at once, or
//   gets the reason of the failure.)
// * A lease may be returned twice, even through a copy. The second time does nothing, so the
//   next borrower of the resource is safe.
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>

#define POOL_MAX_RESOURCES 10000
#define POOL_ERROR         256 // bytes of an error text
#define POOL_WAITS         26  // classes of waiting times: see pool_stats

struct pool;

struct pool_config {
    int min; // the pool keeps so many resources open, used or not; 0: it opens them as needed
    int max; // there are never more resources than this; 1 to POOL_MAX_RESOURCES

    // All times are in milliseconds, and exact to a tick of the kernel's clock (1 to 10 ms).
    int acquire_ms; // a borrower waits in line for so long; 0: it does not wait
    int open_ms;    // validating and opening together may take so long, validating half of it
    int retry_ms;   // after an open has failed, the pool tries no other open for so long
    int idle_ms;    // a resource that is idle for so long is closed, if more than min; 0: never
    int lifetime_ms; // a resource of this age is closed when it is not lent; 0: never
    int jitter; // 0 to 50: each lifetime is shorter by a random part, at most so many percent
    int validate_ms; // a resource that was idle for longer is validated before a loan; 0: all
    int leak_ms;     // a resource that is out for longer is reported, once; 0: never

    // Makes a resource, or returns NULL and writes the reason to `why`. It has to give up after
    // timeout_ms.
    void *(*open)(void *context, int timeout_ms, char why[POOL_ERROR]);
    void (*close)(void *resource);
    // True if the resource can still be used. It has to give up after timeout_ms. NULL:
    // resources are not validated.
    bool (*validate)(void *resource, int timeout_ms);
    // Called when the borrower `who` has held a resource for longer than leak_ms. May be NULL.
    void (*leaked)(void *context, const char *who, double held_ms);
    void *context; // for open and leaked

    // For tests: returns the nanoseconds of another clock. Such a pool has no threads, and its
    // owner has to call pool_tend(). NULL: the kernel's clock.
    int64_t (*clock)(void);
};

enum pool_result { POOL_OK, POOL_TIMEOUT, POOL_OPEN_FAILED, POOL_SHUT };

// What a borrower holds. Only one thread may use it at a time.
struct lease {
    void *resource;          // the borrowed resource; NULL after its return
    enum pool_result result; // the result of pool_acquire()
    char error[POOL_ERROR];  // the reason, if the result is not POOL_OK
    struct pool *pool;       // the members from here on are for the pool alone
    struct pool_item *item;
    uint64_t loan; // the number of this loan
};

enum pool_reason { // why a resource was closed
    POOL_BROKEN,   // its borrower returned it as not usable
    POOL_INVALID,  // validate() returned false
    POOL_IDLE,     // it was idle for idle_ms
    POOL_OLD,      // its lifetime was over
    POOL_CLOSED,   // pool_close() was called
    POOL_REASONS
};
extern const char *const pool_reason_name[POOL_REASONS];

struct pool_stats {
    int active, idle;     // resources that are lent; resources that wait to be lent
    int opening, closing; // resources that are being opened or validated; or closed
    int waiting;          // borrowers in line
    int most;             // the largest number of resources at one time
    uint64_t created;     // opens that succeeded
    uint64_t failed;      // opens that failed
    uint64_t closed[POOL_REASONS];
    uint64_t acquired; // successful calls of pool_acquire()
    uint64_t timeouts; // borrowers that waited acquire_ms in vain
    uint64_t leaks;    // leaks that were reported
    uint64_t misuses;  // leases that were returned a second time
    // How long the successful borrowers waited. waits[0] counts those that did not wait;
    // waits[n] those that waited at least 2^(n-1) and less than 2^n microseconds; the last
    // class also counts all longer waits.
    uint64_t waits[POOL_WAITS];
};

// Makes a pool with this configuration, which it copies. pool_create() opens no resource: a
// thread of the pool soon opens `min` of them, or pool_tend() does. Returns NULL if the
// configuration makes no sense (errno EINVAL), or if there is no memory or no further thread.
struct pool *pool_create(const struct pool_config *config);

// Borrows a resource. `who` names the borrower for the leak report (a name, or __func__) and
// must live as long as the lease. Waits at most acquire_ms, and at most open_ms more if a
// resource has to be validated or opened. On failure returns false, and lease->result and
// lease->error say why.
bool pool_acquire(struct pool *pool, const char *who, struct lease *lease);

// Returns the resource. Set `usable` to false if the resource is broken, or in a state that
// another borrower must not meet: then the pool closes it. If the lease was returned before, or
// has no resource, pool_release() does nothing and returns false.
bool pool_release(struct lease *lease, bool usable);

// Does at once what the pool's own threads do from time to time: closes resources that are old
// or were idle for too long, opens resources up to `min`, and reports leaks.
void pool_tend(struct pool *pool);

void pool_stats(struct pool *pool, struct pool_stats *stats);

// Writes the names of the borrowers and how long each has had its resource, the longest first:
// "report.c:12 for 3.2 s, ...", as much as fits. Returns how many resources are lent.
int pool_holders(struct pool *pool, char *text, int size);

// A percentile of the waiting times: `part` (0 to 1) of the borrowers waited for at most so
// many milliseconds. The figure is rounded up to the end of its class.
double pool_wait_ms(const struct pool_stats *stats, double part);

// Closes the pool. It lends no more resources, the threads in line get POOL_SHUT, and resources
// that are idle or come back are closed. First waits for the pool's own threads, which may be
// opening or closing a resource; then at most timeout_ms until no resource is out. Returns 0
// when all resources are closed: then the pool is freed. Else it returns how many are still
// out, and the pool remains for pool_holders(), pool_release() and another pool_close(). No
// thread may call pool_acquire() while pool_close() runs.
int pool_close(struct pool *pool, int timeout_ms);

#endif
