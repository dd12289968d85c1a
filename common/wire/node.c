// node.c: see node.h.
#include "node.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "net.h"

struct node nodes[NODES_MAX];
int node_count;

struct node *node_new(const char *name)
{
    if (node_count == NODES_MAX)
        return NULL;
    nodes[node_count] = (struct node){.name = name, .network = {-1, -1, -1, 0}};
    return &nodes[node_count++];
}

struct node *node_named(const char *name)
{
    for (int i = 0; i < node_count; i++)
        if (!strcmp(nodes[i].name, name))
            return &nodes[i];
    return NULL;
}

// The place of an address among the node's; NULL if the node does not have it.
static uint32_t *find_address(struct node *node, uint32_t address)
{
    for (int i = 0; i < node->address_count; i++)
        if (node->addresses[i] == address)
            return &node->addresses[i];
    return NULL;
}

struct node *node_with(uint32_t address, const struct box *behind)
{
    for (int i = 0; i < node_count; i++)
        if (nodes[i].behind == behind && find_address(&nodes[i], address))
            return &nodes[i];
    return NULL;
}

uint8_t node_end(const struct node *node)
{
    return (uint8_t)(node - nodes);
}

const char *node_move_address(uint32_t address, struct node *to)
{
    struct node *from = node_with(address, to->behind);
    if (!from)
        return "no node on that side of the NAT has this address";
    if (from == to)
        return NULL;
    if (to->address_count == ADDRESSES_MAX)
        return "the node has too many addresses";
    if (!device_remove_address(&from->network, address) ||
        !device_add_address(&to->network, address, 32))
        return strerror(errno);
    uint32_t *place = find_address(from, address);
    from->address_count--;
    memmove(place, place + 1,
            (size_t)(&from->addresses[from->address_count] - place) * sizeof *place);
    to->addresses[to->address_count++] = address;
    return NULL;
}

void nodes_start_clocks(void)
{
    for (int i = 0; i < node_count; i++)
        if (nodes[i].mute_ns)
            nodes[i].mute_ns += now_ns();
}

bool node_parse_drop(const char *text, struct drop *drop)
{
    char protocol[4];
    int port, end = 0;
    long number;
    if (sscanf(text, "%3[a-z]:%d:%ld%n", protocol, &port, &number, &end) != 3 || text[end] ||
        port < 0 || port > 65535 || number < 1)
        return false;
    *drop = (struct drop){IPPROTO_TCP, (uint16_t)port, number};
    if (!strcmp(protocol, "udp"))
        drop->protocol = IPPROTO_UDP;
    return drop->protocol == IPPROTO_UDP || !strcmp(protocol, "tcp");
}

// ---- the rules -----------------------------------------------------------------------------

static bool is_muted(struct node *node, const struct packet *packet, bool leaves)
{
    (void)packet, (void)leaves;
    if (node->mute_ns && now_ns() >= node->mute_ns)
        node->muted = true;
    return node->muted;
}

static bool is_blocked_udp(struct node *node, const struct packet *packet, bool leaves)
{
    (void)leaves;
    return node->udp_blocked && packet->protocol == IPPROTO_UDP;
}

static bool is_chosen(struct node *node, const struct packet *packet, bool leaves)
{
    struct drop *drop = &node->drop;
    bool counts = leaves && drop->number > 0 && packet->protocol == drop->protocol &&
                  packet->payload > 0 &&
                  (drop->port == 0 || drop->port == packet->source_port ||
                   drop->port == packet->destination_port);
    return counts && --drop->number == 0;
}

static const struct rule {
    enum fate fate; // of the packets that the rule hits
    bool (*hits)(struct node *, const struct packet *, bool leaves);
} rules[] = {{MUTED, is_muted}, {UDP_BLOCKED, is_blocked_udp}, {LOST, is_chosen}};

enum fate node_rules(struct node *node, const struct packet *packet, bool leaves)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].hits(node, packet, leaves))
            return rules[i].fate;
    return PASSED;
}
