// connect.h: how a connection becomes a client's, and how it ends.
#ifndef CONNECT_H
#define CONNECT_H

#include "delivery.h"

#define CLIENTS_MAX 10000 // connected; the next one gets code 3
#define SILENT_MAX  1000  // connections without a CONNECT; then the one that waits longest goes

extern int clients_max; // at most CLIENTS_MAX

// A connection is open, and is to say CONNECT; it has, or is gone.
void expect_connect(struct client *client);
void forget_silent(struct client *client);

// Answers a CONNECT. False: it was refused, and the connection is to be closed.
bool take_connect(struct client *client, const struct mqtt_connect *connect);

// The client is gone: its will, if it still has one, is published; its session stays, unless it
// was a clean one.
void leave(struct client *client);

// The same for a client that did what is not allowed: it is logged. Returns false.
bool reject(struct client *client, const char *what);

#endif
