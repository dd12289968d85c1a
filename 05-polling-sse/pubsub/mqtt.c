// mqtt.c: see mqtt.h. Read mqtt_read() first, then read_connect().
#include "mqtt.h"

#include <string.h>

#include "topics.h"
#include "utf8.h"

#define LEVEL 4 // the protocol's level: MQTT 3.1.1 (§3.1.2.2)

// What may be in a CONNECT's flags (§3.1.2.3).
#define FLAG_RESERVED    0x01
#define FLAG_CLEAN       0x02
#define FLAG_WILL        0x04
#define FLAG_WILL_QOS    0x18
#define FLAG_WILL_RETAIN 0x20
#define FLAG_PASSWORD    0x40
#define FLAG_USER        0x80

const char *mqtt_name(enum mqtt_type type)
{
    static const char *const names[16] = {"?",         "CONNECT",  "CONNACK",     "PUBLISH",
                                          "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                          "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                          "PINGREQ",   "PINGRESP", "DISCONNECT",  "?"};
    return names[type];
}

const char *mqtt_code_name(unsigned code)
{
    static const char *const names[] = {
        "accepted",           "unacceptable protocol version", "client id rejected",
        "server unavailable", "bad user name or password",     "not authorized"};
    if (code > MQTT_NOT_AUTHORIZED)
        return "an unknown code";
    return names[code];
}

struct mqtt_text mqtt_copy(char *to, struct mqtt_text text)
{
    if (text.length)
        memcpy(to, text.at, text.length);
    return (struct mqtt_text){to, text.length};
}

int mqtt_order(const void *a, const void *b)
{
    const struct mqtt_text *one = a, *other = b;
    if (one->length != other->length)
        return one->length < other->length ? -1 : 1;
    if (one->length == 0)
        return 0;
    return memcmp(one->at, other->at, one->length);
}

// ---- reading -------------------------------------------------------------------------------

// The part of a packet that is not read yet. When something is missing or wrong, `why` says
// what, and all that the functions below take afterwards is empty.
struct rest {
    const char *at;
    size_t left;
    const char *why;
};

static void wrong(struct rest *rest, const char *why)
{
    if (!rest->why)
        rest->why = why;
    rest->left = 0;
}

static uint8_t take_byte(struct rest *rest)
{
    if (rest->left < 1) {
        wrong(rest, "it ends too early");
        return 0;
    }
    rest->left--;
    return (uint8_t)*rest->at++;
}

static uint16_t take_number(struct rest *rest)
{
    unsigned high = take_byte(rest);
    return (uint16_t)(high << 8 | take_byte(rest));
}

static struct mqtt_text take_bytes(struct rest *rest)
{
    uint32_t length = take_number(rest);
    if (length > rest->left) {
        wrong(rest, "a string is longer than the packet");
        length = 0;
    }
    struct mqtt_text text = {rest->at, length};
    rest->at += length;
    rest->left -= length;
    return text;
}

// A string is UTF-8 without the character U+0000 (§1.5.3).
static struct mqtt_text take_string(struct rest *rest)
{
    struct mqtt_text text = take_bytes(rest);
    if (text.length && memchr(text.at, 0, text.length))
        wrong(rest, "a string has the character U+0000");
    else if (!utf8_is_valid(text.at, text.length))
        wrong(rest, "a string is not UTF-8");
    return text;
}

static struct mqtt_text take_topic(struct rest *rest)
{
    struct mqtt_text topic = take_string(rest);
    if (!rest->why && !topic_is_valid(topic))
        wrong(rest, "a topic is empty, or has a wildcard");
    return topic;
}

static uint16_t take_id(struct rest *rest)
{
    uint16_t id = take_number(rest);
    if (!rest->why && id == 0)
        wrong(rest, "the packet id is 0");
    return id;
}

// The flags of a CONNECT contradict each other (§3.1.2.3 to §3.1.2.9).
static bool bad_flags(unsigned flags)
{
    unsigned will_qos = (flags & FLAG_WILL_QOS) >> 3;
    if (flags & FLAG_RESERVED || will_qos > 2)
        return true;
    if (!(flags & FLAG_WILL) && flags & (FLAG_WILL_QOS | FLAG_WILL_RETAIN))
        return true;
    return flags & FLAG_PASSWORD && !(flags & FLAG_USER);
}

