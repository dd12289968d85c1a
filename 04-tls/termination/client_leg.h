// client_leg.h: the encrypted leg of a relay: from the client, and to it. Here OpenSSL has the
// socket itself, as in most programs; what a call would have to wait for is what poll() is
// asked for next.
#ifndef CLIENT_LEG_H
#define CLIENT_LEG_H

#include "relay.h"

// True if something that the client sends is wanted now.
bool wants_client(const struct relay *relay);

// Reads or writes once. True if bytes have moved.
bool read_client(struct relay *relay);
bool write_client(struct relay *relay);

// The handshake is done: says so.
void tell_established(struct relay *relay);

// After the last byte for the client: waits until the client has closed as well.
void begin_lingering(struct relay *relay);

#endif
