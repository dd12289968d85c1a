// capture.c: see capture.h.
#include "capture.h"

#include <netinet/in.h>

static bool is_tcp_of(const struct packet *p, int client_port)
{
    int port = p->to_server ? p->source_port : p->destination_port;
    return p->protocol == IPPROTO_TCP && port == client_port;
}

bool capture_opens(const struct packet *list, uint32_t count, int client_port)
{
    static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
    // Of these; where ECN is asked for, others are set beside them (RFC 3168 §6.1.1).
    static const uint8_t known = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
    int step = 0; // of the three; a packet that is sent again does not count twice
    for (const struct packet *p = list; p < list + count; p++) {
        if (!is_tcp_of(p, client_port))
            continue;
        if (p->payload)
            return step == 3;
        if (step < 3 && (p->flags & known) == flags[step] && p->to_server == (step != 1))
            step++;
    }
    return false;
}

int capture_closing_segments(const struct packet *list, uint32_t count, int client_port)
{
    bool fin[2] = {false, false}, fin_acked[2] = {false, false}; // of the client, the server
    uint32_t fin_seq[2] = {0, 0};
    int segments = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        int me = p->to_server ? 0 : 1, other = 1 - me;
        if (!is_tcp_of(p, client_port))
            continue;
        bool closes = p->flags & TCP_FIN && !fin[me];
        if (closes) {
            fin[me] = true;
            fin_seq[me] = p->seq + p->payload;
        }
        if (fin[other] && !fin_acked[other] && p->ack == fin_seq[other] + 1)
            closes = fin_acked[other] = true;
        segments += closes;
    }
    return fin_acked[0] && fin_acked[1] ? segments : 0;
}

void capture_tcp_headers(const struct packet *list, uint32_t count, int *smallest, int *largest)
{
    *smallest = *largest = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        if (p->protocol != IPPROTO_TCP)
            continue;
        if (!*smallest || p->header < *smallest)
            *smallest = p->header;
        if (p->header > *largest)
            *largest = p->header;
    }
}

void capture_segment_size(const struct packet *list, uint32_t count, int client_port,
                          int *largest_payload, int *mss)
{
    *largest_payload = *mss = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        if (!is_tcp_of(p, client_port) || !p->to_server)
            continue;
        if (p->flags & TCP_SYN)
            *mss = p->mss;
        if (p->payload > *largest_payload)
            *largest_payload = p->payload;
    }
}
