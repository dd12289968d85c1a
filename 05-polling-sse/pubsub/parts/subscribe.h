// subscribe.h: SUBSCRIBE and UNSUBSCRIBE.
#ifndef SUBSCRIBE_H
#define SUBSCRIBE_H

#include "delivery.h"

#define FILTERS_MAX 1000 // in one SUBSCRIBE

// Adds the filters to the client's session, answers with the QoS granted for each filter, and
// puts the retained messages that match into the session's queue. False: there are too many
// filters; the caller is to close the connection.
bool take_subscribe(struct client *client, const struct mqtt_packet *packet);

// Removes the filters from the client's session, and answers.
void take_unsubscribe(struct client *client, const struct mqtt_packet *packet);

#endif
