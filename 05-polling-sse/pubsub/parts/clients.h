// clients.h: how a connection becomes a client's, what the client subscribes to, and how it
// ends.
#ifndef CLIENTS_H
#define CLIENTS_H

#include "delivery.h"

#define CLIENTS_MAX 10000 // connected; the next one gets code 3
#define SILENT_MAX  1000  // connections without a CONNECT; for one more the oldest is closed
#define FILTERS_MAX 1000  // in one SUBSCRIBE

extern int clients_max; // at most CLIENTS_MAX

// Puts a new connection into the list of those without a CONNECT; takes it out of this list.
void expect_connect(struct client *client);
void forget_silent(struct client *client);

// Answers a CONNECT. False: the broker has refused it; the caller is to close the connection.
bool take_connect(struct client *client, const struct mqtt_connect *connect);

// Adds the filters to the client's session, answers with the QoS granted for each filter, and
// puts the retained messages that match into the session's queue. False: there are too many
// filters; the caller is to close the connection.
bool take_subscribe(struct client *client, const struct mqtt_packet *packet);

// Removes the filters from the client's session, and answers.
void take_unsubscribe(struct client *client, const struct mqtt_packet *packet);

// The client is gone: the broker publishes its will, if it still has one, and keeps its
// session, unless it is a clean one.
void leave(struct client *client);

// The same for a client that did what is not allowed; `what` goes to the log. Returns false:
// the caller is to close the connection. (MQTT 3.1.1 has no packet that would tell the client,
// §4.8.)
bool reject(struct client *client, const char *what);

#endif
