// middle.h: where all links meet: each packet finds its way through the boxes to its node.
#ifndef MIDDLE_H
#define MIDDLE_H

#include <stdbool.h>

#include "node.h"

// There are two nodes and no box: each node gets all packets that the other one sends.
extern bool middle_is_cable;

// The descriptor that is readable when a node has sent packets; -1 while the node's link has no
// room for more.
int middle_source(const struct node *node);

// Takes what the node has sent, at most MIDDLE_BATCH packets, and puts it on the node's link.
// `events` is what poll(2) says of middle_source().
#define MIDDLE_BATCH 64 // packets taken from one node before the next one has its turn
void middle_take(struct node *node, int events);

// Delivers the packets that have arrived by now: from the node to the middle, and to the node.
void middle_deliver(struct node *node);

// When middle_deliver() has the next packet to deliver, on now_ns()'s clock; INT64_MAX if no
// packet is on the way.
int64_t middle_arrival_ns(const struct node *node);

#endif
