// telnet.c: scene telnet: what Nagle is for: bytes that are written one by one.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define TYPED_BYTES 1000
#define PACKETS_MAX 8000

static const struct claim saves = {"9.5", "guide §10.1",
                                   "Nagle saves bandwidth when bytes are written one by one",
                                   HOLDS, NULL};

static const struct claim overhead = {
    "9.29", "guide §10.1",
    "a byte in a packet of its own: 40 bytes of headers, 4000 % overhead", NOT_HERE,
    "A segment carries timestamps, 12 bytes (RFC 7323 §3.2), and is acknowledged: another "
    "packet."};

// What the wire saw of one connection, from the SYN to the last FIN.
struct traffic {
    uint32_t packets; // both ways
    long bytes;       // of the packets, with their headers
    int segments;     // segments with data
};

static bool both_finished(const struct packet *packets, uint32_t count)
{
    int finished = 0;
    for (uint32_t i = 0; i < count; i++)
        if (packets[i].flags & TCP_FIN)
            finished++;
    return finished >= 2;
}

static struct traffic count_traffic(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    struct traffic traffic = {0};
    // The last ACKs and FINs come after the answer: wait until the wire has seen both FINs.
    int64_t deadline_ns = now_ns() + TIMEOUT_MS * INT64_C(1000000);
    while (!both_finished(packets, traffic.packets) && now_ns() < deadline_ns) {
        traffic.packets = packet_log_read(mark, packets, PACKETS_MAX);
        sleep_ms(1);
    }
    for (uint32_t i = 0; i < traffic.packets; i++)
        traffic.bytes += packets[i].length;
    traffic.segments = count_segments(mark).sent;
    return traffic;
}

// Writes a request of TYPED_BYTES bytes, one byte at a time, a millisecond apart.
static void type_bytes(int no_delay)
{
    uint32_t header = htonl(TYPED_BYTES - HEADER_BYTES);
    char bytes[TYPED_BYTES] = {0};
    int fd = open_connection(host, port);
    memcpy(bytes, &header, sizeof header);
    set_option(fd, TCP_NODELAY, no_delay);
    for (int i = 0; i < TYPED_BYTES; i++) {
        put(fd, &bytes[i], 1);
        sleep_ms(1);
    }
    await_answer(fd);
    close(fd);
}

static void show(const struct traffic traffic[2])
{
    static const char *const names[] = {"Nagle", "TCP_NODELAY"};
    story_head("on the wire, both ways|segments|packets|bytes|per byte");
    for (int i = 0; i < 2; i++)
        story_row("%s|%d|%u|%ld|%.1f", names[i], traffic[i].segments, traffic[i].packets,
                  traffic[i].bytes, (double)traffic[i].bytes / TYPED_BYTES);
    story_say("");
    for (int i = 0; i < 2; i++)
        story_bar(names[i], (double)traffic[i].bytes, (double)traffic[1].bytes, "%ld bytes",
                  traffic[i].bytes);
}

void scene_telnet(void)
{
    struct traffic traffic[2] = {0};
    story_say("%d bytes, written one by one, a millisecond apart, as if typed by hand.",
              TYPED_BYTES);
    for (int no_delay = 0; no_delay < 2; no_delay++) {
        uint32_t mark = packet_log_mark();
        type_bytes(no_delay);
        if (packet_log()->tunnel)
            traffic[no_delay] = count_traffic(mark);
    }
    if (!packet_log()->tunnel) {
        claim_skip(&saves);
        claim_skip(&overhead);
        return;
    }
    show(traffic);
    int with = traffic[0].segments, without = traffic[1].segments;
    if (packet_log()->rtt_ms < 5)
        claim_report(&saves, SKIPPED, "RTT %g ms: an ACK comes before the next byte to collect",
                     packet_log()->rtt_ms);
    else
        claim_report(&saves, holds_if(with > 0 && without > 3 * with),
                     "%d segments, %ld bytes with Nagle; %d segments, %ld bytes without", with,
                     traffic[0].bytes, without, traffic[1].bytes);
    // Packets with data, and those that acknowledge them: what is in them beside the data.
    double header = (double)(traffic[1].bytes - TYPED_BYTES) / traffic[1].packets;
    bool one_by_one = without > TYPED_BYTES / 4 && (int)traffic[1].packets > without;
    enum verdict verdict = UNCLEAR;
    if (one_by_one && header > 50 && header < 56)
        verdict = NOT_HERE;
    else if (one_by_one && header > 38 && header < 42)
        verdict = HOLDS;
    claim_report(
        &overhead, verdict,
        "with TCP_NODELAY %u packets for %d bytes, %.1f bytes of headers in each: %.0f %%",
        traffic[1].packets, TYPED_BYTES, header,
        100.0 * (double)(traffic[1].bytes - TYPED_BYTES) / TYPED_BYTES);
}
