// packet.c: see packet.h.
#include "packet.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "network_order.h"

#define IP_HEADER_MIN  20
#define TCP_HEADER_MIN 20
#define UDP_HEADER     8
#define OPTION_END     0 // TCP options (RFC 9293 section 3.1)
#define OPTION_NOP     1
#define OPTION_MSS     2

// The value of the MSS option among the `length` bytes of options, or 0.
static uint16_t find_mss(const uint8_t *options, size_t length)
{
    for (size_t i = 0; i < length && options[i] != OPTION_END;) {
        if (options[i] == OPTION_NOP) {
            i++;
            continue;
        }
        if (i + 1 >= length || options[i + 1] < 2 || i + options[i + 1] > length)
            return 0; // an option that reaches beyond the header
        if (options[i] == OPTION_MSS && options[i + 1] == 4)
            return get16(options + i + 2);
        i += options[i + 1];
    }
    return 0;
}

static bool decode_tcp(const uint8_t *bytes, size_t length, struct packet *packet)
{
    if (length < TCP_HEADER_MIN)
        return false;
    size_t header = (size_t)(bytes[12] >> 4) * 4;
    if (header < TCP_HEADER_MIN || header > length)
        return false;
    packet->source_port = get16(bytes);
    packet->destination_port = get16(bytes + 2);
    packet->seq = get32(bytes + 4);
    packet->ack = get32(bytes + 8);
    packet->flags = bytes[13];
    packet->window = get16(bytes + 14);
    packet->header = (uint16_t)header;
    packet->payload = (uint16_t)(length - header);
    if (packet->flags & TCP_SYN)
        packet->mss = find_mss(bytes + TCP_HEADER_MIN, header - TCP_HEADER_MIN);
    return true;
}

bool packet_decode(const uint8_t *bytes, size_t length, struct packet *packet)
{
    if (length < IP_HEADER_MIN || bytes[0] >> 4 != 4)
        return false;
    size_t ip_header = (size_t)(bytes[0] & 15) * 4, total = get16(bytes + 2);
    if (ip_header < IP_HEADER_MIN || total < ip_header || total > length)
        return false;
    const uint8_t *rest = bytes + ip_header;
    size_t rest_length = total - ip_header;
    packet->length = (uint16_t)total;
    packet->protocol = bytes[9];
    packet->source = get32(bytes + 12);
    packet->destination = get32(bytes + 16);
    packet->header = 0;
    packet->payload = (uint16_t)rest_length;
    bool later_fragment = get16(bytes + 6) & 0x1fff; // its transport header was in the first
    if (later_fragment)
        return true;
    if (packet->protocol == IPPROTO_TCP)
        return decode_tcp(rest, rest_length, packet);
    if (packet->protocol == IPPROTO_UDP) {
        if (rest_length < UDP_HEADER)
            return false;
        packet->source_port = get16(rest);
        packet->destination_port = get16(rest + 2);
        packet->header = UDP_HEADER;
        packet->payload = (uint16_t)(rest_length - UDP_HEADER);
    } else if (packet->protocol == IPPROTO_ICMP && rest_length >= 2) {
        packet->icmp_type = rest[0];
        packet->icmp_code = rest[1];
    }
    return true;
}

const char *fate_name(enum fate fate)
{
    static const char *const names[] = {
        [LOST] = "lost",
        [QUEUE_FULL] = "queue full",
        [MUTED] = "cut off",
        [UDP_BLOCKED] = "UDP blocked",
        [NO_ROUTE] = "no route",
        [TTL_EXPIRED] = "TTL expired",
        [NO_MAPPING] = "no mapping",
        [FILTERED] = "filtered",
        [NO_HAIRPIN] = "no hairpin",
        [DAMAGED] = "damaged",
        [LATE] = "late",
        [UNTRANSLATABLE] = "not translatable",
    };
    return names[fate];
}

static bool same_ends(const struct conversation *a, const struct conversation *b)
{
    return a->client == b->client && a->server == b->server &&
           a->client_port == b->client_port && a->server_port == b->server_port &&
           a->client_end == b->client_end && a->server_end == b->server_end;
}

