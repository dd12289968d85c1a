// bulk.c: scene bulk: much data in large writes, with and without Nagle. And which of the two a
// new socket has.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define CHUNK_BYTES 65536 // of a write()

static const struct claim keep = {
    "9.30", "guide §10.1", "keep Nagle enabled for bulk data transfer", NOT_HERE,
    "It neither helps nor hurts: it holds back small segments, and of large writes only the "
    "last one is small (RFC 1122 §4.2.3.4). With TCP_NODELAY the kernel still fills segments "
    "while bytes wait for the window."};
static const struct claim on = {
    "9.31", "guide §10.1", "TCP_NODELAY has to be set: without it Nagle is on", HOLDS, NULL};

struct transfer {
    int no_delay;      // TCP_NODELAY, as the kernel says
    int segment_bytes; // at most
    uint32_t segments;
    double ms;
};

static int read_option(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof value;
    if (getsockopt(fd, IPPROTO_TCP, option, &value, &length))
        die("cannot read an option of TCP: %s", strerror(errno));
    return value;
}

// One request with the longest body, in large writes. The socket is as socket() makes it, or,
// if `no_delay`, TCP_NODELAY is set.
static struct transfer send_bulk(bool no_delay)
{
    static const char chunk[CHUNK_BYTES];
    uint32_t header = htonl(BODY_MAX_BYTES);
    int fd = open_connection(host, port);
    if (no_delay)
        set_option(fd, TCP_NODELAY, 1);
    int64_t start_ns = now_ns();
    put(fd, &header, sizeof header);
    for (size_t sent = 0; sent < BODY_MAX_BYTES; sent += CHUNK_BYTES)
        put(fd, chunk, CHUNK_BYTES);
    await_answer(fd);
    struct transfer transfer = {read_option(fd, TCP_NODELAY), read_option(fd, TCP_MAXSEG),
                                segments_sent(fd), (double)(now_ns() - start_ns) / 1e6};
    close(fd);
    return transfer;
}

// With fewer segments than its bytes need the count of a transfer is wrong.
static bool is_counted(const struct transfer *transfer)
{
    return transfer->segments >= (uint32_t)(BODY_MAX_BYTES / transfer->segment_bytes);
}

static void report_bulk(const struct transfer *with, const struct transfer *without)
{
    if (!packet_log()->tunnel) {
        claim_skip(&keep);
        return;
    }
    if (packet_log()->loss > 0) {
        claim_report(&keep, SKIPPED, "on this link segments are sent again");
        return;
    }
    enum verdict verdict = UNCLEAR;
    bool compared = with->no_delay == 0 && without->no_delay == 1 && is_counted(with) &&
                    is_counted(without);
    if (compared && without->segments < 1.2 * with->segments)
        verdict = NOT_HERE;
    else if (compared && without->segments > 1.5 * with->segments)
        verdict = HOLDS;
    claim_report(&keep, verdict,
                 "1 MB in writes of 64 KB: %u segments with Nagle, %u with TCP_NODELAY",
                 with->segments, without->segments);
}

void scene_bulk(void)
{
    story_say("1 MB, in writes of 64 KB.");
    struct transfer with = send_bulk(false), without = send_bulk(true);
    story_head("the socket|getsockopt(TCP_NODELAY)|segments|time");
    story_row("as it was made|%d|%u|%.0f ms", with.no_delay, with.segments, with.ms);
    story_row("TCP_NODELAY set|%d|%u|%.0f ms", without.no_delay, without.segments, without.ms);
    report_bulk(&with, &without);
    claim_report(&on, holds_if(with.no_delay == 0 && without.no_delay == 1),
                 "getsockopt() says %d of a new socket, and %d when it is set", with.no_delay,
                 without.no_delay);
}
