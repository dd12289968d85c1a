// setup.c: see setup.h.
#include "setup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "packet_log.h"

#define PUBLIC_FIRST   0x0a000001 // 10.0.0.1, of the first node
#define BOX_FIRST      0x0a000065 // 10.0.0.101, of the first box
#define PRIVATE_FIRST  0xc0a80101 // 192.168.1.1, of the first node behind the first NAT
#define PRIVATE_STRIDE 256

static uint32_t parse_address(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        options_reject("--address takes addresses such as 10.0.0.7, not '%s'", text);
    return ntohl(address.s_addr);
}

static uint32_t free_address(const struct box *behind)
{
    uint32_t address = PUBLIC_FIRST;
    if (behind)
        address = PRIVATE_FIRST + (uint32_t)(behind - boxes) * PRIVATE_STRIDE;
    while (node_with(address, behind))
        address++;
    return address;
}

static void add_address(struct node *node, uint32_t address)
{
    if (node->address_count == ADDRESSES_MAX || node_with(address, node->behind))
        options_reject("%s has too many addresses, or one that another node has", node->name);
    node->addresses[node->address_count++] = address;
}

static void fill_node(const struct section *s)
{
    struct node *node = s->node;
    node->shape = s->shape;
    node->udp_blocked = s->udp_blocked;
    node->muted = s->mute_after_ms == 0;
    if (s->mute_after_ms > 0)
        node->mute_ns = (int64_t)(s->mute_after_ms * 1e6); // see nodes_start_clocks()
    if (s->behind) {
        node->behind = box_named(s->behind);
        if (!node->behind || node->behind->kind != &nat_kind)
            options_reject("--behind takes the name of a --nat, not '%s'", s->behind);
    }
    if (s->drop && !node_parse_drop(s->drop, &node->drop))
        options_reject("--drop takes tcp:PORT:N or udp:PORT:N, not '%s'", s->drop);
    char *list = NULL;
    if (s->address)
        list = strdup(s->address);
    for (char *rest = list, *one; (one = strsep(&rest, ","));)
        add_address(node, parse_address(one));
    free(list);
}

static enum behaviour parse_behaviour(const char *option, const char *text)
{
    static const char *const names[] = {"endpoint", "address", "address-port"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, names[i]))
            return (enum behaviour)i;
    options_reject("--%s takes endpoint, address or address-port, not '%s'", option, text);
}

// The classic names of four NATs (RFC 3489), in the words of RFC 4787.
static void be_of_kind(struct box *nat, const char *text)
{
    static const struct {
        const char *name;
        enum behaviour mapping, filtering;
    } kinds[] = {
        {"full-cone", ENDPOINT_INDEPENDENT, ENDPOINT_INDEPENDENT},
        {"address-restricted", ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT},
        {"port-restricted", ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT},
        {"symmetric", ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT},
    };
    size_t i = 0;
    while (i < 4 && strcmp(text, kinds[i].name))
        i++;
    if (i == 4)
        options_reject(
            "--kind takes full-cone, address-restricted, port-restricted or symmetric, "
            "not '%s'",
            text);
    nat->mapping = kinds[i].mapping;
    nat->filtering = kinds[i].filtering;
}

// Reads "NODE" or "NODE:PORT".
static bool parse_endpoint(const char *text, struct endpoint *endpoint)
{
    char name[END_NAME];
    int port = 0, end = 0;
    if (sscanf(text, "%15[^:]%n:%d%n", name, &end, &port, &end) < 1 || text[end] || port < 0 ||
        port > 65535)
        return false;
    const struct node *node = node_named(name);
    if (!node)
        return false;
    *endpoint = (struct endpoint){node, node->addresses[0], (uint16_t)port};
    return true;
}

const char *setup_backends(struct box *balancer, const char *text)
{
    struct endpoint backends[BACKENDS_MAX];
    int count = 0;
    char *list = strdup(text), *rest = list;
    for (char *one; (one = strsep(&rest, ",")) && count <= BACKENDS_MAX; count++)
        if (count == BACKENDS_MAX || !parse_endpoint(one, &backends[count]) ||
            backends[count].node->behind)
            break;
    bool all_read = !rest;
    free(list);
    if (!all_read || count == 0 || balancer->kind != &balancer_kind)
        return "a balancer's backends are NODE:PORT,NODE:PORT, of nodes that are behind no NAT";
    for (int i = 0; i < count; i++)
        balancer->backends[i] = backends[i];
    balancer->backend_count = count;
    return NULL;
}

// Reads "PORT=NODE:PORT,...".
static void parse_forwards(struct box *nat, const char *text)
{
    char *list = strdup(text);
    for (char *rest = list, *one; (one = strsep(&rest, ","));) {
        int port = 0, end = 0;
        struct endpoint to;
        if (sscanf(one, "%d=%n", &port, &end) != 1 || port < 1 || port > 65535 || end == 0 ||
            !parse_endpoint(one + end, &to) || to.node->behind != nat)
            options_reject("--forward takes PORT=NODE:PORT, of a node behind the NAT, not '%s'",
                           one);
        if (!nat_forward(nat, (uint16_t)port, &to))
            options_reject("too many ports are forwarded");
    }
    free(list);
}

static void fill_box(const struct section *s)
{
    struct box *box = s->box;
    box->address = BOX_FIRST + (uint32_t)(box - boxes);
    if (s->address)
        box->address = parse_address(s->address);
    if (node_with(box->address, NULL))
        options_reject("%s has the address of a node", box->name);
    box->sessions = sessions_new(s->udp_timeout, s->tcp_timeout);
    box->hairpin = s->hairpin;
    be_of_kind(box, "port-restricted");
    if (s->kind)
        be_of_kind(box, s->kind);
    if (s->mapping)
        box->mapping = parse_behaviour("mapping", s->mapping);
    if (s->filtering)
        box->filtering = parse_behaviour("filtering", s->filtering);
    if (s->forward)
        parse_forwards(box, s->forward);
    const char *wrong = NULL;
    if (s->to)
        wrong = setup_backends(box, s->to);
    if (wrong)
        options_reject("--to: %s, not '%s'", wrong, s->to);
}

// Nodes before boxes, and addresses that were asked for before those that are free.
void setup_all(const struct section sections[], int count)
{
    for (int i = 0; i < count; i++)
        if (sections[i].node)
            fill_node(&sections[i]);
    for (int i = 0; i < node_count; i++)
        if (nodes[i].address_count == 0)
            add_address(&nodes[i], free_address(nodes[i].behind));
    for (int i = 0; i < count; i++)
        if (sections[i].box)
            fill_box(&sections[i]);
}
