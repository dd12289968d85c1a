// node.h: the hosts on the wire: a network, addresses and a link each; and the rules for what
// may leave and reach them.
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "box.h"
#include "link.h"
#include "network.h"
#include "packet.h"

#define NODES_MAX     32
#define ADDRESSES_MAX 8 // of one node

// The one packet that the wire shall lose: number `number` of those that the node sends from
// now on with this protocol, from or to this port (0: any), and with bytes of a program in it.
struct drop {
    uint8_t protocol;
    uint16_t port;
    long number; // counts down; 0: none
};

struct node {
    const char *name;
    struct link_shape shape;
    struct link up, down; // to the middle and back; `down` is only open if it has a shape
    struct network network;
    uint32_t addresses[ADDRESSES_MAX]; // in host byte order; [0] is the node's $HOST
    int address_count;
    const struct box *behind; // the NAT in front of this node, or NULL
    bool muted;
    int64_t mute_ns; // the node is muted at this moment of now_ns()'s clock; 0: never
    bool udp_blocked;
    struct drop drop;
};

extern struct node nodes[NODES_MAX];
extern int node_count;

// A new node. Returns NULL if there are too many.
struct node *node_new(const char *name);

struct node *node_named(const char *name);

// The node that has an address, among the nodes behind a NAT (NULL: behind none), or NULL.
struct node *node_with(uint32_t address, const struct box *behind);

// The number of a node as an end of a hop, for struct packet's `from` and `to`.
uint8_t node_end(const struct node *node);

// Moves an address from the node that has it to the node `to`, in both networks. Returns NULL,
// or what is wrong.
const char *node_move_address(uint32_t address, struct node *to);

// The client starts now. What mute_ns holds until then is the time from the client's start to
// the moment when the node is muted; the moment takes its place.
void nodes_start_clocks(void);

// Reads "tcp:PORT:N" or "udp:PORT:N" into `drop`. False if it is something else.
bool node_parse_drop(const char *text, struct drop *drop);

// Whether the rules let a packet leave this node (`leaves`) or reach it. Returns PASSED, or the
// reason why not.
enum fate node_rules(struct node *node, const struct packet *packet, bool leaves);

#endif