static void read_connect(struct rest *rest, struct mqtt_connect *connect)
{
    struct mqtt_text name = take_string(rest);
    uint8_t level = take_byte(rest);
    bool is_older = mqtt_same(name, mqtt_text("MQIsdp")); // MQTT 3.1
    if (!is_older && !mqtt_same(name, mqtt_text("MQTT")))
        wrong(rest, "the protocol is not MQTT");
    connect->known_level = !is_older && level == LEVEL;
    if (!connect->known_level) { // what follows is in that version's format
        rest->left = 0;
        return;
    }
    uint8_t flags = take_byte(rest);
    if (bad_flags(flags))
        wrong(rest, "the connect flags contradict each other");
    connect->clean = flags & FLAG_CLEAN;
    connect->has_will = flags & FLAG_WILL;
    connect->will_retain = flags & FLAG_WILL_RETAIN;
    connect->will_qos = (uint8_t)((flags & FLAG_WILL_QOS) >> 3);
    connect->has_user = flags & FLAG_USER;
    connect->has_password = flags & FLAG_PASSWORD;
    connect->keep_alive_s = take_number(rest);
    connect->client_id = take_string(rest);
    if (connect->has_will) {
        connect->will_topic = take_topic(rest);
        connect->will_payload = take_bytes(rest);
    }
    if (connect->has_user)
        connect->user = take_string(rest);
    if (connect->has_password)
        connect->password = take_bytes(rest);
}

static void read_connack(struct rest *rest, struct mqtt_packet *packet)
{
    uint8_t flags = take_byte(rest);
    packet->code = take_byte(rest);
    packet->session_present = flags == 1;
    if (flags > 1 || (flags == 1 && packet->code != MQTT_ACCEPTED))
        wrong(rest, "a CONNACK has wrong flags");
}

static void read_publish(struct rest *rest, unsigned flags, struct mqtt_packet *packet)
{
    packet->dup = flags & 8;
    packet->qos = flags >> 1 & 3;
    packet->retain = flags & 1;
    if (packet->qos == 3)
        wrong(rest, "there is no QoS 3");
    if (packet->qos == 0 && packet->dup)
        wrong(rest, "a message of QoS 0 is no duplicate");
    packet->topic = take_topic(rest);
    if (packet->qos > 0)
        packet->id = take_id(rest);
    packet->payload = (struct mqtt_text){rest->at, (uint32_t)rest->left};
    rest->left = 0;
}

// The filters of a SUBSCRIBE or an UNSUBSCRIBE: at least one, each of them valid.
static void read_filters(struct rest *rest, struct mqtt_packet *packet)
{
    packet->id = take_id(rest);
    packet->payload = (struct mqtt_text){rest->at, (uint32_t)rest->left};
    if (rest->left == 0)
        wrong(rest, "there is no filter in it");
    while (rest->left > 0) {
        struct mqtt_text filter = take_string(rest);
        if (!rest->why && !filter_is_valid(filter))
            wrong(rest, "a filter is empty, or has a wildcard at a wrong place");
        if (packet->type == MQTT_SUBSCRIBE && take_byte(rest) > 2)
            wrong(rest, "a filter asks for a QoS that there is not");
    }
}

static void read_codes(struct rest *rest, struct mqtt_packet *packet)
{
    packet->id = take_id(rest);
    packet->payload = (struct mqtt_text){rest->at, (uint32_t)rest->left};
    if (rest->left == 0)
        wrong(rest, "a SUBACK has no codes");
    while (rest->left > 0) {
        uint8_t code = take_byte(rest);
        if (code > 2 && code != MQTT_FILTER_REFUSED)
            wrong(rest, "a SUBACK has an unknown code");
    }
}

// True if this side may send packets of this type (table 2.1), with these flags (table 2.2).
static bool may_send(enum mqtt_sender sender, unsigned type, unsigned flags)
{
    // for each type, the side that sends it: c: the client, s: the server, *: both, -: none
    char side = 's', allowed = "-cs*****cscscsc-"[type];
    unsigned wanted = 0;
    if (sender == MQTT_FROM_CLIENT)
        side = 'c';
    if (type == MQTT_PUBREL || type == MQTT_SUBSCRIBE || type == MQTT_UNSUBSCRIBE)
        wanted = 2;
    if (type != MQTT_PUBLISH && flags != wanted)
        return false;
    return allowed == '*' || allowed == side;
}

