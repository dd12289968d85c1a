// tunnel.h: after CONNECT, or after an Upgrade that the server has agreed to, the proxy passes
// bytes on, both ways, and does not know what they mean.
#ifndef TUNNEL_H
#define TUNNEL_H

#include "exchange.h"

// The connection to CONNECT's server is there: tells the client, and begins. An upgrade begins
// when its 101 is in the pipe to the client.
void tunnel_begin(struct exchange *x);
void tunnel_begin_upgrade(struct exchange *x);

// What side 0 (the client) or 1 (the server) has sent; what is to be sent to it.
size_t tunnel_take(struct exchange *x, int side, const char *bytes, size_t length);
bool tunnel_give(struct exchange *x, int side);

void tunnel_woken(struct exchange *x, int side);
void tunnel_timeout(struct exchange *x);
void tunnel_lost(struct exchange *x, int side); // one of its connections is gone
void tunnel_stop(struct exchange *x);           // the program is to stop

#endif
