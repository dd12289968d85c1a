// mqtt.h: the packets of MQTT 3.1.1 (OASIS standard of 29 October 2014): reading one from a
// buffer with every check that the standard asks for, and writing one.
//
// A packet is a type and four flags (one byte), the length of the rest (one to four bytes,
// seven bits in each, §2.2.3), and the rest. Strings are two bytes of length, and UTF-8
// (§1.5.3).
#ifndef MQTT_H
#define MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define MQTT_PACKET_MAX 262144 // bytes of a packet; §2.2.3 would allow 268,435,460
#define MQTT_HEAD_MAX   5      // bytes of type, flags and length
#define MQTT_TEXT_MAX   65535  // bytes of a string

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
};

// What a CONNACK says (§3.2.2.3), and a SUBACK of a filter that is refused (§3.9.3).
enum mqtt_code {
    MQTT_ACCEPTED,
    MQTT_WRONG_LEVEL,
    MQTT_BAD_CLIENT_ID,
    MQTT_UNAVAILABLE,
    MQTT_BAD_PASSWORD,
    MQTT_NOT_AUTHORIZED,
    MQTT_FILTER_REFUSED = 0x80,
};

enum mqtt_sender { MQTT_FROM_CLIENT, MQTT_FROM_SERVER };

// Bytes of a packet. No NUL follows them.
struct mqtt_text {
    const char *at;
    uint32_t length;
};

struct mqtt_connect {
    bool known_level; // false: the client speaks another version; nothing else was read
    bool clean, has_will, will_retain, has_user, has_password;
    uint8_t will_qos;
    uint16_t keep_alive_s;
    struct mqtt_text client_id, will_topic, will_payload, user, password;
};

// A packet. The texts of a packet that was read point into the bytes that it was read from.
struct mqtt_packet {
    enum mqtt_type type;
    bool dup, retain; // of a PUBLISH
    uint8_t qos;
    uint16_t id; // 0: this packet has none
    struct mqtt_text topic;
    struct mqtt_text payload; // of a PUBLISH; filters or codes of the packets about filters
    bool session_present;     // of a CONNACK
    uint8_t code;             // of a CONNACK
    struct mqtt_connect connect;
    const char *why; // what is wrong with it
};

// How many bytes the packet that begins here has in all. 0: its head is not whole yet. -1: its
// length is written wrongly, or is more than MQTT_PACKET_MAX; *why says so.
ssize_t mqtt_size(const char *bytes, size_t length, const char **why);

// Reads a packet that `sender` may send. Returns its bytes; 0: it is not whole yet; -1: it is
// malformed, and packet->why says what is wrong.
ssize_t mqtt_read(const char *bytes, size_t length, enum mqtt_sender sender,
                  struct mqtt_packet *packet);

// Takes the next filter of a SUBSCRIBE (with its QoS) or an UNSUBSCRIBE (`qos` is NULL) that
// was read: begin with *filters = packet.payload. False: that was the last one.
bool mqtt_next_filter(struct mqtt_text *filters, struct mqtt_text *filter, uint8_t *qos);

// Writes the first bytes of a packet of which `rest` bytes follow. Returns how many they are.
size_t mqtt_write_head(char *out, enum mqtt_type type, unsigned flags, size_t rest);

// Writes a packet that is only an id: PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK (4 bytes).
size_t mqtt_write_id(char *out, enum mqtt_type type, uint16_t id);

// Writes a PUBLISH up to its payload, which the caller then appends. Returns how many bytes it
// has written: at most MQTT_HEAD_MAX + 2 + topic.length + 2.
size_t mqtt_write_publish(char *out, const struct mqtt_packet *packet);

// How many bytes a PUBLISH has, with its payload.
size_t mqtt_publish_size(const struct mqtt_packet *packet);

// Writes a number of two bytes; two bytes of length, and the text. Returns how many bytes it
// has written.
size_t mqtt_write_number(char *out, unsigned number);
size_t mqtt_write_text(char *out, struct mqtt_text text);

// Copies the bytes of a text to `to`, and returns the copy.
struct mqtt_text mqtt_copy(char *to, struct mqtt_text text);

// The order in which tsearch(3) keeps structs that begin with a text.
int mqtt_order(const void *a, const void *b);

// Inline: the compiler knows how long a literal string is.
static inline struct mqtt_text mqtt_text(const char *string)
{
    return (struct mqtt_text){string, (uint32_t)strlen(string)};
}

static inline bool mqtt_same(struct mqtt_text a, struct mqtt_text b)
{
    return mqtt_order(&a, &b) == 0;
}

// "PUBLISH" and so on; "?" for the two numbers that no packet has.
const char *mqtt_name(enum mqtt_type type);

// What a CONNACK's code means.
const char *mqtt_code_name(unsigned code);

#endif