static void read_rest(struct rest *rest, unsigned flags, struct mqtt_packet *packet)
{
    switch (packet->type) {
    case MQTT_CONNECT:
        read_connect(rest, &packet->connect);
        break;
    case MQTT_CONNACK:
        read_connack(rest, packet);
        break;
    case MQTT_PUBLISH:
        read_publish(rest, flags, packet);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        read_filters(rest, packet);
        break;
    case MQTT_SUBACK:
        read_codes(rest, packet);
        break;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
    case MQTT_DISCONNECT:
        break; // these packets have no rest
    default:
        packet->id = take_id(rest);
    }
    if (rest->left > 0)
        wrong(rest, "it is longer than its content");
}

ssize_t mqtt_size(const char *bytes, size_t length, const char **why)
{
    size_t rest = 0;
    for (size_t i = 1; i < MQTT_HEAD_MAX; i++) {
        if (i >= length)
            return 0;
        rest |= (size_t)((uint8_t)bytes[i] & 0x7f) << 7 * (i - 1);
        if ((uint8_t)bytes[i] & 0x80)
            continue;
        size_t size = 1 + i + rest;
        if (size <= MQTT_PACKET_MAX)
            return (ssize_t)size;
        *why = "it is longer than this program allows";
        return -1;
    }
    *why = "its length has more than four bytes";
    return -1;
}

ssize_t mqtt_read(const char *bytes, size_t length, enum mqtt_sender sender,
                  struct mqtt_packet *packet)
{
    memset(packet, 0, sizeof *packet);
    if (length == 0)
        return 0;
    unsigned type = (uint8_t)bytes[0] >> 4, flags = (uint8_t)bytes[0] & 15;
    packet->type = (enum mqtt_type)type;
    if (!may_send(sender, type, flags)) {
        packet->why = "its type or its flags are not for this side to send";
        return -1;
    }
    ssize_t size = mqtt_size(bytes, length, &packet->why);
    if (size <= 0)
        return size;
    if ((size_t)size > length)
        return 0;
    size_t head = 2;
    while ((uint8_t)bytes[head - 1] & 0x80)
        head++;
    struct rest rest = {bytes + head, (size_t)size - head, NULL};
    read_rest(&rest, flags, packet);
    packet->why = rest.why;
    if (rest.why)
        return -1;
    return size;
}

bool mqtt_next_filter(struct mqtt_text *filters, struct mqtt_text *filter, uint8_t *qos)
{
    struct rest rest = {filters->at, filters->length, NULL};
    if (rest.left == 0)
        return false;
    *filter = take_bytes(&rest);
    if (qos)
        *qos = take_byte(&rest);
    *filters = (struct mqtt_text){rest.at, (uint32_t)rest.left};
    return true;
}

// ---- writing -------------------------------------------------------------------------------

size_t mqtt_write_number(char *out, unsigned number)
{
    out[0] = (char)(number >> 8);
    out[1] = (char)number;
    return 2;
}

size_t mqtt_write_head(char *out, enum mqtt_type type, unsigned flags, size_t rest)
{
    size_t length = 0;
    out[length++] = (char)(type << 4 | flags);
    do {
        unsigned seven = rest & 0x7f;
        rest >>= 7;
        if (rest)
            seven |= 0x80; // one more byte of the length follows
        out[length++] = (char)seven;
    } while (rest);
    return length;
}

size_t mqtt_write_id(char *out, enum mqtt_type type, uint16_t id)
{
    unsigned flags = 0;
    if (type == MQTT_PUBREL) // §3.6.1
        flags = 2;
    size_t length = mqtt_write_head(out, type, flags, 2);
    return length + mqtt_write_number(out + length, id);
}

size_t mqtt_write_text(char *out, struct mqtt_text text)
{
    size_t length = mqtt_write_number(out, text.length);
    return length + mqtt_copy(out + length, text).length;
}

static size_t rest_of_publish(const struct mqtt_packet *packet)
{
    size_t rest = 2 + packet->topic.length + packet->payload.length;
    if (packet->qos)
        rest += 2; // the id
    return rest;
}

size_t mqtt_publish_size(const struct mqtt_packet *packet)
{
    char head[MQTT_HEAD_MAX];
    size_t rest = rest_of_publish(packet);
    return mqtt_write_head(head, MQTT_PUBLISH, 0, rest) + rest;
}

size_t mqtt_write_publish(char *out, const struct mqtt_packet *packet)
{
    unsigned flags = (unsigned)packet->dup << 3 | (unsigned)packet->qos << 1 | packet->retain;
    size_t length = mqtt_write_head(out, MQTT_PUBLISH, flags, rest_of_publish(packet));
    length += mqtt_write_text(out + length, packet->topic);
    if (packet->qos)
        length += mqtt_write_number(out + length, packet->id);
    return length;
}
