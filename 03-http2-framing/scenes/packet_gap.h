// packet_gap.h: what a lost packet held up. Compares when packets arrived (the packet log) with
// when the program read their bytes.
//
// TCP gives a program its bytes in order. Bytes that arrive behind a lost packet stay in the
// kernel until the lost packet has been sent again.
#ifndef GAP_H
#define GAP_H

#include <stdbool.h>
#include <stdint.h>

#define GAP_PIECES 16384
#define GAP_READS  16384
#define GAP_OWNERS 8

// A part of what the server has sent on a connection: a frame, which belongs to a stream, or a
// packet. Its owner is the stream, or the connection.
struct piece {
    int port;           // of the connection, at the client's end
    uint64_t from, to;  // its place: bytes since the connection's beginning
    int owner;          // 0 to GAP_OWNERS - 1
    int64_t arrived_ns; // when the client's kernel had all of it
    int64_t read_ns;    // when this program read it
};

// The bytes of a lost packet, until they come again.
struct hole {
    int port;
    uint64_t from, to;
    int64_t lost_ns;          // when the lost packet would have arrived
    int64_t filled_ns;        // when its bytes did arrive
    bool owners[GAP_OWNERS];  // the owners of the lost bytes
    int waited;               // pieces of other owners that had arrived behind the hole, and
                              // could be read only when it was filled
    bool waiters[GAP_OWNERS]; // the owners of these pieces
    int early;                // pieces behind the hole that were read before it was filled
    uint64_t went_on;         // bytes of other connections that were read meanwhile
    bool runners[GAP_OWNERS]; // the owners of these bytes
    double longest_ms;        // the longest time that a piece has waited
};

// Forgets all pieces, and begins anew.
void gap_begin(void);

// Notes that this program has read the connection's bytes up to `position`.
void gap_read(int port, uint64_t position, int64_t read_ns);

// Notes a piece that this program has found in the bytes.
void gap_piece(int port, uint64_t from, uint64_t to, int owner);

// Notes each packet of a connection as a piece of `owner`.
void gap_packets(int port, int owner);

// Finds the hole since gap_begin() that shows the most: the one behind which most pieces waited
// or, with `went_on`, during which the other connections read most bytes. False: no packet was
// lost, or it held up nothing.
bool gap_find(bool went_on, struct hole *hole);

// Draws a row for each owner that has a piece, from some time before the hole to some time
// after it was filled.
void gap_draw(const struct hole *hole, const char *name, int first, int step);

#endif
