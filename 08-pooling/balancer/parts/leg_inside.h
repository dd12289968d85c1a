// leg_inside.h: what leg.c, leg_input.c and leg_loop.c have in common. Programs include leg.h.
#ifndef LEG_INSIDE_H
#define LEG_INSIDE_H

#include "leg.h"

struct legs {
    const struct leg_program *program;
    struct timers timers; // one for each leg
    struct leg *todo;     // legs that have something to do at the end of the round
    int epoll, clients;
    int64_t round_ns, retry_accept_ns;
};

extern struct legs legs;

// The leg has something to do at the end of this round; its end, because of an error.
void leg_queue(struct leg *leg);
void leg_fail(struct leg *leg, int error);

// Epoll is asked for other events, at the end of this round: what was wanted only in between
// costs no system call.
void leg_watch(struct leg *leg, uint32_t events);

// From now the peer has LEG_STALL_MS to take what the lowest pace asks for.
void leg_begin_period(struct leg *leg);

// Epoll has reported events of a leg; a deadline may have passed.
void leg_serve(struct leg *leg, uint32_t events);
void leg_expire(struct leg *leg);

// Sends what waits. Moves what is in the pipe to the peer; false: the kernel has no room.
void leg_flush(struct leg *leg);
bool leg_pump(struct leg *from);

// Lets the program use bytes that have come.
void leg_offer(struct leg *leg, const char *bytes, size_t length);

// What has become of a leg; of all that have something to do. What they cause is done as well.
void leg_settle(struct leg *leg);
void leg_settle_all(void);

#endif
