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
};

void link_open(struct link *link, const struct link_shape *shape, unsigned number)
{
    *link = (struct link){.shape = *shape};
    link->random = (uint64_t)shape->seed * 2 + number;
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
    *flight_at(link, link->next++) = (struct in_flight){
        .departs_ns = link->last_departure_ns,
        .arrives_ns = link->last_departure_ns + (int64_t)(shape->rtt_ms * 1e6 / 2),
        .length = packet->length,
        .lost = lost,
    };
    link->lost += lost;
    if (lost)
        return LOST;
    return PASSED;
}

uint8_t *link_take(struct link *link, uint16_t *length)
{
    while (link_arrival_ns(link) <= now_ns()) {
        uint32_t position = link->first++;
        *length = flight_at(link, position)->length;
        if (!flight_at(link, position)->lost)
            return bytes_at(link, position);
    }
    return NULL;
}

int64_t link_arrival_ns(const struct link *link)
{
    if (link->first == link->next)
        return INT64_MAX;
    return flight_at(link, link->first)->arrives_ns;
}
