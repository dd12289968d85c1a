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

struct packet_log {
    bool tunnel;   // the pair talks over the wire (false: loopback, nothing below is kept)
    double rtt_ms; // of the wire, as are the next three; 0: not limited
    double loss;   // percent
    double rate;   // kbit/s
    int mtu;       // bytes
    _Atomic int64_t zero_ns; // the story's zero, on now_ns()'s clock
    _Atomic bool quiet;      // no packets and no server lines on the timeline for now
    _Atomic uint32_t seen;   // packets that the wire has taken so far
    struct packet packets[PACKET_LOG_PACKETS]; // packet number n is at [n % PACKET_LOG_PACKETS]
};

// The log that wire gave this program in $WIRE_PACKET_LOG (the number of an open descriptor),
// or, without wire, one of the program's own. Never NULL.
struct packet_log *packet_log(void);

// wire's end: makes the log in a file in memory and puts it into $WIRE_PACKET_LOG, for the
// programs that it is going to start.
void packet_log_create(void);

// Puts one packet into the log (wire), before it is delivered: a program that has received an
// answer finds both the question's and the answer's packets here.
void packet_log_add(const struct packet *packet);

// How many packets have passed so far. Take it before a step, and hand it to packet_log_read().
uint32_t packet_log_mark(void);

// Copies the packets since `mark` into `packets`, at most `max`; returns how many.
uint32_t packet_log_read(uint32_t mark, struct packet *packets, uint32_t max);

#endif
