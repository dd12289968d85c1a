// sys_topics.h: what the broker says of itself, under the names that mosquitto has for it.
#ifndef SYS_TOPICS_H
#define SYS_TOPICS_H

#include "mqtt.h"

// If the filter is about $SYS, retains the figures of this moment: so whoever subscribes gets
// them. (mosquitto publishes its figures every 10 seconds.)
void sys_topics_refresh(struct mqtt_text filter);

#endif
