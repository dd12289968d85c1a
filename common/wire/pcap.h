// pcap.h: a file of packets for Wireshark.
#ifndef PCAP_H
#define PCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

// Makes the file. Dies where it cannot be written; so do the others.
void pcap_open(const char *path);

// Before the first packet: names the ends of each packet, which takes another format (pcapng).
// In Wireshark each hop, "alice > bob", is an interface of its own (frame.interface_name).
void pcap_name_ends(void);

// A packet's time is that of its sender (at_ns): it arrives half of the RTT later, or never.
void pcap_write(const uint8_t *bytes, const struct packet *packet);

void pcap_close(void);

#endif
