// mqtt_client.h: the client's half of MQTT, for ./client and for the scenes. The client waits
// for one packet at a time, and sends the acknowledgements of QoS 1 and 2.
//
// A program that uses it ignores SIGPIPE: output_begin() does that, and so does play.
//
// It remembers the ids of QoS 2 that have come until the program ends, over reconnections.
#ifndef MQTT_CLIENT_H
#define MQTT_CLIENT_H

#include "mqtt.h"

#define CLIENT_PATIENCE_MS 10000 // for the answer to what the client has sent

struct mqtt_client {
    int fd; // -1: not connected
    const char *host;
    int port;
    char why[160]; // why something failed
    char *in;      // bytes that have come
    size_t in_length, in_used;
    struct mqtt_packet last; // the packet that has come last; its texts are in `in`
    uint16_t last_id;        // the last id that this client has chosen
    int unreleased;          // messages of QoS 2 that have come and wait for PUBREL
    uint8_t received[8192];  // a bit for each id of QoS 2 that has come and is not released
    bool no_answers;         // do not answer messages: a client that is stuck
    // A message has come, and is not known to have come before. It is acknowledged afterwards.
    // False: it is not acknowledged. Not NULL.
    bool (*message)(struct mqtt_client *client, const struct mqtt_packet *packet);
    // Each packet that comes or goes, for a caller that shows them. May be NULL.
    void (*seen)(struct mqtt_client *client, bool sent, const struct mqtt_packet *packet);
};

// Connects to the broker and says CONNECT; client->last is then its CONNACK. False: it was
// refused, see client->why.
bool client_connect(struct mqtt_client *client, const struct mqtt_connect *as);

// Subscribes; waits for the SUBACK. False: refused, or the connection is gone.
bool client_subscribe(struct mqtt_client *client, const char *filter, uint8_t qos);

// Publishes, and waits until the message is through: for PUBACK (QoS 1) or PUBCOMP (QoS 2).
// False: the connection is gone.
bool client_publish(struct mqtt_client *client, const char *topic, const char *text,
                    uint8_t qos, bool retain);

// Sends one packet: a PUBLISH with its topic and payload, one that is only an id, PINGREQ or
// DISCONNECT. False: the connection is gone.
bool client_send(struct mqtt_client *client, const struct mqtt_packet *packet);

// Chooses an id for the client's next packet.
uint16_t client_next_id(struct mqtt_client *client);

// Waits for one packet, and answers it. 1: it is client->last. 0: none has come in this time.
// -1: the connection is gone, or the packet is malformed.
int client_step(struct mqtt_client *client, int timeout_ms);

// Steps until a packet of this type and id has come (id 0: any). False: it has not come within
// CLIENT_PATIENCE_MS, or the connection is gone.
bool client_wait(struct mqtt_client *client, enum mqtt_type type, uint16_t id);

// Ends the connection: with DISCONNECT; without it, as a broken network does.
void client_disconnect(struct mqtt_client *client);
void client_cut(struct mqtt_client *client);

#endif
