// recording_bio.h: a socket for OpenSSL that records what passes through it: what an
// eavesdropper on the way would see and could keep.
#ifndef RECORDING_BIO_H
#define RECORDING_BIO_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_BYTES  65536 // kept of each direction; what passes later is only counted
#define RECORDING_PIECES 1024

// What one write() has sent, or one read() has brought.
struct recording_piece {
    int64_t at_ns;
    bool to_server;
    size_t length;
};

struct recording {
    int fd;
    bool one_by_one;     // write() for each record, as simple stacks do
    int64_t deadline_ns; // nothing is read later than that; 0: no limit
    bool ended;          // the other side will send no more: FIN
    int error;           // errno of what went wrong; 0: nothing
    size_t length[2];    // to the client, to the server: bytes that have passed
    int pieces;
    struct recording_piece piece[RECORDING_PIECES];
    uint8_t bytes[2][RECORDING_BYTES];
};

// What OpenSSL reads and writes through; it belongs to the SSL that it is given to. The
// recording has to stay as long. NULL: no memory.
BIO *recording_bio(struct recording *recording);

// How many bytes of a direction are kept.
size_t recording_kept(const struct recording *recording, bool to_server);

// How many bytes went to the server before it had answered anything.
size_t recording_first_flight(const struct recording *recording);

#endif
