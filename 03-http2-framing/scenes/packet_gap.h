// packet_gap.h: what a lost packet held up: the packets in the log beside what was read, and
// when.
//
// TCP gives a program its bytes in order: what has arrived behind a lost packet stays in the
// kernel until that one has been sent again.
#ifndef GAP_H
#define GAP_H

#include <stdbool.h>
#include <stdint.h>

#define GAP_PIECES 16384
#define GAP_READS  16384
#define GAP_OWNERS 6

// A part of what the server has sent on a connection, and whose it is: a frame of a stream, or
// a packet of a connection.
struct piece {
    int port;                    // of the connection, at our end
    uint64_t from, to;           // bytes since its beginning
    int owner;                   // 0 to GAP_OWNERS - 1
    int64_t arrived_ns, read_ns; // in our kernel, and in this program
};

struct hole {
    int port;
    uint64_t from, to;
    int64_t lost_ns, filled_ns; // when it would have arrived, and when it did
    bool owners[GAP_OWNERS];    // whose bytes were in it
    int waited;                 // pieces behind it, whole in our kernel before filled_ns, that
                                // were read only then, and whose owners lost nothing
    bool waiters[GAP_OWNERS];   // whose those are
    int early;                  // such pieces that were read before
    uint64_t went_on;           // bytes of other connections that arrived and were read
                                // meanwhile
    bool runners[GAP_OWNERS];   // whose those are
    double longest_ms;          // that a piece has waited
};

// Begins a new story.
void gap_begin(void);

// This program has read so many bytes of a connection, or has found a piece in them.
void gap_read(int port, uint64_t position, int64_t read_ns);
void gap_piece(int port, uint64_t from, uint64_t to, int owner);

// Each packet of a connection is a piece of `owner`.
void gap_packets(int port, int owner);

// Finds the hole in what came since gap_begin() that shows the most: the most pieces that had
// to wait or, with `went_on`, the most bytes of others that had not. False: nothing was lost,
// or it held up nothing.
bool gap_find(bool went_on, struct hole *hole);

// A row for each owner, from a while before the hole to a while after it was filled.
void gap_draw(const struct hole *hole, const char *name, int first, int step);

#endif
