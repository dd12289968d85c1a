// over_tcp.h: the same resources over TCP, for comparison: all requests of a connection share
// one stream of bytes, and their answers take turns in it.
//
// A request is a line: a path. What comes back are pieces: which request (1 byte), whether it
// ends here (1 byte: 0, 1, or 2: there is nothing of that name), how many bytes (2), and those.
#ifndef OVER_TCP_H
#define OVER_TCP_H

#define PIECE_HEAD  4
#define PIECE_BYTES 1400 // at most, of one request before the next has its turn

// Serves `listener` in a thread of its own.
void over_tcp_begin(int listener);

// Ends that thread; returns how many connections there were.
long over_tcp_end(void);

#endif
