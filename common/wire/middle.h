// middle.h: where all links meet: each packet finds its way through the boxes to its node.
#ifndef MIDDLE_H
#define MIDDLE_H

#include <stdbool.h>

#include "node.h"

// Two nodes and nothing between them: whatever one sends, the other gets.
extern bool middle_is_cable;

// The descriptor to wait at for what a node sends; -1 while its link has no room for more.
int middle_source(const struct node *node);

// Takes what the node has sent, at most MIDDLE_BATCH packets: they set out on its link.
// `events` is what poll(2) says of middle_source().
#define MIDDLE_BATCH 64 // packets taken from one node before the next one has its turn
void middle_take(struct node *node, int events);

// Hands over what has arrived by now: in the middle from the node, and at the node.
void middle_deliver(struct node *node);

// When that is next to be done, on now_ns()'s clock; INT64_MAX if nothing is on the way.
int64_t middle_arrival_ns(const struct node *node);

#endif
