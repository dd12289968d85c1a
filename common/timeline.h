// timeline.h: lines between a client, on the left, and a server, on the right: what each of
// them did, and the packets between them. The client draws its lines by story.h, the server by
// log.h, wire the packets; all of them share one zero (packet_log.h).
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

enum timeline_side { TIMELINE_CLIENT, TIMELINE_SERVER };

// Prints the two names over the timeline: client and server, or where wire has more nodes the
// two that it shows (packet_log_pair()).
void timeline_heading(void);

// Prints these two names from now on; NULL: again as above.
void timeline_name(const char *left, const char *right);

// Finds the side that this program's node is on. False if wire shows two others.
bool timeline_find_side(enum timeline_side *side);

// Prints the moment, in milliseconds since the story's zero. Returns its columns.
int timeline_time(int64_t at_ns);

// One thing that a side did or saw, at this moment. Text that is too long is cut.
void timeline_line(enum timeline_side side, char *text);

// A packet from one side to the other. `lost` is NULL, or says where the packet ended.
void timeline_arrow(int64_t at_ns, bool to_server, const char *label, const char *lost);

#endif
