// board.c: see board.h.
#include "board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net.h"

static struct board *the_board;

static void map_board(int fd)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    the_board = mmap(NULL, sizeof *the_board, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (the_board == MAP_FAILED)
        die("cannot map the board (descriptor %d): %s", fd, strerror(errno));
}

struct board *board(void)
{
    if (!the_board) {
        const char *fd = getenv("WIRE_BOARD");
        map_board(fd ? atoi(fd) : -1);
        if (!fd)
            the_board->zero_ns = now_ns();
    }
    return the_board;
}

void board_create(void)
{
    char number[16];
    int fd = memfd_create("board", 0);
    if (fd < 0 || ftruncate(fd, sizeof(struct board)))
        die("cannot make the board: %s", strerror(errno));
    map_board(fd);
    the_board->zero_ns = now_ns();
    snprintf(number, sizeof number, "%d", fd);
    setenv("WIRE_BOARD", number, 1);
}

void board_add(const struct packet *packet)
{
    struct board *b = board();
    b->packets[b->seen % BOARD_PACKETS] = *packet;
    b->seen++; // atomic: whoever reads the new number also finds the packet
}

uint32_t board_mark(void)
{
    return board()->seen;
}

uint32_t board_packets(uint32_t mark, struct packet *packets, uint32_t max)
{
    struct board *b = board();
    uint32_t count = b->seen - mark;
    if (count > max || count > BOARD_PACKETS)
        die("%u packets passed, more than the %u that the scene has room for", count, max);
    for (uint32_t i = 0; i < count; i++)
        packets[i] = b->packets[(mark + i) % BOARD_PACKETS];
    return count;
}
