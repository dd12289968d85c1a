// stage.h: what a relay waits for, and how long. Each stage has a deadline for the whole of it,
// so that a byte now and then buys no time; content has to keep a pace instead, because it may
// be long.
#ifndef STAGE_H
#define STAGE_H

#include "relay.h"

// Begins a stage, with its deadline.
void begin_stage(struct relay *relay, enum stage stage);

// Finds out what the relay waits for now. If that is something else than before, or the next
// request's, begins it.
void enter_stage(struct relay *relay);

// The upstream has sent or taken something. It is trusted: its deadline begins anew.
void upstream_moved(struct relay *relay);

// At the end of STAGE_CONTENT or STAGE_TAKE: true if the client was as fast as it has to be.
bool stage_is_in_pace(const struct relay *relay);

#endif
