// count_round_trips.c: see count_round_trips.h.
#include "count_round_trips.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "packet_log.h"

#define PACKETS_MAX 1024 // the most packets of one side that are looked at

// The packets that one side has sent, and the step of each.
struct sent {
    int count;
    uint32_t first; // the sequence number of its SYN
    struct {
        uint32_t begin, end; // sequence numbers
        int step;
    } part[PACKETS_MAX];
};

static int port_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length))
        return 0;
    return ntohs(address.sin_port);
}

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0; // the numbers wrap around (RFC 9293 §3.4)
}

// The highest step of the other side's packets that this packet acknowledges.
static int step_of(const struct packet *packet, const struct sent *other)
{
    int step = 0;
    for (int i = 0; i < other->count && packet->flags & TCP_ACK; i++)
        if (!is_before(packet->ack, other->part[i].end) && other->part[i].step > step)
            step = other->part[i].step;
    return step;
}

int count_round_trips(uint32_t mark, int fd, size_t bytes)
{
    static struct packet packets[PACKET_LOG_PACKETS];
    static struct sent sent[2]; // by the server, by the client
    int port = port_of(fd), last = 0;
    uint32_t count = packet_log_read(mark, packets, PACKET_LOG_PACKETS);
    sent[0].count = sent[1].count = 0;
    for (const struct packet *p = packets; p < packets + count; p++) {
        struct sent *mine = &sent[p->to_server];
        bool syn = p->flags & TCP_SYN;
        uint32_t length = p->payload + (uint32_t)syn;
        uint16_t client_port = p->destination_port;
        if (p->to_server)
            client_port = p->source_port;
        if (client_port != port || !length || p->fate != PASSED || mine->count == PACKETS_MAX)
            continue;
        if (syn)
            mine->first = p->seq;
        mine->part[mine->count].begin = p->seq;
        mine->part[mine->count].end = p->seq + length;
        mine->part[mine->count++].step = step_of(p, &sent[!p->to_server]) + 1;
    }
    for (int i = 0; i < sent[0].count; i++)
        if (sent[0].part[i].begin - sent[0].first < bytes + 1 && sent[0].part[i].step > last)
            last = sent[0].part[i].step;
    return last / 2;
}
