// stage.h: what a relay waits for, and how long. The deadline is for a whole stage: a byte now
// and then gives no more time. Content may be long, so it has a lowest pace instead of a
// deadline.
#ifndef STAGE_H
#define STAGE_H

#include "relay.h"

// Begins a stage, with its deadline.
void begin_stage(struct relay *relay, enum stage stage);

// Finds out what the relay waits for now, and begins this stage, if it is a new one or belongs
// to the next request.
void enter_stage(struct relay *relay);

// Call it when the upstream has sent or taken bytes. The proxy trusts it: its deadline begins
// again.
void upstream_moved(struct relay *relay);

// At the end of STAGE_CONTENT or STAGE_TAKE: true if the client was as fast as it has to be.
bool stage_is_in_pace(const struct relay *relay);

#endif
