// message.c: see message.h.
#include "message.h"

#include <stdlib.h>

static uint64_t total;

uint32_t message_size(const struct message *message)
{
    return (uint32_t)sizeof *message + message->topic.length + message->payload.length;
}

struct message *message_new(struct mqtt_text topic, struct mqtt_text payload, uint8_t qos,
                            bool retain)
{
    size_t size = sizeof(struct message) + topic.length + payload.length;
    struct message *message = NULL;
    if (total + size <= MESSAGES_TOTAL + MESSAGES_RESERVE)
        message = malloc(size);
    if (!message)
        return NULL;
    *message = (struct message){.references = 1, .qos = qos, .retain = retain};
    message->topic = mqtt_copy(message->bytes, topic);
    message->payload = mqtt_copy(message->bytes + topic.length, payload);
    total += size;
    return message;
}

struct message *message_keep(struct message *message)
{
    if (message)
        message->references++;
    return message;
}

void message_drop(struct message *message)
{
    if (!message || --message->references > 0)
        return;
    total -= message_size(message);
    free(message);
}

uint64_t messages_bytes(void)
{
    return total;
}
