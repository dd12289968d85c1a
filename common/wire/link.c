// link.c: see link.h. link_send() is where a network's delay, loss, rate and queue are made.
#include "link.h"

#include <stdlib.h>
#include <unistd.h>

#include "measure.h"
#include "net.h"

#define IN_FLIGHT_MAX 16384 // packets on the way, or waiting for their turn

struct in_flight {
    int64_t departs_ns; // when its last bit leaves the bottleneck
    int64_t arrives_ns;
    uint16_t length;
    bool lost;
};

void link_open(struct link *link, const struct link_shape *shape, bool to_server, int from_fd,
               int to_fd)
{
    *link = (struct link){
        .shape = *shape, .to_server = to_server, .from_fd = from_fd, .to_fd = to_fd};
    link->random = (uint64_t)shape->seed * 2 + to_server;
    link->ring = calloc(IN_FLIGHT_MAX, sizeof *link->ring);
    link->bytes = malloc((size_t)IN_FLIGHT_MAX * (size_t)shape->mtu); // touched as far as used
    if (!link->ring || !link->bytes)
        die("no memory for packets on the way");
}

bool link_full(const struct link *link)
{
    return link->next - link->first == IN_FLIGHT_MAX;
}

static struct in_flight *flight_at(const struct link *link, uint32_t position)
{
    return &link->ring[position % IN_FLIGHT_MAX];
}

static uint8_t *bytes_at(const struct link *link, uint32_t position)
{
    return link->bytes + (size_t)(position % IN_FLIGHT_MAX) * (size_t)link->shape.mtu;
}

// A number in [0, 1).
static double random_fraction(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static enum fate link_send(struct link *link, const struct packet *packet)
{
    const struct link_shape *shape = &link->shape;
    bool lost = random_fraction(&link->random) * 100 < shape->loss_percent;
    int64_t now = packet->at_ns, takes_ns = 0;
    if ((int32_t)(link->departing - link->first) < 0)
        link->departing = link->first;
    while (link->departing != link->next && flight_at(link, link->departing)->departs_ns <= now)
        link->departing++;
    if (shape->rate_kbit > 0) {
        takes_ns = (int64_t)(packet->length * 8e6 / shape->rate_kbit);
        if (link->next - link->departing >= (uint32_t)shape->queue_packets)
            return QUEUE_FULL;
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
    return lost ? LOST : PASSED;
}

bool link_take(struct link *link, struct packet *packet, const uint8_t **bytes)
{
    if (link_full(link))
        return false;
    uint8_t *place = bytes_at(link, link->next);
    for (;;) {
        ssize_t length = read(link->from_fd, place, (size_t)link->shape.mtu);
        if (length <= 0)
            return false;
        *packet = (struct packet){.at_ns = now_ns(), .to_server = link->to_server};
        if (packet_decode(place, (size_t)length, packet))
            break;
        // else IPv6 greets its neighbours: not on this wire
    }
    packet->fate = (uint8_t)link_send(link, packet);
    link->packets++;
    link->all_bytes += packet->length;
    link->lost += packet->fate == LOST;
    link->dropped += packet->fate == QUEUE_FULL;
    *bytes = place;
    return true;
}

void link_deliver(struct link *link)
{
    for (; link_arrival_ns(link) <= now_ns(); link->first++) {
        const struct in_flight *flight = flight_at(link, link->first);
        if (!flight->lost) // a network that is gone takes nothing any more: as lost
            (void)!write(link->to_fd, bytes_at(link, link->first), flight->length);
    }
}

int64_t link_arrival_ns(const struct link *link)
{
    return link->first == link->next ? INT64_MAX : flight_at(link, link->first)->arrives_ns;
}
