// sys_topics.c: see sys_topics.h.
#include "sys_topics.h"

#include <stdio.h>
#include <string.h>

#include "delivery.h"
#include "retained.h"

static void retain(const char *topic, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    struct message *message = message_new(mqtt_text(topic), mqtt_text(text), 0, true);
    if (message)
        retained_set(message);
    message_drop(message);
}

void sys_topics_refresh(struct mqtt_text filter)
{
    if (filter.length < 4 || memcmp(filter.at, "$SYS", 4) != 0)
        return;
    retain("$SYS/broker/clients/connected", figures.connected);
    retain("$SYS/broker/clients/total", sessions_count());
    retain("$SYS/broker/messages/stored", retained_count());
    retain("$SYS/broker/publish/messages/received", figures.received);
    retain("$SYS/broker/publish/messages/sent", figures.sent);
    retain("$SYS/broker/publish/messages/dropped", sessions_dropped() + figures.dropped);
}
