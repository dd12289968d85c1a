// message.c: see message.h.
#include "message.h"

#include <stdlib.h>
#include <string.h>

static uint64_t total;

uint32_t message_size(const struct message *message)
{
    return (uint32_t)sizeof *message + message->topic_length + message->payload_length;
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
    *message = (struct message){1, topic.length, payload.length, qos, retain};
    memcpy(message->bytes, topic.at, topic.length);
    if (payload.length)
        memcpy(message->bytes + topic.length, payload.at, payload.length);
    total += size;
    return message;
}

struct message *message_keep(struct message *message)
{
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

struct mqtt_text message_topic(const struct message *message)
{
    return (struct mqtt_text){message->bytes, message->topic_length};
}

struct mqtt_text message_payload(const struct message *message)
{
    return (struct mqtt_text){message->bytes + message->topic_length, message->payload_length};
}

uint64_t messages_bytes(void)
{
    return total;
}
