// middle.c: see middle.h. route() is the way through the boxes.
#include "middle.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "net.h"

#define BOXES_ON_THE_WAY 8 // a packet passes at most so many boxes, so none goes in circles

bool middle_is_cable;

// The number of the end that a packet goes to next.
static uint8_t next_end(const struct transit *transit)
{
    bool outward;
    const struct box *box = box_next(transit, &outward);
    const struct node *node =
        node_with(headers_address(&transit->headers, DESTINATION), transit->inside);
    if (box)
        return box_end(box);
    if (node)
        return node_end(node);
    return END_NONE;
}

static struct transit transit_from(const struct node *node, uint8_t *bytes, uint16_t length)
{
    struct transit transit = {bytes, length, .inside = node->behind};
    headers_find(bytes, length, &transit.headers); // where that fails, the boxes drop it
    return transit;
}

// ---- from a node ---------------------------------------------------------------------------

// Reads a packet into its place on the link. False if there is none, or no room for one.
static bool read_packet(struct node *node, struct packet *packet, uint8_t **place)
{
    *place = link_room(&node->up);
    while (*place) {
        ssize_t length = read(node->network.tun, *place, (size_t)node->shape.mtu);
        if (length <= 0)
            return false;
        *packet = (struct packet){.at_ns = now_ns(), .from = node_end(node)};
        if (packet_decode(*place, (size_t)length, packet))
            return true;
        // The kernel's IPv6 looks for neighbours: the wire carries IPv4 only.
    }
    return false;
}

int middle_source(const struct node *node)
{
    if (link_room(&node->up))
        return node->network.tun;
    return -1;
}

void middle_take(struct node *node, int events)
{
    struct packet packet;
    uint8_t *bytes;
    for (int n = 0; events && n < MIDDLE_BATCH && read_packet(node, &packet, &bytes); n++) {
        packet.to = 1 - packet.from;
        if (!middle_is_cable) {
            struct transit transit = transit_from(node, bytes, packet.length);
            packet.to = next_end(&transit);
        }
        packet.fate = (uint8_t)node_rules(node, &packet, true);
        if (packet.fate == PASSED)
            packet.fate = (uint8_t)link_send(&node->up, &packet);
        capture_packet(bytes, &packet);
    }
    if (events & ~POLLIN)
        node->network.tun = -1; // a program has removed the device
}

// ---- to a node -----------------------------------------------------------------------------

static void write_packet(const struct node *node, const uint8_t *bytes, uint16_t length)
{
    (void)!write(node->network.tun, bytes, length); // fails if the device was removed
}

// Puts a packet on the link to its node. Where the link does nothing, the node gets the packet
// at once.
static void hand_over(struct node *node, const uint8_t *bytes, struct packet *packet)
{
    packet->fate = (uint8_t)node_rules(node, packet, false);
    uint8_t *room = NULL;
    if (packet->fate == PASSED && !node->down.ring) {
        write_packet(node, bytes, packet->length);
        return;
    }
    if (packet->fate == PASSED && (room = link_room(&node->down))) {
        memcpy(room, bytes, packet->length);
        packet->fate = (uint8_t)link_send(&node->down, packet);
    } else if (packet->fate == PASSED) {
        packet->fate = QUEUE_FULL;
    }
    if (packet->fate != PASSED && packet->fate != LATE)
        capture_drop(packet, END_NONE);
}

// ---- in between ----------------------------------------------------------------------------

static void route(struct transit *transit, struct packet *packet);

// A packet sets out from a box, packet->from, with other headers than before.
static void leave_box(const struct transit *transit, struct packet *packet)
{
    packet->at_ns = now_ns();
    packet->fate = PASSED;
    packet_decode(transit->bytes, transit->length, packet);
    packet->to = next_end(transit);
    capture_packet(transit->bytes, packet);
}

// Tells the sender of a packet that its time to live was exceeded at a box.
static void tell_exceeded(const struct transit *transit, const struct box *box)
{
    uint8_t error[ICMP_ERROR_MAX];
    uint16_t length = icmp_time_exceeded(transit->bytes, transit->length, box->address, error);
    struct transit answer = {error, length, .inside = transit->inside};
    struct packet packet = {.from = box_end(box)};
    headers_find(error, length, &answer.headers);
    leave_box(&answer, &packet);
    route(&answer, &packet);
}

// Leads a packet through the boxes on its way to its node.
static void route(struct transit *transit, struct packet *packet)
{
    bool outward;
    struct box *box;
    for (int i = 0; (box = box_next(transit, &outward)); i++) {
        packet->fate = NO_ROUTE;
        if (i < BOXES_ON_THE_WAY)
            packet->fate = (uint8_t)box_pass(box, transit, outward);
        if (packet->fate != PASSED) {
            capture_drop(packet, box_end(box));
            if (packet->fate == TTL_EXPIRED)
                tell_exceeded(transit, box);
            return;
        }
        packet->from = box_end(box);
        leave_box(transit, packet);
    }
    struct node *to =
        node_with(headers_address(&transit->headers, DESTINATION), transit->inside);
    packet->fate = NO_ROUTE;
    if (to)
        hand_over(to, transit->bytes, packet);
    else
        capture_drop(packet, END_NONE);
}

// What a node has sent has come to the middle.
static void arrive(struct node *node, uint8_t *bytes, uint16_t length)
{
    struct packet packet = {.at_ns = now_ns(), .from = node_end(node)};
    packet_decode(bytes, length, &packet);
    if (middle_is_cable) {
        packet.to = 1 - packet.from;
        hand_over(&nodes[packet.to], bytes, &packet);
    } else {
        struct transit transit = transit_from(node, bytes, length);
        packet.to = next_end(&transit);
        route(&transit, &packet);
    }
}

void middle_deliver(struct node *node)
{
    uint16_t length;
    for (uint8_t *bytes; (bytes = link_take(&node->up, &length));)
        arrive(node, bytes, length);
    if (node->down.ring)
        for (uint8_t *bytes; (bytes = link_take(&node->down, &length));)
            write_packet(node, bytes, length);
}

int64_t middle_arrival_ns(const struct node *node)
{
    int64_t up_ns = link_arrival_ns(&node->up), down_ns = INT64_MAX;
    if (node->down.ring)
        down_ns = link_arrival_ns(&node->down);
    if (up_ns < down_ns)
        return up_ns;
    return down_ns;
}
