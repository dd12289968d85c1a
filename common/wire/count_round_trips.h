// count_round_trips.h: counts the round trips of a connection in its packets, not by the clock:
// on a busy machine a clock shows more.
//
// Each TCP packet acknowledges bytes of the other side. So we know which packet it answers: the
// SYN answers nothing, the SYN ACK answers the SYN, the client's next packet answers the SYN
// ACK, and so on. Two such steps are a round trip.
#ifndef COUNT_ROUND_TRIPS_H
#define COUNT_ROUND_TRIPS_H

#include <stddef.h>
#include <stdint.h>

// Counts the round trips of a connection until the client had the first `bytes` bytes of the
// server. `fd` is the client's socket. `mark` is packet_log_mark() from before the connection
// was opened. Returns 0 if there is no wire, and so there are no packets.
int count_round_trips(uint32_t mark, int fd, size_t bytes);

#endif
