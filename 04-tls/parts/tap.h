// tap.h: a socket for OpenSSL that remembers what passes through it: what somebody on the way
// would see, and would keep.
#ifndef TAP_H
#define TAP_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_BYTES  65536 // kept of each direction; what passes later is only counted
#define TAP_PIECES 1024

// What one write() has sent, or one read() has brought.
struct tap_piece {
    int64_t at_ns;
    bool to_server;
    size_t length;
};

struct tap {
    int fd;
    bool one_by_one;     // write() for each record, as simple stacks do
    int64_t deadline_ns; // nothing is read later than that; 0: no limit
    bool ended;          // the other side will send no more: FIN
    int error;           // errno of what went wrong; 0: nothing
    size_t length[2];    // to the client, to the server: bytes that have passed
    int pieces;
    struct tap_piece piece[TAP_PIECES];
    uint8_t bytes[2][TAP_BYTES];
};

// What OpenSSL reads and writes through; it belongs to the SSL that it is given to. The tap has
// to stay as long. NULL: no memory.
BIO *tap_bio(struct tap *tap);

// How many bytes of a direction are kept.
size_t tap_kept(const struct tap *tap, bool to_server);

// How many bytes went to the server before it had answered anything.
size_t tap_first_flight(const struct tap *tap);

#endif
