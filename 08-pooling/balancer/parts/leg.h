// leg.h: one connection of the balancer: a leg to a client or to a backend. Two legs together
// carry a request. This is an epoll loop like ../../../common/loop.h, for programs that connect
// as well as accept, and that read from a peer while output waits for it.
//
// A leg ends at the end of a round, never in the middle of it: so a call about one leg may end
// another one.
#ifndef LEG_H
#define LEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "timers.h"

#define LEG_IN_BYTES     65536 // that one read() may bring
#define LEG_STALL_MS     10000 // while output waits for a peer, it has to take in this time
#define LEG_STALL_BYTES  10000 // so many bytes
#define LEG_LINGER_MS    2000  // how long bytes are read and thrown away after the last byte
#define LEG_SPLICE_READS 8     // after so many reads of LEG_LARGE_BYTES a relay splices,
#define LEG_LARGE_BYTES  32768 // until less than LEG_SMALL_BYTES come at a time
#define LEG_SMALL_BYTES  4096
#define LEG_PIPE_BYTES   (256 << 10) // that one splice() may move

struct leg;

// What a program does with its legs of one kind. Where all of them are joined before they are
// read from, moved(), connected() and closed() are enough.
struct leg_kind {
    size_t bytes; // of the program's own struct, which begins with a struct leg
    // Bytes are here. Returns how many of them it has used; the others come again, with more.
    size_t (*received)(struct leg *leg, const char *bytes, size_t length);
    void (*moved)(struct leg *leg, size_t length); // so many bytes have passed to the other
    void (*connected)(struct leg *leg);            // of leg_connect(): now it is
    void (*drained)(struct leg *leg);              // the kernel has taken all of its output
    void (*ended)(struct leg *leg);                // the peer has sent its last byte
    void (*timeout)(struct leg *leg);              // its deadline has passed
    void (*closed)(struct leg *leg); // it is gone: leg->error says why (0: in good order)
};

struct leg {
    struct timer timer; // when the loop looks at the deadlines: never later
    const struct leg_kind *kind;
    struct leg *next; // in the list of those that have something to do at the end of the round
    int fd;
    uint32_t watched;            // what epoll has been asked for
    int error;                   // errno of what ended it
    char *in, *out;              // bytes not used yet, bytes not sent yet
    uint32_t in_at, in_length;   // what is left of `in` begins at in_at
    uint32_t out_at, out_length; // what is left of `out` is between the two
    uint32_t out_size;
    uint64_t sent_bytes, taken_bytes; // to the kernel; what the peer had when a period began
    int64_t period_end_ns;            // of LEG_STALL_MS, while output waits
    int64_t deadline_ns;
    struct leg *joined; // what comes on one leg goes to the other; NULL: received() gets it
    int64_t silence_ms; // after which the two end
    int pipe[2];        // bytes that are spliced to the other leg, or -1
    size_t piped;       // how many of them there are
    int large_reads;
    bool connecting, paused, ended, queued, broken;
    bool full;                // bytes have come while it was paused: they wait in the kernel
    bool finishing, finished; // our FIN is to be sent, is sent
    bool closing, lingering;  // leg_close() was called; its last byte is sent
    bool deaf;                // the peer takes no more bytes, but may have sent some
};

// What a program is.
struct leg_program {
    const struct leg_kind *client; // of the legs that are accepted
    int legs_max;                  // of all kinds together
    int clients_max;               // further clients wait in the kernel's queue
    int drain_ms;                  // how long legs may go on when the program is to stop
    void (*opened)(struct leg *client, const struct sockaddr_storage *address);
    bool (*make_place)(void);      // all places are taken: ends a client; NULL: that waits
    int64_t (*tick)(void);         // called when it is time; returns when it is time again
    void (*stop)(struct leg *leg); // the program is to stop: for each client; NULL: nothing
};

// Serves the clients of `listener` until SIGINT or SIGTERM. Returns how many there were.
long leg_run(int listener, const struct leg_program *program);

// The time of this round; true when the program is to stop.
int64_t leg_now(void);
bool leg_is_stopping(void);

// Connects to a server; NULL, and errno, if that fails at once. When it fails later, or takes
// more than `ms`, closed() is called.
struct leg *leg_connect(const struct leg_kind *kind, const struct sockaddr_storage *address,
                        int ms);

// Sends bytes, now or when the peer takes them.
void leg_send(struct leg *leg, const void *bytes, size_t length);

// How many bytes wait for the peer.
size_t leg_waiting(const struct leg *leg);

// received() is not called until leg_resume().
void leg_pause(struct leg *leg);
void leg_resume(struct leg *leg);

// Sends `to` what has come on `from`; while some of it waits, `from` is paused.
void leg_pass(struct leg *from, struct leg *to, const void *bytes, size_t length);

// Joins two legs: from now on, what comes on one of them goes to the other without being looked
// at, as do the peer's last byte and a reset; when nothing passes for so long, both end. Of
// their kinds only moved() and closed() are called.
void leg_join(struct leg *one, struct leg *other, int64_t silence_ms);

// Asks for timeout() `ms` from now, in place of what was asked before; NEVER: not at all.
void leg_deadline(struct leg *leg, int64_t ms);

// Ends our half when all is sent; the peer may go on.
void leg_finish(struct leg *leg);

// Closes the leg when all is sent and the peer has closed, or a while later.
void leg_close(struct leg *leg);

// Ends the leg at the end of this round. `reset`: the peer is told that something is missing.
void leg_abort(struct leg *leg, bool reset);

// Calls for each leg of a kind.
void leg_each(const struct leg_kind *kind, void (*call)(struct leg *leg));

#endif
