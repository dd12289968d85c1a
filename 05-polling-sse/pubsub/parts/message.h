// message.h: a published message. All sessions that have it in their queues share one copy.
#ifndef MESSAGE_H
#define MESSAGE_H

#include "mqtt.h"

#define MESSAGES_TOTAL   (256 << 20) // bytes of all messages in backlogs; see session_queue()
#define MESSAGES_RESERVE (32 << 20)  // more bytes, for messages that are in no backlog

struct message {
    struct mqtt_text topic; // first: mqtt_order() compares retained messages by it
    struct mqtt_text payload;
    uint32_t references;
    uint8_t qos;  // the publisher's
    bool retain;  // the publisher asked to retain it
    char bytes[]; // the topic, and the payload behind it
};

// A new message with one reference; NULL: no memory, or the reserve is used up.
struct message *message_new(struct mqtt_text topic, struct mqtt_text payload, uint8_t qos,
                            bool retain);

// Adds a reference and returns the message; drops a reference, and frees the message with the
// last one. NULL stays NULL.
struct message *message_keep(struct message *message);
void message_drop(struct message *message);

// How many bytes of a session's backlog the message takes.
uint32_t message_size(const struct message *message);

// How many bytes all messages have.
uint64_t messages_bytes(void);

#endif
