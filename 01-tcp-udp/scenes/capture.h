// capture.h: reads facts about TCP and UDP from a list of captured packets.
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

#define IP_HEADER 20 // bytes; no IP options here

// True if SYN, SYN ACK and ACK of the connection from `client_port` come before its first data.
bool capture_opens(const struct packet *list, uint32_t count, int client_port);

// The flags of the SYN of the connection from `client_port`, and of the answer to it: 0, if the
// list does not have them.
void capture_opening_flags(const struct packet *list, uint32_t count, int client_port,
                           uint8_t *syn, uint8_t *syn_ack);

// What one question took, over TCP (IPPROTO_TCP) or UDP, from `client_port`.
struct exchange {
    int packets;     // all of them, both ways
    int round_trips; // until the server's first bytes set out: how often the client had to wait
};
struct exchange capture_exchange(const struct packet *list, uint32_t count, int protocol,
                                 int client_port);

// How many segments closed the connection from `client_port`. The two FINs and their two ACKs
// count; a segment with a FIN and an ACK counts once. 0: the connection is not closed.
int capture_closing_segments(const struct packet *list, uint32_t count, int client_port);

// The smallest and the largest TCP header in bytes, in the whole list.
void capture_tcp_headers(const struct packet *list, uint32_t count, int *smallest,
                         int *largest);

// The largest payload of a TCP segment from `client_port`, and the MSS that its SYN announces.
void capture_segment_size(const struct packet *list, uint32_t count, int client_port,
                          int *largest_payload, int *mss);

#endif
