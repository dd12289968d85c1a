// link.h: one direction of a link: what happens to a packet on the way.
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

// What both directions are like; 0: no delay, no loss, no limit.
struct link_shape {
    double rtt_ms; // half of it each way
    double loss_percent;
    double corrupt_percent; // of the packets: a bit is flipped behind the IP header
    double reorder_percent; // of the packets: the next one overtakes it, if there is one yet
    double rate_kbit;       // in kbit/s, counting whole IP packets
    int queue_packets;      // that may wait for their turn where there is a rate
    int mtu;                // bytes
    int seed;               // same seed, same losses, damages and delays
};

// The packets on the way are a ring: they arrive in the order in which they were sent, but
// where one of them is overtaken.
struct link {
    struct link_shape shape;
    uint64_t random, random_harm; // the second one: of damages and delays
    int64_t last_departure_ns;
    uint32_t first, departing, next; // arrives next, departs next, free (all modulo the ring)
    struct in_flight *ring;          // NULL: the link is not open
    uint8_t *bytes;                  // mtu bytes for each place in the ring
    uint64_t packets, lost, dropped, all_bytes; // taken so far, in all
};

// Prepares a direction; of the links of one wire each has another `number`, so that each loses
// other packets. Dies if there is no memory for it.
void link_open(struct link *link, const struct link_shape *shape, unsigned number);

// Where the bytes of the next packet belong, up to mtu of them. NULL if no more packets fit on
// the way: then the sender's network has to keep them.
uint8_t *link_room(const struct link *link);

// Lets the packet whose bytes are at link_room() set out, and decides what becomes of it: it
// waits for its turn at the bottleneck, may be lost on the way, and arrives after the delay; if
// the queue is full, it does not even start; or it may be damaged, in its place at link_room().
// Counts it. `at_ns` and `length` of the packet have
// to be filled in. Returns its fate.
enum fate link_send(struct link *link, const struct packet *packet);

// Takes the next packet that has arrived by now off the link. Returns its bytes, which stay
// where they are until the next link_send(); NULL if there is none.
uint8_t *link_take(struct link *link, uint16_t *length);

// When the next packet arrives, on now_ns()'s clock; INT64_MAX if none is on the way.
int64_t link_arrival_ns(const struct link *link);

#endif
