// segments.c: scene segments: how many bytes one packet carries.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "capture.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define PACKETS_MAX 4000
#define MTU_MAX     65536
#define SEGMENTS    5

static const struct claim segment = {
    "1.6", "guide §5, §10.1", "an MSS of 1460 carries roughly 1388 bytes", NOT_HERE,
    "It carries 1448: the timestamps option takes 12 bytes of each segment (RFC 7323 §3.2). "
    "1388 = 1400 - 12 is what is left where a tunnel or a balancer clamps the MSS to 1400."};

struct sizes {
    int mss;     // announced in the SYN
    int payload; // the most that one segment carried
};

// Sends `total` bytes and reads the sizes from the packets. `clamp`: the largest MSS that the
// connection may have; 0: no limit.
static struct sizes send_segments(int total, int clamp)
{
    static char bytes[SEGMENTS * MTU_MAX];
    static struct packet packets[PACKETS_MAX];
    char answer[ANSWER_BYTES];
    struct sockaddr_storage address;
    struct sizes sizes;
    socklen_t length = net_address(ask_host(), ask_port(), SOCK_STREAM, &address);
    uint32_t mark = packet_log_mark();
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (clamp && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &clamp, sizeof clamp)))
        die("cannot make a socket with an MSS of %d: %s", clamp, strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, length))
        die("cannot connect to %s:%d: %s (is the server running?)", ask_host(), ask_port(),
            strerror(errno));
    memset(bytes, 'x', sizeof bytes);
    int command = sprintf(bytes, "swallow %07d", total - 16); // 16: this line itself
    bytes[command] = '\n';
    send_all(fd, bytes, (size_t)total);
    if (!read_line(fd, answer))
        die("the server did not swallow the segments");
    capture_segment_size(packets, packet_log_read(mark, packets, PACKETS_MAX), local_port(fd),
                         &sizes.payload, &sizes.mss);
    close(fd);
    return sizes;
}

static void judge(struct sizes open, struct sizes clamped)
{
    enum verdict verdict = UNCLEAR;
    if (open.mss == packet_log()->mtu - 40 && open.payload == open.mss - 12)
        verdict = NOT_HERE;
    else if (open.mss == 1460 && open.payload == 1388)
        verdict = HOLDS;
    claim_report(&segment, verdict, "MSS %d, %d bytes of data in a full segment; MSS %d, %d",
                 open.mss, open.payload, clamped.mss, clamped.payload);
}

void scene_segments(void)
{
    int mtu = 1500;
    if (packet_log()->tunnel)
        mtu = packet_log()->mtu;
    int total = SEGMENTS * (mtu - 40);
    story_say("One send() of %d bytes. TCP cuts it where a packet is full.", total);
    story_timeline();
    struct sizes open = send_segments(total, 0);
    story_quiet(true);
    struct sizes clamped = send_segments(total, 1400);
    if (!packet_log()->tunnel) {
        claim_skip(&segment);
        return;
    }
    story_head("bytes|as it comes|clamped");
    story_row("IP packet (MTU)|%d|", mtu);
    story_row("- IP header 20, TCP header 20|%d|", mtu - 40);
    story_row("= MSS, in the SYN|%d|%d", open.mss, clamped.mss);
    story_row("- timestamps option|%d|%d", open.mss - open.payload,
              clamped.mss - clamped.payload);
    story_row("= data in a full segment|%d|%d", open.payload, clamped.payload);
    judge(open, clamped);
}
