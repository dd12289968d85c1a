// subscribe.h: SUBSCRIBE and UNSUBSCRIBE.
#ifndef SUBSCRIBE_H
#define SUBSCRIBE_H

#include "delivery.h"

#define FILTERS_MAX 1000 // in one SUBSCRIBE

// Adds the filters to the client's session, answers with the QoS granted for each of them, and
// lets the retained messages that match wait for it. False: too many of them; the connection is
// to be closed.
bool take_subscribe(struct client *client, const struct mqtt_packet *packet);

// Takes the filters away, and answers.
void take_unsubscribe(struct client *client, const struct mqtt_packet *packet);

#endif
