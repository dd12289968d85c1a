// capture.h: what wire shows of a packet: in the packet log, in a file for Wireshark, and on
// the story's timeline.
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

// Begins: `trace` draws on the timeline; `path` is the file's, or NULL.
void capture_begin(bool trace, const char *path);

// From here on the ends have names, and the file names both ends of each packet (pcapng instead
// of pcap).
void capture_name_ends(void);

// Notes a packet that sets out: from its sender, or from a box.
void capture_packet(const uint8_t *bytes, struct packet *packet);

// Notes that a packet which had set out was dropped later: by the box whose end is `by`, or, if
// that is END_NONE, on its way. `packet` has its fate. In the log the packet goes from `by` to
// END_NONE.
void capture_drop(const struct packet *packet, uint8_t by);

// Closes the file.
void capture_finish(void);

#endif
