// packet_log.h: one page of memory that wire shares with the two programs it runs.
//
// Through it all three draw on one timeline with one zero, a scene can silence the timeline
// while it repeats something a thousand times, and a scene can read what really travelled:
// the headers of every packet that passed the wire.
#ifndef PACKET_LOG_H
#define PACKET_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

#define PACKET_LOG_PACKETS 16384 // how many of the last packets stay readable
#define ENDS_MAX           48    // nodes, and the boxes between them
#define END_NAME           16    // bytes of a name

struct packet_log {
    bool tunnel;   // the pair talks over the wire (false: loopback, nothing below is kept)
    double rtt_ms; // of the wire, as are the next three; 0: not limited
    double loss;   // percent
    double rate;   // kbit/s
    int mtu;       // bytes
    _Atomic int64_t zero_ns;        // the story's zero, on now_ns()'s clock
    char names[ENDS_MAX][END_NAME]; // of the ends; "client" is 0, "server" 1 where they are two
    _Atomic uint8_t left, right;    // the two ends that the timeline shows: packet_log_pair()
    _Atomic bool quiet;             // no packets and no server lines on the timeline for now
    _Atomic uint32_t seen;          // packets that the wire has taken so far
    struct packet packets[PACKET_LOG_PACKETS]; // packet number n is at [n % PACKET_LOG_PACKETS]
};

// The log that wire gave this program in $WIRE_PACKET_LOG (the number of an open descriptor),
// or, without wire, one of the program's own. Never NULL.
struct packet_log *packet_log(void);

// wire's end: makes the log in a file in memory and puts it into $WIRE_PACKET_LOG, for the
// programs that it is going to start.
void packet_log_create(void);

// The number of a node or box, END_NONE if wire has none of that name.
uint8_t packet_log_end(const char *name);

// Lets the timeline show what travels between these two from now on. A packet that a box on its
// way rewrites makes two hops: from its sender to the box, and from the box on. Dies if there
// is no end of that name.
void packet_log_pair(const char *left, const char *right);

// Puts one packet into the log (wire), before it is delivered: a program that has received an
// answer finds both the question's and the answer's packets here.
void packet_log_add(const struct packet *packet);

// How many packets have passed so far. Take it before a step, and hand it to packet_log_read().
uint32_t packet_log_mark(void);

// Copies the packets since `mark` into `packets`, at most `max`; returns how many.
uint32_t packet_log_read(uint32_t mark, struct packet *packets, uint32_t max);

#endif
