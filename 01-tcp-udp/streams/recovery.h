// recovery.h: which packets are lost, when to ask again, and how many bytes may be on their
// way: RFC 9002, with NewReno. A number is never used twice: what is lost travels again in a
// packet with a new number, so it is always clear which of the two was acknowledged.
#ifndef RECOVERY_H
#define RECOVERY_H

#include "stream.h"

#define PACKET_THRESHOLD 3                  // §6.1.1: so many later ones have arrived
#define INITIAL_RTT_NS   INT64_C(333000000) // §6.2.2
#define GRANULARITY_NS   INT64_C(1000000)   // §6.1.2
#define MAX_ACK_DELAY_NS INT64_C(25000000)  // RFC 9000 §18.2
#define PACKETS_INITIAL  10                 // §7.2: that may be on their way at first,
#define PACKETS_LEAST    2                  // and after the worst
#define PERSISTENT       3                  // §7.6.1: times the probe timeout
#define CHUNKS_MAX       8                  // streams that share one packet
#define SENT_FIRST       64                 // packets that there is room for at first,
#define SENT_MAX         1024               // and at most
#define BACKOFF_MAX      6                  // the probe timeout doubles so many times

// What a packet carried besides chunks, and has to be said again when the packet is lost.
enum { SAYS_MAX_DATA = 1, SAYS_MAX_STREAM_DATA = 2, SAYS_RESET = 4, SAYS_PING = 8 };

enum sent_state { SENT_NOTHING, SENT_IN_FLIGHT, SENT_ACKED, SENT_LOST };

struct sent_packet {
    int64_t at_ns;
    uint16_t bytes;
    uint8_t state; // SENT_NOTHING: it asks for no acknowledgement
    uint8_t says;
    bool
        is_size_probe; // when it is lost, it was too large: that says nothing about the network
    uint8_t chunk_count;
    struct chunk chunks[CHUNKS_MAX];
};

struct recovery {
    // Packet number n is at sent[n % room]; those from `first` to `next` - 1 are remembered.
    struct sent_packet *sent;
    uint32_t room;
    uint64_t first, next;
    uint64_t largest_acked; // UINT64_MAX: none yet
    int64_t last_sent_ns;   // of those that ask for an acknowledgement
    int64_t loss_ns;        // when the next one counts as lost; NEVER
    int pto_count;          // probe timeouts in a row
    int probes;             // packets that may be sent whatever the window says

    int64_t latest_rtt_ns, smoothed_rtt_ns, rtt_variation_ns, least_rtt_ns;
    bool has_rtt;

    uint32_t datagram_bytes; // the largest that we send
    uint64_t in_flight;      // bytes
    uint64_t window;         // bytes that may be in flight
    uint64_t threshold;      // slow start ends here
    int64_t recovery_ns;     // packets sent before this have already made the window smaller
    bool limited_by_program; // the window was not used up: it does not grow

    uint64_t lost_count, acked_count;

    // What became of a packet. When it is lost, the connection sends its content again.
    void (*acked)(void *context, const struct sent_packet *packet);
    void (*lost)(void *context, const struct sent_packet *packet);
    void *context;
};

// False: no memory.
bool recovery_begin(struct recovery *r);
void recovery_end(struct recovery *r);

// A new path: what was learned about the old one does not count (RFC 9000 §9.4).
void recovery_forget_path(struct recovery *r);

// Puts down a packet that is sent now: its number is r->next, and the next one gets another.
void recovery_sent(struct recovery *r, const struct sent_packet *packet);

// Bytes that may be sent now.
uint64_t recovery_allows(const struct recovery *r);

// An ACK frame has come. False: it acknowledges a packet that was never sent.
bool recovery_ack(struct recovery *r, const struct frame *ack, int64_t now);

// When recovery_expire() is due; NEVER: nothing is in flight.
int64_t recovery_due_ns(const struct recovery *r);
void recovery_expire(struct recovery *r, int64_t now);

// The probe timeout (§6.2.1), without backoff.
int64_t recovery_pto_ns(const struct recovery *r);

// All packets in flight are lost, by no fault of the network: the server wants them again.
void recovery_restart(struct recovery *r);

#endif
