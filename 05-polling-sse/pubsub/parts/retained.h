// retained.h: the last message of each topic that was published to be retained (§3.3.1.3).
#ifndef RETAINED_H
#define RETAINED_H

#include "message.h"

#define RETAINED_MAX 10000 // topics

// Keeps the message in place of the older one of its topic. A message without a payload only
// removes the older one. False: there is no room for the message.
bool retained_set(struct message *message);

// Calls `found` for each message whose topic matches the filter.
void retained_match(struct mqtt_text filter, void (*found)(struct message *, void *),
                    void *data);

void retained_end(void);

#endif
