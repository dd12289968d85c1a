// recording_bio.h: a socket for OpenSSL that records all bytes that pass through it. An
// eavesdropper on the way could record the same bytes.
#ifndef RECORDING_BIO_H
#define RECORDING_BIO_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_BYTES                                                                        \
    65536 // bytes that are kept of each direction; later ones are only counted
#define RECORDING_PIECES 1024

// The bytes of one write() or of one read().
struct recording_piece {
    int64_t at_ns;
    bool to_server;
    size_t length;
};

struct recording {
    int fd;
    bool one_by_one;     // one write() for each record, as simple TLS programs do
    int64_t deadline_ns; // no byte is read after this time; 0: no limit
    bool ended;          // the other side has sent its FIN: no more bytes will come
    int error;           // errno of an error; 0: none
    size_t length[2];    // bytes that have passed: [0] to the client, [1] to the server
    int pieces;
    struct recording_piece piece[RECORDING_PIECES];
    uint8_t bytes[2][RECORDING_BYTES];
};

// Makes the BIO through which OpenSSL reads and writes. It belongs to the SSL that it is given
// to. The recording must live as long as the BIO. NULL: no memory.
BIO *recording_bio(struct recording *recording);

// How many bytes of a direction are kept.
size_t recording_kept(const struct recording *recording, bool to_server);

// How many bytes went to the server before it had answered anything.
size_t recording_first_flight(const struct recording *recording);

#endif
