// client_leg.h: the encrypted leg of a relay, between the client and the proxy. Here OpenSSL
// has the socket itself, as in most programs. When a call would have to wait, poll() waits for
// it.
#ifndef CLIENT_LEG_H
#define CLIENT_LEG_H

#include "relay.h"

// True if the proxy wants to read from the client now.
bool wants_client(const struct relay *relay);

// Reads or writes once. True if bytes have moved.
bool read_client(struct relay *relay);
bool write_client(struct relay *relay);

// Call it when the handshake is done: notes it, and writes a line of the log.
void tell_established(struct relay *relay);

// After the last byte for the client: waits until the client has closed as well.
void begin_lingering(struct relay *relay);

#endif
