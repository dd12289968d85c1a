// remainder.c: scene remainder: the small last part of a large write().
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define BYTES 5000

static const struct claim remainder_waits = {
    "9.3", "guide §10.1", "of 5000 bytes the last 620 wait for an ACK", NOT_HERE,
    "Linux holds a small segment back only while another *small* one is not acknowledged "
    "(Minshall's rule: tcp_minshall_check() in net/ipv4/tcp_output.c); full ones do not "
    "count."};

static void judge(struct segments segments, double took_ms)
{
    if (packet_log()->loss > 0) {
        claim_report(&remainder_waits, SKIPPED, "a link that loses packets hides the wait");
        return;
    }
    if (segments.sent < 2) {
        claim_report(&remainder_waits, SKIPPED, "one segment held all: there is no remainder");
        return;
    }
    enum verdict verdict = UNCLEAR;
    if (segments.before_reply == segments.sent)
        verdict = NOT_HERE;
    else if (segments.before_reply == segments.sent - 1)
        verdict = HOLDS;
    claim_report(&remainder_waits, verdict,
                 "%d of %d segments set out before any ACK came; answer after %.1f ms, RTT %g",
                 segments.before_reply, segments.sent, took_ms, packet_log()->rtt_ms);
}

void scene_remainder(void)
{
    int fd = open_connection(host, port);
    story_say("%d bytes in one write(), Nagle on: three full segments and a small one.", BYTES);
    story_timeline();
    uint32_t mark = packet_log_mark();
    story_event("writev(%d)", BYTES);
    double took_ms = time_request(fd, ONE_WRITEV, BYTES - HEADER_BYTES, 0);
    story_event("the answer, after %.1f ms", took_ms);
    story_quiet(true);
    close(fd);
    if (packet_log()->tunnel)
        judge(count_segments(mark), took_ms);
    else
        claim_skip(&remainder_waits);
}