static struct conversation *find_conversation(struct conversations *all, const struct packet *p)
{
    struct conversation wanted = {
        p->source, p->destination, p->source_port, p->destination_port, p->from, p->to, {{0}}};
    if (!p->to_server)
        wanted = (struct conversation){p->destination, p->source, p->destination_port,
                                       p->source_port, p->to,     p->from,
                                       {{0}}};
    bool opens = p->to_server && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    struct conversation *fresh = NULL;
    for (unsigned i = 0; i < all->count && i < CONVERSATIONS_MAX; i++) {
        struct conversation *talk = &all->list[i];
        if (!same_ends(talk, &wanted))
            continue;
        if (!opens || talk->side[0].first_seq == p->seq)
            return talk;
        fresh = talk; // the same ports for a new connection
    }
    if (!fresh)
        fresh = &all->list[all->count++ % CONVERSATIONS_MAX];
    *fresh = wanted;
    return fresh;
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Adds a phrase, two spaces after the one before it.
static void append(char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t used = strlen(text);
    if (used && used < PACKET_LABEL - 3)
        used += (size_t)sprintf(text + used, "  ");
    vsnprintf(text + used, PACKET_LABEL - used, format, arguments);
    va_end(arguments);
}

// True if another connection is open too between the same two: then a label must say whose
// packet this is.
static bool has_company(const struct conversations *all, const struct conversation *talk)
{
    for (unsigned i = 0; i < all->count && i < CONVERSATIONS_MAX; i++) {
        const struct conversation *other = &all->list[i];
        if (other != talk && other->client_end == talk->client_end &&
            other->server_end == talk->server_end &&
            !(other->side[0].over && other->side[1].over))
            return true;
    }
    return false;
}

static void label_tcp(struct conversation *talk, const struct packet *p, char *text)
{
    int me = p->to_server ? 0 : 1, other = 1 - me;
    bool syn = p->flags & TCP_SYN, fin = p->flags & TCP_FIN;
    uint32_t end = p->seq + p->payload + syn + fin;
    if (syn || !talk->side[me].started) {
        if (!talk->side[me].started)
            talk->side[me].next_seq = p->seq;
        talk->side[me].started = true;
        talk->side[me].first_seq = p->seq;
    }
    bool old = end != p->seq && (int32_t)(p->seq - talk->side[me].next_seq) < 0;
    bool probe =
        end == p->seq && p->seq == talk->side[me].next_seq - 1 && !(p->flags & TCP_RST);
    bool new_ack = p->flags & TCP_ACK && p->ack != talk->side[me].last_ack;
    bool closed = p->flags & TCP_ACK && p->window == 0 && !(p->flags & TCP_RST);
    uint32_t relative_ack = p->ack - talk->side[other].first_seq;

    if (p->payload)
        append(text, "%u byte%s  seq %u", p->payload, p->payload == 1 ? "" : "s",
               p->seq - talk->side[me].first_seq);
    if (p->flags & TCP_RST)
        append(text, "RST");
    else if (syn)
        append(text, "SYN%s  mss %u", p->flags & TCP_ACK ? " ACK" : "", p->mss);
    else if (fin)
        append(text, "FIN");
    else if (probe)
        append(text, "probe");
    if (!syn && !(p->flags & TCP_RST) && (new_ack || end == p->seq))
        append(text, "ACK %u", relative_ack);
    if (closed)
        append(text, "window 0");
    else if (talk->side[me].window_closed)
        append(text, "window open");
    if (old)
        append(text, "again");

    talk->side[me].window_closed = closed;
    talk->side[me].last_ack = p->ack;
    talk->side[me].over |= (p->flags & (TCP_FIN | TCP_RST)) != 0;
    talk->side[other].over |= (p->flags & TCP_RST) != 0;
    if ((int32_t)(end - talk->side[me].next_seq) > 0)
        talk->side[me].next_seq = end;
}

static const char *icmp_name(const struct packet *p)
{
    switch (p->icmp_type << 8 | p->icmp_code) {
    case 0 << 8 | 0:
        return "ICMP echo reply";
    case 3 << 8 | 1:
        return "ICMP host unreachable";
    case 3 << 8 | 3:
        return "ICMP port unreachable";
    case 3 << 8 | 4:
        return "ICMP fragmentation needed";
    case 8 << 8 | 0:
        return "ICMP echo request";
    case 11 << 8 | 0:
        return "ICMP time exceeded";
    }
    return NULL;
}

void packet_label(struct conversations *all, const struct packet *packet, char *text)
{
    *text = '\0';
    if (packet->protocol == IPPROTO_TCP && packet->header) {
        struct conversation *talk = find_conversation(all, packet);
        if (has_company(all, talk))
            append(text, ":%u", talk->client_port);
        label_tcp(talk, packet, text);
    } else if (packet->protocol == IPPROTO_UDP && packet->header) {
        append(text, "UDP %u byte%s", packet->payload, packet->payload == 1 ? "" : "s");
    } else if (packet->protocol == IPPROTO_ICMP && icmp_name(packet)) {
        append(text, "%s", icmp_name(packet));
    } else if (packet->protocol == IPPROTO_ICMP) {
        append(text, "ICMP type %u code %u", packet->icmp_type, packet->icmp_code);
    } else {
        append(text, "IP protocol %u, %u bytes", packet->protocol, packet->payload);
    }
}

void packet_summary(const struct packet *packet, char *text)
{
    struct conversations none = {0};
    bool tcp = packet->protocol == IPPROTO_TCP && packet->header;
    *text = '\0';
    if (tcp && packet->flags & TCP_SYN)
        append(text, packet->flags & TCP_ACK ? "SYN ACK" : "SYN");
    else if (tcp && packet->flags & TCP_RST)
        append(text, "RST");
    else if (tcp && (packet->payload || packet->flags & TCP_FIN))
        append(text, "%u bytes%s", packet->payload, packet->flags & TCP_FIN ? "  FIN" : "");
    else if (tcp)
        append(text, "ACK");
    else
        packet_label(&none, packet, text);
}
