// sys_topics.h: the broker's own figures, under the topics that mosquitto has for them.
#ifndef SYS_TOPICS_H
#define SYS_TOPICS_H

#include "mqtt.h"

// If the filter is about $SYS, retains the figures of this moment, so that a subscriber gets
// them. (mosquitto publishes its figures every 10 seconds.)
void sys_topics_refresh(struct mqtt_text filter);

#endif
