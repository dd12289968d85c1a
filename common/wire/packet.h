// packet.h: one IPv4 packet, read from its headers, and in words.
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What became of a packet: it set out, or the reason why it was dropped (fate_name()).
enum fate {
    PASSED,
    LOST,       // by chance (--loss), or because it was chosen (--drop)
    QUEUE_FULL, // of a link with a rate
    MUTED,      // its sender or its receiver is cut off
    UDP_BLOCKED,
    NO_ROUTE,      // no node has that address
    TTL_EXPIRED,   // in a box, which tells the sender
    NO_MAPPING,    // a box has no mapping for it, and such a packet makes none
    FILTERED,      // a NAT has the mapping, but its filter does not let this sender in
    NO_HAIRPIN,    // from behind a NAT to the same NAT's outer address
    DAMAGED,       // by --corrupt: it arrives, and its receiver's checksum is wrong
    LATE,          // by --reorder: it arrives, and the next one may have overtaken it
    UNTRANSLATABLE // a fragment, or a packet without ports
};

// In words; NULL for PASSED.
const char *fate_name(enum fate fate);

#define END_NONE 255 // in the place of an end's number: there is no such end

// TCP's control bits (RFC 9293 section 3.1).
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_ECE = 64, TCP_CWR = 128 };

struct packet {
    int64_t at_ns;                // when the wire took it from its sender, on now_ns()'s clock
    uint32_t source, destination; // addresses
    uint32_t seq, ack;
    uint16_t length;  // of the whole IP packet; this and the following lengths in bytes
    uint16_t header;  // TCP's or UDP's header
    uint16_t payload; // what the programs wrote
    uint16_t window;  // as in the header: not scaled
    uint16_t mss;     // in a SYN; 0 elsewhere
    uint16_t source_port, destination_port;
    uint8_t protocol; // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, ...
    uint8_t flags;    // TCP: the control bits
    uint8_t icmp_type, icmp_code;
    uint8_t from, to; // the two ends of this hop: packet_log()->names
    bool to_server;   // to the right-hand one of the two ends that are drawn
    uint8_t fate;     // enum fate
};

// Reads the headers in `bytes` (RFC 791, 9293, 768, 792) into `packet`; leaves at_ns,
// from, to, to_server and fate alone. False if this is not a whole, well-formed IPv4 packet.
bool packet_decode(const uint8_t *bytes, size_t length, struct packet *packet);

// What has been said in one TCP connection so far: what relative numbers, "again" and
// "window open" are judged by. [0] is the client's side, [1] the server's.
struct conversation {
    uint32_t client, server; // addresses
    uint16_t client_port, server_port;
    uint8_t client_end, server_end;
    struct {
        uint32_t first_seq, next_seq, last_ack;
        bool started, window_closed, over; // over: it has sent FIN or RST
    } side[2];
};

#define CONVERSATIONS_MAX 64 // the oldest is forgotten when there are more

struct conversations {
    struct conversation list[CONVERSATIONS_MAX];
    unsigned count; // ever seen
};

// Describes a packet in a few words, for example "1448 bytes  seq 1449  again".
// `text` has room for PACKET_LABEL bytes.
#define PACKET_LABEL 96
void packet_label(struct conversations *all, const struct packet *packet, char *text);

// The same without what was said before, for a packet that has had its label: "UDP 45 bytes".
void packet_summary(const struct packet *packet, char *text);

#endif
