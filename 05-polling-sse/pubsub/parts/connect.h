// connect.h: how a connection becomes a client's, and how it ends.
#ifndef CONNECT_H
#define CONNECT_H

#include "delivery.h"

#define CLIENTS_MAX 10000 // connected; the next one gets code 3
#define SILENT_MAX  1000  // connections without a CONNECT; for one more the oldest is closed

extern int clients_max; // at most CLIENTS_MAX

// Puts a new connection into the list of those without a CONNECT; takes it out of this list.
void expect_connect(struct client *client);
void forget_silent(struct client *client);

// Answers a CONNECT. False: the broker has refused it; the caller is to close the connection.
bool take_connect(struct client *client, const struct mqtt_connect *connect);

// The client is gone: the broker publishes its will, if it still has one, and keeps its
// session, unless it is a clean one.
void leave(struct client *client);

// The same for a client that did what is not allowed; `what` goes to the log. Returns false.
bool reject(struct client *client, const char *what);

#endif
