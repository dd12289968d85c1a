// segments.c: counts the client's segments on the wire. See scenes.h.
#include "packet_log.h"
#include "scenes.h"

#define PACKETS_MAX 8000

struct segments count_segments(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX), next_seq = 0;
    struct segments segments = {0};
    bool replied = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        uint32_t end_seq = p->seq + p->payload;
        if (!p->to_server)
            replied = true;
        if (!p->to_server || !p->payload)
            continue;
        if (segments.sent && (int32_t)(end_seq - next_seq) <= 0)
            continue; // this segment was sent before
        next_seq = end_seq;
        segments.sent++;
        if (!replied)
            segments.before_reply++;
    }
    return segments;
}
