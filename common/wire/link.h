// link.h: one direction of the wire: what happens to a packet on the way.
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

// What both directions are like; 0: no delay, no loss, no limit.
struct link_shape {
    double rtt_ms; // half of it each way
    double loss_percent;
    double rate_kbit;  // in kbit/s, counting whole IP packets
    int queue_packets; // that may wait for their turn where there is a rate
    int mtu;           // bytes
    int seed;          // of the losses: same seed, same losses
};

// The packets on the way are a ring: they arrive in the order in which they were sent.
struct link {
    struct link_shape shape;
    bool to_server;
    int from_fd, to_fd; // the TUN devices' other ends; -1: no packets here
    uint64_t random;
    int64_t last_departure_ns;
    uint32_t first, departing, next; // arrives next, departs next, free (all modulo the ring)
    struct in_flight *ring;
    uint8_t *bytes;                             // mtu bytes for each place in the ring
    uint64_t packets, lost, dropped, all_bytes; // taken so far, in all
};

// Prepares a direction. Dies if there is no memory for it.
void link_open(struct link *link, const struct link_shape *shape, bool to_server, int from_fd,
               int to_fd);

// True if no more packets fit on the way: then the sender's network has to keep them.
bool link_full(const struct link *link);

// Takes the next packet from its sender and decides what becomes of it: it waits for its turn
// at the bottleneck, may be lost on the way, and arrives after the delay; if the queue is full,
// it does not even start. Fills in `packet`, and points `bytes` to its bytes until the next
// call. False if there is no packet, or no room for one.
bool link_take(struct link *link, struct packet *packet, const uint8_t **bytes);

// Hands over what has arrived by now.
void link_deliver(struct link *link);

// When the next packet arrives, on now_ns()'s clock; INT64_MAX if none is on the way.
int64_t link_arrival_ns(const struct link *link);

#endif
