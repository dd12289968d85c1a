// arguments.h: wire's command line: the options, and the nodes and boxes that they describe.
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>

#include "link.h"

// What is said of all, before the first --node, --nat or --balancer.
struct arguments {
    struct link_shape shape;
    bool shaped; // an option was given that needs a network
    bool trace, verbose, udp_blocked;
    const char *pcap_path, *draw;
};

// Reads the options; makes the nodes and boxes, as far as there are any. Exits 2 where
// something is wrong. Returns the index of the first argument behind them.
int arguments_parse(int argc, char **argv, struct arguments *all);

#endif
