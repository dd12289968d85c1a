// environment.c: see environment.h.
#include "environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet_log.h"

#define ADDRESS_TEXT 16

static bool by_name;                   // the wire has nodes, which have names
static char server_host[ADDRESS_TEXT]; // of the server that was started last
static char server_port[8];

// Sets a variable whose name is put together: NODE_PORT_FURTHER.
static void set(const char *name, const char *middle, const char *further, const char *value)
{
    char variable[100];
    snprintf(variable, sizeof variable, "%s%s%s", name, middle, further);
    for (char *c = variable; *c; c++)
        if (isalnum((unsigned char)*c))
            *c = (char)toupper((unsigned char)*c);
        else
            *c = '_';
    setenv(variable, value, 1);
}

static void set_number(const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", value);
    setenv(name, text, 1);
}

static char *address_text(uint32_t address, char *text)
{
    snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
    return text;
}

void environment_peer(const char *host, const char *port)
{
    if (!by_name)
        unsetenv("WIRE_NODE"); // this wire may itself run on a node of another wire
    setenv("HOST", host, 1);
    if (port)
        setenv("PORT", port, 1);
    else
        unsetenv("PORT");
}

void environment_hosts(void)
{
    char text[ADDRESS_TEXT];
    by_name = true;
    for (int i = 0; i < node_count; i++)
        set(nodes[i].name, "_HOST", "", address_text(nodes[i].addresses[0], text));
    for (int i = 0; i < box_count; i++)
        set(boxes[i].name, "_HOST", "", address_text(boxes[i].address, text));
}

void environment_program(const struct node *node, bool is_server)
{
    char text[ADDRESS_TEXT];
    if (!by_name)
        return;
    setenv("WIRE_NODE", node->name, 1);
    if (is_server)
        environment_peer(address_text(node->addresses[0], text), NULL);
    else
        environment_peer(server_host, server_port);
}

void environment_ports(const struct node *node, const char *text)
{
    char name[40], port[8];
    if (sscanf(text, "%7[0-9]", server_port) != 1)
        return;
    if (!by_name) {
        setenv("PORT", server_port, 1);
        return;
    }
    address_text(node->addresses[0], server_host);
    set(node->name, "_PORT", "", server_port);
    while ((text = strchr(text, '\n')) && sscanf(++text, "%39s %7[0-9]", name, port) == 2)
        set(node->name, "_PORT_", name, port);
}

void environment_link(const struct link_shape *shape)
{
    struct packet_log *log = packet_log();
    log->tunnel = true;
    log->rtt_ms = shape->rtt_ms;
    log->loss = shape->loss_percent;
    log->rate = shape->rate_kbit;
    log->mtu = shape->mtu;
    set_number("WIRE_RTT", shape->rtt_ms);
    set_number("WIRE_LOSS", shape->loss_percent);
    set_number("WIRE_RATE", shape->rate_kbit);
}
