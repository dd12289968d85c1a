// packet_log.c: see packet_log.h.
#include "packet_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net.h"

static struct packet_log *the_log;

static void map_log(int fd)
{
    int flags = MAP_SHARED;
    if (fd < 0)
        flags = MAP_PRIVATE | MAP_ANONYMOUS;
    the_log = mmap(NULL, sizeof *the_log, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (the_log == MAP_FAILED)
        die("cannot map the packet log (descriptor %d): %s", fd, strerror(errno));
}

struct packet_log *packet_log(void)
{
    if (!the_log) {
        const char *fd = getenv("WIRE_PACKET_LOG");
        if (fd) {
            map_log(atoi(fd));
        } else {
            map_log(-1);
            the_log->zero_ns = now_ns();
        }
    }
    return the_log;
}

void packet_log_create(void)
{
    char number[16];
    int fd = memfd_create("packet_log", 0);
    if (fd < 0 || ftruncate(fd, sizeof(struct packet_log)))
        die("cannot make the packet log: %s", strerror(errno));
    map_log(fd);
    the_log->zero_ns = now_ns();
    snprintf(number, sizeof number, "%d", fd);
    setenv("WIRE_PACKET_LOG", number, 1);
}

uint8_t packet_log_end(const char *name)
{
    struct packet_log *log = packet_log();
    for (int i = 0; i < ENDS_MAX; i++)
        if (*log->names[i] && !strcmp(log->names[i], name))
            return (uint8_t)i;
    return END_NONE;
}

void packet_log_pair(const char *left, const char *right)
{
    uint8_t ends[2] = {packet_log_end(left), packet_log_end(right)};
    for (int i = 0; i < 2; i++)
        if (ends[i] == END_NONE)
            die("the wire has no '%s'", i ? right : left);
    packet_log()->left = ends[0];
    packet_log()->right = ends[1];
}

void packet_log_add(const struct packet *packet)
{
    struct packet_log *log = packet_log();
    log->packets[log->seen % PACKET_LOG_PACKETS] = *packet;
    log->seen++; // atomic: a program that reads the new number also finds the packet
}

uint32_t packet_log_mark(void)
{
    return packet_log()->seen;
}

uint32_t packet_log_read(uint32_t mark, struct packet *packets, uint32_t max)
{
    struct packet_log *log = packet_log();
    uint32_t count = log->seen - mark;
    if (count > max || count > PACKET_LOG_PACKETS)
        die("%u packets passed, more than the %u that the scene has room for", count, max);
    for (uint32_t i = 0; i < count; i++)
        packets[i] = log->packets[(mark + i) % PACKET_LOG_PACKETS];
    return count;
}
