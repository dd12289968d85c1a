// fan_out.h: `--fan-out uring`: an event for thousands of subscribers in a few system calls. By
// default each subscriber gets its events by a send() of its own. Here the sends of one event
// are handed to the kernel together, hundreds in one call (../../common/ring.h).
#ifndef FAN_OUT_H
#define FAN_OUT_H

#include "connection.h"

// Opens the ring. Dies where the kernel refuses it.
void fan_out_begin(struct service *service);
void fan_out_end(struct service *service);

// At the end of a round of the loop in which there was news: sends the newest event to all
// subscribers that miss only this one and have nothing else to send. The other ones are woken.
void fan_out(struct service *service);

#endif
