// packet_rules.h: what has to be true of any bytes, for the tests and the fuzzer.
#ifndef PACKET_RULES_H
#define PACKET_RULES_H

#include <stdlib.h>
#include <string.h>

#include "mqtt.h"
#include "sessions.h"
#include "topics.h"

// Copies bytes into memory that ends where they do, so that a sanitizer sees whoever reads on.
static inline char *copy_exactly(const char *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);
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
    return same ? NULL : "a PUBLISH is not written as it was read";
}

static inline const char *filters_fault(const struct mqtt_packet *packet)
{
    struct mqtt_text filters = packet->payload, filter;
    uint8_t qos = 0;
    size_t length = 0;
    bool subscribes = packet->type == MQTT_SUBSCRIBE;
    while (mqtt_next_filter(&filters, &filter, subscribes ? &qos : NULL)) {
        length += 2 + filter.length + subscribes;
        if (qos > 2 || !filter_is_valid(filter))
            return "a filter was let through";
    }
    return length == packet->payload.length ? NULL : "filters are not what the packet has";
}

// Reads packet after packet. With the bytes cut in two, a packet must be read as it is without,
// or wait for the rest.
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
            if (whole ? sooner != size : sooner > 0 || (sooner < 0 && size >= 0))
                fault = "a packet is read otherwise when it comes in parts";
        }
        at += size > 0 ? (size_t)size : 0;
    }
    free(bytes);
    free(part);
    return fault;
}

// ---- filters -------------------------------------------------------------------------------

static int rules_found;

static inline void rules_count(struct group *group)
{
    rules_found += (int)group->count;
}

// The tree of filters and filter_matches() are of one mind. The text before the first 0 byte is
// the topic; each between two others is a filter.
static inline const char *topics_fault(const char *bytes, size_t length)
{
    const char *end = bytes + length, *zero = memchr(bytes, 0, length);
    struct session *session = session_new(mqtt_text("rules"));
    struct mqtt_text topic = {bytes, (uint32_t)(zero ? zero - bytes : (long)length)};
    int wanted = 0, filters = 0;
    if (!session || !topic_is_valid(topic))
        zero = NULL;
    while (zero && filters < 50) {
        const char *at = zero + 1;
        zero = memchr(at, 0, (size_t)(end - at));
        struct mqtt_text filter = {at, (uint32_t)((zero ? zero : end) - at)}, name, bare;
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
    return rules_found == wanted ? NULL : "the tree keeps filters of a session that is gone";
}

#endif
