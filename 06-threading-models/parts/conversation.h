// conversation.h: what a worker does that has a connection to itself (single, fork, thread,
// prefork): it reads, has the request handled, writes the answer, and waits, blocked in the
// kernel, for the next one.
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "crew.h"

// Talks with a client until either has enough: the client closes, or says that this was all, or
// is silent too long; or the crew stops. Leaves `fd` to the caller, who closes it.
//
// To end it from outside: set crew->stopping, and shutdown(fd, SHUT_RD), which makes read()
// return 0 when what has come before is used up.
void converse(int fd, struct worker *worker);

#endif
