// capture.c: see capture.h.
#include "capture.h"

#include <netinet/in.h>

static bool is_of(const struct packet *p, int protocol, int client_port)
{
    int port = p->destination_port;
    if (p->to_server)
        port = p->source_port;
    return p->protocol == protocol && port == client_port;
}

static bool is_tcp_of(const struct packet *p, int client_port)
{
    return is_of(p, IPPROTO_TCP, client_port);
}

bool capture_opens(const struct packet *list, uint32_t count, int client_port)
{
    static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
    // Only these flags count: with ECN, other flags stand beside them (RFC 3168 §6.1.1).
    static const uint8_t known = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
    int step = 0; // how many of the three have come; a packet that is sent again does not count
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

void capture_opening_flags(const struct packet *list, uint32_t count, int client_port,
                           uint8_t *syn, uint8_t *syn_ack)
{
    *syn = *syn_ack = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        if (!is_tcp_of(p, client_port) || !(p->flags & TCP_SYN))
            continue;
        if (p->to_server)
            *syn = p->flags;
        else
            *syn_ack = p->flags;
    }
}

struct exchange capture_exchange(const struct packet *list, uint32_t count, int protocol,
                                 int client_port)
{
    struct exchange exchange = {0};
    bool answered = false, waits = false; // the client has sent, and nothing has come yet
    for (const struct packet *p = list; p < list + count; p++) {
        if (!is_of(p, protocol, client_port))
            continue;
        exchange.packets++;
        if (!answered && !p->to_server && waits)
            exchange.round_trips++;
        waits = p->to_server;
        answered = answered || (!p->to_server && p->payload);
    }
    return exchange;
}

int capture_closing_segments(const struct packet *list, uint32_t count, int client_port)
{
    struct {
        bool fin, fin_acked;
        uint32_t fin_seq;
    } ends[2] = {0}; // of the server, of the client
    int segments = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        int sender = p->to_server, receiver = 1 - sender;
        if (!is_tcp_of(p, client_port))
            continue;
        bool closes = p->flags & TCP_FIN && !ends[sender].fin;
        if (closes) {
            ends[sender].fin = true;
            ends[sender].fin_seq = p->seq + p->payload;
        }
        if (ends[receiver].fin && !ends[receiver].fin_acked &&
            p->ack == ends[receiver].fin_seq + 1)
            closes = ends[receiver].fin_acked = true;
        if (closes)
            segments++;
    }
    if (!ends[0].fin_acked || !ends[1].fin_acked)
        return 0;
    return segments;
}

void capture_tcp_headers(const struct packet *list, uint32_t count, int *smallest, int *largest)
{
    *smallest = *largest = 0;
    for (const struct packet *p = list; p < list + count; p++) {
        if (p->protocol != IPPROTO_TCP || p->flags & TCP_RST) // a RST has no options
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
