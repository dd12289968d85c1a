// rewrite.h: new addresses and ports in a packet's headers, and checksums that are right again.
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP_ERROR_MAX 576 // bytes of an ICMP error message (RFC 1812 section 4.3.2.3)

// Where the fields of an IPv4 packet are that a box reads and writes. For an ICMP echo its
// identifier takes the place of both ports (RFC 5508 section 3.1).
struct headers {
    uint8_t *ip;
    uint8_t *transport;   // TCP, UDP or ICMP
    uint8_t *port[2];     // the source's, the destination's
    uint8_t *checksum;    // of TCP, UDP or ICMP; NULL if the packet is cut off before it
    uint8_t *icmp_packet; // the packet that an ICMP error is about, or NULL
    size_t length;        // of the transport header and what follows it
    uint8_t protocol;     // 0: none of these
    uint8_t tcp_flags;
};

enum { SOURCE, DESTINATION };

// Finds the headers of a packet that packet_decode() has found well-formed. False if it has
// none that a box can translate: a fragment, another protocol, another ICMP message.
bool headers_find(uint8_t *bytes, size_t length, struct headers *headers);

// The same for the packet in an ICMP error, which has the first bytes of it only.
bool headers_find_in_error(const struct headers *error, struct headers *headers);

uint32_t headers_address(const struct headers *headers, int which);
uint16_t headers_port(const struct headers *headers, int which);

// Writes an address and a port into the headers, and brings the checksums of IP and of the
// transport up to date (RFC 1624): a checksum that was wrong before stays wrong.
void headers_rewrite(const struct headers *headers, int which, uint32_t address, uint16_t port);

// The same for an ICMP error: `which` end of it, and the other end of the packet `about` in it,
// which travelled the other way. `port` is of that packet.
void headers_rewrite_error(const struct headers *error, const struct headers *about, int which,
                           uint32_t address, uint16_t port);

// Counts a packet's time to live down (RFC 1812 section 5.3.1). False if it has none left.
bool headers_count_down(uint8_t *ip);

// Makes the ICMP message that a packet's time to live was exceeded, from the `source` address
// to the packet's sender (RFC 792). `error` has room for ICMP_ERROR_MAX bytes. Returns its
// length.
uint16_t icmp_time_exceeded(const uint8_t *packet, size_t length, uint32_t source,
                            uint8_t *error);

#endif
