// ring.c: see ring.h. The rings lie in memory that the kernel maps for both. Head and tail of
// each are counters: the one side writes the tail, the other side the head.
#include "ring.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The two system calls that libc has no function for.
static int setup(unsigned entries, struct io_uring_params *params)
{
    return (int)syscall(SYS_io_uring_setup, entries, params);
}

static int enter(int fd, unsigned submit, unsigned wait, unsigned flags, const void *argument,
                 size_t size)
{
    return (int)syscall(SYS_io_uring_enter, fd, submit, wait, flags, argument, size);
}

static unsigned read_counter(const unsigned *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void write_counter(unsigned *counter, unsigned value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELEASE);
}

static void *map(size_t bytes, int fd, off_t offset)
{
    int flags = MAP_SHARED | MAP_POPULATE;
    if (fd < 0)
        flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
    if (memory == MAP_FAILED)
        return NULL;
    return memory;
}

static bool map_rings(struct ring *ring, const struct io_uring_params *params)
{
    size_t entries = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t completions = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    ring->memory_bytes = completions;
    if (entries > completions)
        ring->memory_bytes = entries;
    char *memory = map(ring->memory_bytes, ring->fd, IORING_OFF_SQ_RING);
    ring->memory = memory;
    ring->entries = map(RING_ENTRIES * sizeof(struct io_uring_sqe), ring->fd, IORING_OFF_SQES);
    if (!memory || !ring->entries)
        return false;
    ring->entries_head = (unsigned *)(memory + params->sq_off.head);
    ring->entries_tail = (unsigned *)(memory + params->sq_off.tail);
    ring->completions_head = (unsigned *)(memory + params->cq_off.head);
    ring->completions_tail = (unsigned *)(memory + params->cq_off.tail);
    ring->completions = (struct io_uring_cqe *)(memory + params->cq_off.cqes);
    // The ring of entries has their numbers; here number i is always in place i.
    unsigned *numbers = (unsigned *)(memory + params->sq_off.array);
    for (unsigned i = 0; i < RING_ENTRIES; i++)
        numbers[i] = i;
    return true;
}

bool ring_open(struct ring *ring)
{
    // Completions are made when ring_wait() asks for them, and do not interrupt the program in
    // between: since Linux 6.1. An older kernel does not know these flags.
    static const unsigned also[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0};
    struct io_uring_params params;
    int fd = -1;
    for (size_t i = 0; i < sizeof also / sizeof *also && fd < 0; i++) {
        params = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
                                                   also[i],
                                          .cq_entries = RING_COMPLETIONS};
        fd = setup(RING_ENTRIES, &params);
    }
    *ring = (struct ring){.fd = fd};
    if (ring->fd < 0)
        return false;
    if (map_rings(ring, &params))
        return true;
    int error = errno;
    ring_close(ring);
    errno = error;
    return false;
}

bool ring_add_pieces(struct ring *ring)
{
    ring->pieces = map(RING_PIECES * sizeof(struct io_uring_buf), -1, 0);
    ring->piece_bytes = map((size_t)RING_PIECES * RING_PIECE_BYTES, -1, 0);
    if (!ring->pieces || !ring->piece_bytes)
        return false;
    struct io_uring_buf_reg pieces = {
        .ring_addr = (uintptr_t)ring->pieces, .ring_entries = RING_PIECES, .bgid = RING_GROUP};
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_PBUF_RING, &pieces, 1))
        return false;
    for (int i = 0; i < RING_PIECES; i++)
        ring_give_back(ring, ring->piece_bytes + i * RING_PIECE_BYTES);
    return true;
}

void ring_close(struct ring *ring)
{
    close(ring->fd); // ends all that is under way
    if (ring->memory)
        munmap(ring->memory, ring->memory_bytes);
    if (ring->entries)
        munmap(ring->entries, RING_ENTRIES * sizeof(struct io_uring_sqe));
    if (ring->pieces)
        munmap(ring->pieces, RING_PIECES * sizeof(struct io_uring_buf));
    if (ring->piece_bytes)
        munmap(ring->piece_bytes, (size_t)RING_PIECES * RING_PIECE_BYTES);
}

struct io_uring_sqe *ring_entry(struct ring *ring, int operation, int fd, uint64_t user_data)
{
    if (ring->filled - read_counter(ring->entries_head) == RING_ENTRIES)
        ring_wait(ring, 0);
    if (ring->filled - read_counter(ring->entries_head) == RING_ENTRIES)
        return NULL;
    struct io_uring_sqe *entry = &ring->entries[ring->filled++ % RING_ENTRIES];
    memset(entry, 0, sizeof *entry);
    entry->opcode = (uint8_t)operation;
    entry->fd = fd;
    entry->user_data = user_data;
    return entry;
}

void ring_wait(struct ring *ring, int64_t timeout_ns)
{
    struct __kernel_timespec time = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    struct io_uring_getevents_arg limit = {.ts = (uintptr_t)&time};
    unsigned flags = IORING_ENTER_GETEVENTS, wait = timeout_ns != 0;
    if (timeout_ns < 0)
        limit.ts = 0;
    if (read_counter(ring->completions_tail) != *ring->completions_head)
        wait = 0; // there is something to do already
    write_counter(ring->entries_tail, ring->filled);
    unsigned submit = ring->filled - read_counter(ring->entries_head);
    // Errors are for the next time: EINTR and ETIME end the waiting, with EBUSY and EAGAIN the
    // kernel wants completions to be taken first.
    enter(ring->fd, submit, wait, flags | IORING_ENTER_EXT_ARG, &limit, sizeof limit);
}

const struct io_uring_cqe *ring_next(struct ring *ring)
{
    unsigned head = *ring->completions_head;
    if (ring->next_taken)
        write_counter(ring->completions_head, ++head);
    ring->next_taken = head != read_counter(ring->completions_tail);
    if (!ring->next_taken)
        return NULL;
    return &ring->completions[head % RING_COMPLETIONS];
}

char *ring_piece(struct ring *ring, const struct io_uring_cqe *done)
{
    return ring->piece_bytes + (done->flags >> IORING_CQE_BUFFER_SHIFT) * RING_PIECE_BYTES;
}

void ring_give_back(struct ring *ring, const char *piece)
{
    unsigned short tail = ring->pieces->tail;
    struct io_uring_buf *place = &ring->pieces->bufs[tail % RING_PIECES];
    place->addr = (uintptr_t)piece;
    place->len = RING_PIECE_BYTES;
    place->bid = (unsigned short)((piece - ring->piece_bytes) / RING_PIECE_BYTES);
    __atomic_store_n(&ring->pieces->tail, (unsigned short)(tail + 1), __ATOMIC_RELEASE);
}
