// hearing.h: what an HTTP/2 client does with a frame that has come; the other half of talk.c.
#ifndef HEARING_H
#define HEARING_H

#include "talk.h"

// Takes one frame of what was read. False: none is whole, or the server broke the rules: then
// it is told so by GOAWAY, and the connection is at its end.
bool talk_take(struct talk *talk);

// Where what comes on a stream is kept: it may still be another one's, of long ago.
struct reply *talk_slot(struct talk *talk, uint32_t stream);

// Tells the listener of a frame.
void talk_announce(struct talk *talk, bool to_server, const struct frame *frame);

#endif
