// leg_inside.h: what leg.c and leg_loop.c have in common. Programs include leg.h.
#ifndef LEG_INSIDE_H
#define LEG_INSIDE_H

#include "leg.h"

// The leg has something to do at the end of this round; its end, because of an error.
void leg_queue(struct leg *leg);
void leg_fail(struct leg *leg, int error);

// From now the peer has LEG_STALL_MS to take what the lowest pace asks for.
void leg_begin_period(struct leg *leg);

// Epoll has reported events of a leg.
void leg_serve(struct leg *leg, uint32_t events);

// Lets the program use bytes that have come; those that it leaves are kept.
void leg_offer(struct leg *leg, const char *bytes, size_t length);

// Finds out what has become of a leg that something has happened to.
void leg_settle(struct leg *leg);

#endif
