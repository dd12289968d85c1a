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
    const struct box *inside; // the packet is behind this NAT now; NULL: it is behind none
    const struct box *left;   // the packet has left through this NAT; NULL: through none
};

struct box_kind {
    const char *name;
    // Whether a packet that is not for the box's own address has to pass the box.
    bool (*serves)(const struct box *, const struct transit *);
    // Translates such a packet, which comes from a node behind the box.
    enum fate (*outward)(struct box *, struct transit *);
    // Translates a packet for the box's own address.
    enum fate (*inward)(struct box *, struct transit *);
};

// Which peers a mapping is for, and which peers its filter lets in (RFC 4787 sections 4.1 and
// 5): all, those at the same address, or those at the same address and port.
enum behaviour { ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT };

struct endpoint {
    const struct node *node;
    uint32_t address;
    uint16_t port; // 0: a backend has the port that the client has asked for
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

// The next box on the packet's way, or NULL. *outward: the box translates with its outward().
struct box *box_next(const struct transit *transit, bool *outward);

// Lets the box take the packet.
enum fate box_pass(struct box *box, struct transit *transit, bool outward);

// The number of a box as an end of a hop, for struct packet's `from` and `to`.
uint8_t box_end(const struct box *box);

// nat.c: connections to `port` of the NAT's address go to a node behind the NAT from now on.
// Returns false if the NAT has no room for another session.
bool nat_forward(struct box *nat, uint16_t port, const struct endpoint *to);

#endif
