// small.c: scene small: one small write(), with nothing in flight.
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define WRITES      3
#define BYTES       500
#define PACKETS_MAX 100

static const struct claim small_waits = {
    "9.2", "guide §10.1", "500 bytes are not sent immediately, because 500 < 1460", NOT_HERE,
    "With nothing in flight they go at once (RFC 896, and the notes' own rule 1)."};

// Sends one request. Returns how long the kernel kept its bytes back, in milliseconds.
static double time_until_sent(int fd)
{
    struct packet packets[PACKETS_MAX];
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    send_request(fd, ONE_WRITEV, BYTES - HEADER_BYTES, 0);
    await_answer(fd);
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < count; i++) // an ACK of the client may stand before its bytes
        if (packets[i].to_server && packets[i].payload)
            return (double)(packets[i].at_ns - start_ns) / 1e6;
    die("the wire did not see the request");
}

void scene_small(void)
{
    double quickest_ms = 0;
    if (!packet_log()->tunnel) { // without the wire there are no packets to look at
        claim_skip(&small_waits);
        return;
    }
    int fd = open_connection(host, port);
    story_say("%d times %d bytes in one write(), Nagle on, each after the answer to the last.",
              WRITES, BYTES);
    story_timeline();
    for (int i = 0; i < WRITES; i++) {
        double waited_ms = time_until_sent(fd);
        if (i == 0 || waited_ms < quickest_ms)
            quickest_ms = waited_ms;
    }
    close(fd);
    enum verdict verdict = HOLDS;
    if (quickest_ms < packet_log()->rtt_ms / 2)
        verdict = NOT_HERE;
    if (packet_log()->rtt_ms > 0)
        claim_report(&small_waits, verdict,
                     "the quickest was on its way %.2f ms after the write()", quickest_ms);
    else
        claim_skip(&small_waits);
}
