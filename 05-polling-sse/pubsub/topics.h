// topics.h: the subscriptions. A topic is levels between slashes. In a filter "+" stands for
// one level, and "#", at the end, for all levels that follow (§4.7).
//
// The filters are a tree, a node for each level: to find the subscribers of a topic costs a few
// steps for each of its levels, however many filters there are.
#ifndef TOPICS_H
#define TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "mqtt.h"

#define FILTER_LEVELS_MAX 128 // a filter with more is refused

struct session;

// One filter of one session.
struct subscription {
    struct subscription *next; // in the list of the same session
    struct link member;        // in the list of the same group
    struct session *session;
    struct group *group;
    uint8_t qos; // the highest QoS that this subscriber wants
};

// The subscriptions to the same filter. In the group without a name each subscriber gets each
// message; in the group of $share/NAME/FILTER one of them gets it (MQTT 5.0 §4.8.2).
struct group {
    struct group *next; // in the list of the same filter
    struct node *node;
    struct link members;
    struct mqtt_text name;
    char bytes[]; // of the name
};

// True for a topic to publish to: not empty, without a wildcard.
bool topic_is_valid(struct mqtt_text topic);

// True for a filter: "+" and "#" are whole levels, "#" only the last one.
bool filter_is_valid(struct mqtt_text filter);

// True if this filter, without "$share/NAME/", matches this topic.
bool filter_matches(struct mqtt_text filter, struct mqtt_text topic);

// Takes "$share/NAME/FILTER" apart. For a filter without "$share/" the name is empty. False: a
// "$share/" without a name or without a filter.
bool filter_split(struct mqtt_text filter, struct mqtt_text *name, struct mqtt_text *bare);

// Adds the filter to the session, or changes its QoS if the session has it. False: there is no
// memory for it, or it has too many levels, or it is a wrong "$share/".
bool topics_subscribe(struct session *session, struct mqtt_text filter, uint8_t qos);

// Removes one filter, or all of them, from the session.
void topics_unsubscribe(struct session *session, struct mqtt_text filter);
void topics_unsubscribe_all(struct session *session);

// Calls `found` for each group whose filter matches the topic.
void topics_match(struct mqtt_text topic, void (*found)(struct group *group));

#endif
