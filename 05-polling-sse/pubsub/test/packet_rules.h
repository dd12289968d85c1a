// packet_rules.h: rules that hold for any bytes, for the tests and the fuzzer.
#ifndef PACKET_RULES_H
#define PACKET_RULES_H

#include <stdlib.h>
#include <string.h>

#include "mqtt.h"
#include "sessions.h"
#include "topics.h"

// Copies bytes into memory that ends where they end, so that a sanitizer sees a read beyond
// them.
static inline char *copy_exactly(const char *bytes, size_t length)
{
    char *copy = malloc(length + (length == 0));
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

// A PUBLISH that was read is written again as it was (where its length is written as short as
// it can be).
static inline const char *rewrite_fault(const char *bytes, size_t size,
                                        const struct mqtt_packet *packet)
{
    if (packet->type != MQTT_PUBLISH || mqtt_publish_size(packet) != size)
        return NULL;
    char *out = malloc(size);
    size_t length = mqtt_write_publish(out, packet);
    if (packet->payload.length)
        memcpy(out + length, packet->payload.at, packet->payload.length);
    bool same = length + packet->payload.length == size && !memcmp(out, bytes, size);
    free(out);
    if (!same)
        return "a PUBLISH is not written as it was read";
    return NULL;
}

static inline const char *filters_fault(const struct mqtt_packet *packet)
{
    struct mqtt_text filters = packet->payload, filter;
    uint8_t qos = 0, *asked = NULL;
    size_t length = 0;
    bool subscribes = packet->type == MQTT_SUBSCRIBE;
    if (subscribes)
        asked = &qos;
    while (mqtt_next_filter(&filters, &filter, asked)) {
        length += 2 + filter.length + subscribes;
        if (qos > 2 || !filter_is_valid(filter))
            return "a filter was let through";
    }
    if (length != packet->payload.length)
        return "filters are not what the packet has";
    return NULL;
}

// Reads packet after packet. When the bytes are cut in two, the first part must give the same
// packet, or the reader must wait for the rest.
static inline const char *packets_fault(const char *all, size_t length, size_t cut,
                                        enum mqtt_sender sender)
{
    const char *fault = NULL;
    char *bytes = copy_exactly(all, length), *part = copy_exactly(all, cut);
    size_t at = 0;
    ssize_t size = 1;
    while (!fault && size > 0 && at < length) {
        struct mqtt_packet packet, early;
        size = mqtt_read(bytes + at, length - at, sender, &packet);
        if (size > (ssize_t)(length - at))
            fault = "a packet is longer than the bytes";
        else if (size > 0)
            fault = rewrite_fault(bytes + at, (size_t)size, &packet);
        if (size > 0 && !fault &&
            (packet.type == MQTT_SUBSCRIBE || packet.type == MQTT_UNSUBSCRIBE))
            fault = filters_fault(&packet);
        if (size < 0 && !packet.why)
            fault = "a malformed packet has no reason";
        if (at < cut) {
            ssize_t sooner = mqtt_read(part + at, cut - at, sender, &early);
            bool whole = size > 0 && (size_t)size <= cut - at;
            bool early_end = sooner > 0 || (sooner < 0 && size >= 0);
            if ((whole && sooner != size) || (!whole && early_end))
                fault = "a packet is read otherwise when it comes in parts";
        }
        if (size > 0)
            at += (size_t)size;
    }
    free(bytes);
    free(part);
    return fault;
}

// ---- filters -------------------------------------------------------------------------------

static int rules_found;

static inline void rules_count(struct group *group)
{
    for (struct link *link = group->members.next; link != &group->members; link = link->next)
        rules_found++;
}

// The tree of filters and filter_matches() give the same result. The text before the first 0
// byte is the topic; each text between two 0 bytes is a filter.
static inline const char *topics_fault(const char *bytes, size_t length)
{
    const char *end = bytes + length, *zero = memchr(bytes, 0, length);
    struct session *session = session_new(mqtt_text("rules"));
    struct mqtt_text topic = {bytes, (uint32_t)length};
    if (zero)
        topic.length = (uint32_t)(zero - bytes);
    int wanted = 0, filters = 0;
    if (!session || !topic_is_valid(topic))
        zero = NULL;
    while (zero && filters < 50) {
        const char *at = zero + 1;
        zero = memchr(at, 0, (size_t)(end - at));
        struct mqtt_text filter = {at, (uint32_t)(end - at)}, name, bare;
        if (zero)
            filter.length = (uint32_t)(zero - at);
        uint32_t before = session->subscription_count;
        if (!filter_is_valid(filter) || !filter_split(filter, &name, &bare) ||
            !topics_subscribe(session, filter, 1))
            continue;
        filters++;
        if (session->subscription_count > before)
            wanted += filter_matches(bare, topic);
    }
    rules_found = 0;
    if (topic_is_valid(topic))
        topics_match(topic, rules_count);
    if (session)
        session_end(session);
    if (wanted != rules_found)
        return "the tree finds other filters than those that match";
    if (topic_is_valid(topic))
        topics_match(topic, rules_count);
    if (wanted != rules_found)
        return "the tree keeps filters of a session that is gone";
    return NULL;
}

#endif
