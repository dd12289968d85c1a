// link.c: see link.h. link_send() is where a network's delay, loss, rate and queue are made.
#include "link.h"

#include <stdlib.h>

#include "measure.h"
#include "net.h"

#define IN_FLIGHT_MAX 16384 // packets on the way, or waiting for their turn

struct in_flight {
    int64_t departs_ns; // when its last bit leaves the bottleneck
    int64_t arrives_ns;
    uint16_t length;
    bool lost;
    bool late;  // the next packet overtakes it
    bool taken; // it has overtaken the packet before it, and has arrived
};

#define IP_HEADER  20
#define UDP_HEADER 8

void link_open(struct link *link, const struct link_shape *shape, unsigned number)
{
    *link = (struct link){.shape = *shape};
    link->random = (uint64_t)shape->seed * 2 + number;
    link->random_harm = ~link->random;
    link->ring = calloc(IN_FLIGHT_MAX, sizeof *link->ring);
    link->bytes = malloc((size_t)IN_FLIGHT_MAX * (size_t)shape->mtu); // touched as far as used
    if (!link->ring || !link->bytes)
        die("no memory for packets on the way");
}

static struct in_flight *flight_at(const struct link *link, uint32_t position)
{
    return &link->ring[position % IN_FLIGHT_MAX];
}

static uint8_t *bytes_at(const struct link *link, uint32_t position)
{
    return link->bytes + (size_t)(position % IN_FLIGHT_MAX) * (size_t)link->shape.mtu;
}

uint8_t *link_room(const struct link *link)
{
    if (link->next - link->first == IN_FLIGHT_MAX)
        return NULL;
    return bytes_at(link, link->next);
}

// A number in [0, 1).
static double random_fraction(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static bool happens(uint64_t *state, double percent)
{
    return percent > 0 && random_fraction(state) * 100 < percent;
}

// Flips a bit of what the packet carries, or, where that is nothing, of the transport's header.
static void damage(struct link *link, uint8_t *bytes, uint16_t length)
{
    int from = IP_HEADER;
    if (length > IP_HEADER + UDP_HEADER)
        from += UDP_HEADER;
    int at = from + (int)(random_fraction(&link->random_harm) * (length - from));
    bytes[at] ^= (uint8_t)(1 << (random_next(&link->random_harm) & 7));
}

enum fate link_send(struct link *link, const struct packet *packet)
{
    const struct link_shape *shape = &link->shape;
    bool lost = random_fraction(&link->random) * 100 < shape->loss_percent;
    int64_t now = packet->at_ns, takes_ns = 0;
    link->packets++;
    link->all_bytes += packet->length;
    if ((int32_t)(link->departing - link->first) < 0)
        link->departing = link->first;
    while (link->departing != link->next && flight_at(link, link->departing)->departs_ns <= now)
        link->departing++;
    if (shape->rate_kbit > 0) {
        takes_ns = (int64_t)(packet->length * 8e6 / shape->rate_kbit);
        if (link->next - link->departing >= (uint32_t)shape->queue_packets) {
            link->dropped++;
            return QUEUE_FULL;
        }
    }
    if (link->last_departure_ns < now)
        link->last_departure_ns = now; // the bottleneck was idle
    link->last_departure_ns += takes_ns;
    bool damaged = !lost && packet->length > IP_HEADER &&
                   happens(&link->random_harm, shape->corrupt_percent);
    bool late = !lost && happens(&link->random_harm, shape->reorder_percent);
    if (damaged)
        damage(link, bytes_at(link, link->next), packet->length);
    *flight_at(link, link->next++) = (struct in_flight){
        .departs_ns = link->last_departure_ns,
        .arrives_ns = link->last_departure_ns + (int64_t)(shape->rtt_ms * 1e6 / 2),
        .length = packet->length,
        .lost = lost,
        .late = late,
    };
    link->lost += lost;
    if (lost)
        return LOST;
    if (damaged)
        return DAMAGED;
    if (late)
        return LATE;
    return PASSED;
}

// Where the packet is that arrives next: the first one, or the one that overtakes it.
static uint32_t arrives_next(const struct link *link)
{
    uint32_t behind = link->first + 1;
    if (flight_at(link, link->first)->late && behind != link->next &&
        !flight_at(link, behind)->taken)
        return behind;
    return link->first;
}

uint8_t *link_take(struct link *link, uint16_t *length)
{
    while (link_arrival_ns(link) <= now_ns()) {
        uint32_t position = arrives_next(link);
        struct in_flight *flight = flight_at(link, position);
        flight->taken = true;
        while (link->first != link->next && flight_at(link, link->first)->taken)
            link->first++;
        *length = flight->length;
        if (!flight->lost)
            return bytes_at(link, position);
    }
    return NULL;
}

int64_t link_arrival_ns(const struct link *link)
{
    if (link->first == link->next)
        return INT64_MAX;
    return flight_at(link, arrives_next(link))->arrives_ns;
}
