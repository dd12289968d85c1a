// box.h: what stands in the middle, between the nodes' links, and puts other addresses into the
// packets: a NAT, or a balancer. Each kind is a row of a table, with three small functions.
#ifndef BOX_H
#define BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"
#include "rewrite.h"
#include "sessions.h"

#define BOXES_MAX    16
#define BACKENDS_MAX 16
#define FORWARDS_MAX 8

struct node;
struct box;

// A packet on its way through the middle.
struct transit {
    uint8_t *bytes;
    uint16_t length;
    struct headers headers;
    const struct box *inside; // the NAT behind which it is now, or NULL: the network of all
    const struct box *left;   // the NAT that it has left through, or NULL
};

struct box_kind {
    const char *name;
    // Whether the box is on the way of a packet that is not for its own address.
    bool (*serves)(const struct box *, const struct transit *);
    // Takes such a packet, from a node that it serves.
    enum fate (*outward)(struct box *, struct transit *);
    // Takes a packet for its own address.
    enum fate (*inward)(struct box *, struct transit *);
};

// Whom a mapping is for, and whom its filter lets in (RFC 4787 sections 4.1 and 5).
enum behaviour { ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT };

struct endpoint {
    const struct node *node;
    uint32_t address;
    uint16_t port; // of a backend, 0: the one that the client has asked for
};

struct box {
    const char *name;
    const struct box_kind *kind;
    uint32_t address;
    struct sessions *sessions;
    // a NAT
    enum behaviour mapping, filtering;
    bool hairpin;
    uint16_t next_port;
    // a balancer
    struct endpoint backends[BACKENDS_MAX];
    int backend_count;
    unsigned picked;
};

extern const struct box_kind nat_kind, balancer_kind;
extern struct box boxes[BOXES_MAX];
extern int box_count;

// A new box. Returns NULL if there are too many.
struct box *box_new(const char *name, const struct box_kind *kind);

struct box *box_named(const char *name);

// The box that is the next on the way of a packet, or NULL; *outward: which of its functions.
struct box *box_next(const struct transit *transit, bool *outward);

// Lets the box take the packet.
enum fate box_pass(struct box *box, struct transit *transit, bool outward);

// The number of a box as an end of hops.
uint8_t box_end(const struct box *box);

// nat.c: connections to `port` of the NAT's address go to a node behind it from now on. False
// if it has no room.
bool nat_forward(struct box *nat, uint16_t port, const struct endpoint *to);

#endif
