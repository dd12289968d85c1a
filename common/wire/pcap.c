// pcap.c: see pcap.h.
#include "pcap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "packet_log.h"

#define LINKTYPE_RAW 101 // a bare IP packet
#define SNAPLEN      65535
#define HOPS_MAX     1024 // that have an interface of their own; all others share the last

static FILE *file;
static const char *file_path;
static int64_t epoch_ns; // what to add to now_ns() for the time of day
static bool named;       // pcapng
static struct {
    uint8_t from, to;
} hops[HOPS_MAX]; // the interfaces so far
static uint32_t hop_count;

static void put(const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, file) != length)
        die("cannot write %s: %s", file_path, strerror(errno));
}

// One header for all (draft-ietf-opsawg-pcap).
static void put_pcap_header(void)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t reserved[2], snaplen, linktype;
    } header = {0xa1b23c4d /* nanoseconds */, 2, 4, {0, 0}, SNAPLEN, LINKTYPE_RAW};
    put(&header, sizeof header);
}

void pcap_open(const char *path)
{
    struct timespec today;
    clock_gettime(CLOCK_REALTIME, &today);
    epoch_ns = today.tv_sec * INT64_C(1000000000) + today.tv_nsec - now_ns();
    file_path = path;
    file = fopen(path, "wbe");
    if (!file)
        die("cannot write %s: %s", path, strerror(errno));
    put_pcap_header();
}

// A section header block (draft-ietf-opsawg-pcapng section 4.1) in the place of pcap's header.
void pcap_name_ends(void)
{
    const uint32_t block[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28};
    rewind(file);
    put(block, sizeof block);
    named = true;
}

static const char *name_of(uint8_t end)
{
    if (end < ENDS_MAX)
        return packet_log()->names[end];
    return "?";
}

// The number of a hop's interface; a new one gets its block first (pcapng, section 4.2).
static uint32_t interface_of(const struct packet *packet)
{
    uint32_t i = 0;
    while (i < hop_count && (hops[i].from != packet->from || hops[i].to != packet->to))
        i++;
    if (i == HOPS_MAX)
        return HOPS_MAX - 1;
    if (i < hop_count)
        return i;
    hops[hop_count].from = packet->from;
    hops[hop_count++].to = packet->to;
    char name[40] = "";
    snprintf(name, sizeof name, "%s > %s", name_of(packet->from), name_of(packet->to));
    uint16_t name_length = (uint16_t)strlen(name);
    uint32_t padded = (name_length + 3u) & ~3u, length = 16 + 8 + 4 + padded + 4 + 4;
    const struct {
        uint32_t type, length, linktype, snaplen;
        uint16_t resolution_code, resolution_length;
        uint8_t resolution[4]; // 10^-9 s
        uint16_t name_code, name_length;
    } head = {1, length, LINKTYPE_RAW, SNAPLEN, 9, 1, {9}, 2, name_length};
    const uint32_t tail[] = {0 /* no more options */, length};
    put(&head, sizeof head);
    put(name, padded);
    put(tail, sizeof tail);
    return i;
}

// An enhanced packet block (pcapng, section 4.3).
static void put_named(const uint8_t *bytes, const struct packet *packet, uint64_t at_ns)
{
    static const uint8_t zeros[4];
    size_t padding = -packet->length & 3u;
    uint32_t length = (uint32_t)(32 + packet->length + padding);
    uint32_t header[] = {6,
                         length,
                         interface_of(packet),
                         (uint32_t)(at_ns >> 32),
                         (uint32_t)at_ns,
                         packet->length,
                         packet->length};
    put(header, sizeof header);
    put(bytes, packet->length);
    put(zeros, padding);
    put(&length, sizeof length);
}

void pcap_write(const uint8_t *bytes, const struct packet *packet)
{
    int64_t at_ns = packet->at_ns + epoch_ns;
    uint32_t header[4] = {(uint32_t)(at_ns / 1000000000), (uint32_t)(at_ns % 1000000000),
                          packet->length, packet->length};
    if (named) {
        put_named(bytes, packet, (uint64_t)at_ns);
        return;
    }
    put(header, sizeof header);
    put(bytes, packet->length);
}

void pcap_close(void)
{
    if (fclose(file))
        die("cannot write %s: %s", file_path, strerror(errno));
}
