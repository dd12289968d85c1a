// setup.h: makes of each section of the command line the node or the box that it describes.
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>

#include "box.h"
#include "node.h"

// What the options behind a --node, --nat or --balancer say, up to the next one.
struct section {
    struct node *node; // or
    struct box *box;   // or neither: what is said of all
    struct link_shape shape;
    double mute_after_ms, udp_timeout, tcp_timeout;
    bool udp_blocked, hairpin;
    const char *address, *behind, *drop, *kind, *mapping, *filtering, *forward, *to; // or NULL
};

// Gives all nodes and boxes their addresses and what else there is. Exits 2 where something is
// wrong.
void setup_all(const struct section sections[], int count);

// Reads "NODE:PORT,NODE,..." as the backends of a balancer. Returns NULL, or what is wrong;
// then the balancer keeps those that it has.
const char *setup_backends(struct box *balancer, const char *text);

#endif
