// message.h: a published message, which all sessions that wait for it share.
#ifndef MESSAGE_H
#define MESSAGE_H

#include "mqtt.h"

#define MESSAGES_TOTAL (256 << 20) // bytes of all messages in backlogs; see session_queue()
#define MESSAGES_RESERVE                                                                       \
    (32 << 20) // for messages that do not wait, while the backlogs are full

struct message {
    uint32_t references;
    uint32_t topic_length, payload_length;
    uint8_t qos;  // that it was published with
    bool retain;  // it was published to be retained
    char bytes[]; // the topic, and the payload behind it
};

// A new message with one reference; NULL: no memory, or the reserve is used up.
struct message *message_new(struct mqtt_text topic, struct mqtt_text payload, uint8_t qos,
                            bool retain);

// One more that keeps it; returns it. One fewer; with the last one it is freed.
struct message *message_keep(struct message *message);
void message_drop(struct message *message);

struct mqtt_text message_topic(const struct message *message);
struct mqtt_text message_payload(const struct message *message);

// What it takes of a session's backlog, in bytes.
uint32_t message_size(const struct message *message);

// Bytes of all messages that there are.
uint64_t messages_bytes(void);

#endif
