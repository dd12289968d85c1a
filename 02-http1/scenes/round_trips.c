// round_trips.c: see round_trips.h.
#include "round_trips.h"

#include "ask.h"
#include "measure.h"
#include "packet_log.h"

#define PACKETS_MAX 4000

static int handshakes_since(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    int handshakes = 0;
    for (uint32_t i = 0; i < count; i++)
        if (packets[i].to_server && packets[i].flags & TCP_SYN)
            handshakes++;
    return handshakes;
}

struct timed time_requests(bool reuse)
{
    struct timed timed = {0};
    struct fetch f;
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    for (int i = 0; i < REQUESTS; i++) {
        if (i == 0 || !reuse)
            ask_open(&f);
        ask_get(&f, "/");
        if (i == REQUESTS - 1 || !reuse)
            fetch_close(&f);
    }
    timed.ms = ms_since(start_ns);
    if (packet_log()->tunnel)
        timed.handshakes = handshakes_since(mark);
    return timed;
}

const char *no_round_trips(void)
{
    if (packet_log()->loss > 0)
        return "on this link lost packets cost more than round trips";
    if (packet_log()->rate > 0)
        return "on this link the rate decides, not the round trips";
    if (packet_log()->rtt_ms < 5)
        return "on this link a round trip takes hardly any time";
    return NULL;
}
