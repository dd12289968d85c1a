// count_round_trips.h: how often a connection went there and back, counted in its packets, not
// by the clock: a clock also counts how busy the machine is.
//
// Each packet of TCP says up to where its sender has received the other side's bytes. So what
// it can be an answer to is known: a SYN is no answer, the SYN ACK answers it, what the client
// says then is an answer to the SYN ACK, and so on. Two such steps are a round trip.
#ifndef COUNT_ROUND_TRIPS_H
#define COUNT_ROUND_TRIPS_H

#include <stddef.h>
#include <stdint.h>

// Of the connection whose client's end is the socket `fd`: how many round trips it took until
// the client had the first `bytes` bytes from the server. `mark` is packet_log_mark() before it
// was opened. 0: there is no wire, and so no packets.
int count_round_trips(uint32_t mark, int fd, size_t bytes);

#endif
