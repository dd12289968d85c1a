// ring.h: io_uring by its system calls (io_uring(7)). The program and the kernel share two
// rings: in one the program writes what it wants (entries), in the other one the kernel writes
// what came of it (completions). One call, ring_wait(), hands over any number of entries, and
// waits.
//
// A third ring, for those who receive, has pieces of memory: the kernel takes one when bytes
// have come, so that no memory waits for a client that is silent.
#ifndef RING_H
#define RING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_ENTRIES     512  // that wait to be handed over
#define RING_COMPLETIONS 1024 // beyond this the kernel keeps them, until there is room again
#define RING_PIECES      256  // for receive(), at once; a power of two
#define RING_PIECE_BYTES 4096
#define RING_GROUP       0 // the pieces' name for the kernel (IOSQE_BUFFER_SELECT)

struct ring {
    int fd;
    void *memory; // the rings of entries and completions
    size_t memory_bytes;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *completions;
    unsigned *entries_head, *entries_tail, *completions_head, *completions_tail;
    unsigned filled; // entries that are written; those behind *entries_tail are not handed over
    struct io_uring_buf_ring *pieces;
    char *piece_bytes;
    bool next_taken; // ring_next() has returned the completion at the head
};

// Makes the two rings, and ring_add_pieces() the third one. Only the thread that calls this may
// use the ring. False: the kernel refuses, errno
// says why (EPERM: kernel.io_uring_disabled, or a container's seccomp; ENOSYS, EINVAL: it is
// too old). After ring_add_pieces() has failed, the caller closes the ring.
bool ring_open(struct ring *ring);
bool ring_add_pieces(struct ring *ring);
void ring_close(struct ring *ring);

// Returns an empty entry, for the caller to fill; `user_data` comes back with its completion.
// Hands over those before it, if the ring is full. NULL: the kernel takes no more at the
// moment.
struct io_uring_sqe *ring_entry(struct ring *ring, int operation, int fd, uint64_t user_data);

// Hands over all entries. Waits until there is a completion, or the time has passed; 0: does
// not wait; -1: for ever.
void ring_wait(struct ring *ring, int64_t timeout_ns);

// The next completion, or NULL. It is valid until ring_next() is called again.
const struct io_uring_cqe *ring_next(struct ring *ring);

// The bytes of the piece that the kernel has chosen for this completion, and the piece's
// return.
char *ring_piece(struct ring *ring, const struct io_uring_cqe *done);
void ring_give_back(struct ring *ring, const char *piece);

#endif
