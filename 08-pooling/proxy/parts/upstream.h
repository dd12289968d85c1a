// upstream.h: the connections to servers: opened without waiting, kept for later requests,
// looked up and guarded where the server is the client's choice.
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "exchange.h"

#define UPSTREAMS_MAX     4000
#define UPSTREAM_IDLE_MS  30000 // that a connection is kept for the next request
#define UPSTREAM_IDLE_MAX 100   // such connections
#define CONNECT_MS        5000

// Finds a connection for the exchange: an idle one, or a new one. If there can be none, the
// exchange fails.
void upstream_find(struct exchange *x);

// The exchange is over. Keeps its connection for the next one, or closes it.
void upstream_done(struct upstream *up, bool keep);

// The loop's calls (loop.h). The first one returns false if the connection that was opened is
// not one to a server.
bool upstream_opened(struct upstream *up);
size_t upstream_received(struct upstream *up, const char *bytes, size_t length);
bool upstream_produce(struct upstream *up);
void upstream_timeout(struct upstream *up);
void upstream_woken(struct upstream *up);
void upstream_closed(struct upstream *up);

// Opens the connections that this round has asked for.
void upstream_open_all(struct loop *loop);

#endif
