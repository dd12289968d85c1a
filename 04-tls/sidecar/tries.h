// tries.h: the tries of a request; see tries.c. All are called in the request's own turn.
#ifndef TRIES_H
#define TRIES_H

#include "sidecar.h"

// Sends the request to an endpoint: on a connection that waits, or on a new one.
void try_begin(struct downstream *d);

// The connection is there: from now on the answer has its time.
void try_wait(struct downstream *d);

// The try has failed: what now?
void try_failed(struct downstream *d);

// The next try comes after a pause.
void try_back_off(struct downstream *d);

// The time of the try, or of the whole request, is over.
void try_give_up(struct downstream *d);

// The endpoint has no more to do with this request.
void try_end(struct downstream *d);

// Asks for timeout() after `ms`, but not later than when the request is given up.
void try_deadline(struct downstream *d, int ms);

#endif
