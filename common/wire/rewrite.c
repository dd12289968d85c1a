// rewrite.c: see rewrite.h.
#include "rewrite.h"

#include <netinet/in.h>
#include <string.h>

#include "network_order.h"

#define IP_HEADER          20
#define AT_TTL             8 // where the fields are, from the beginning of their header
#define AT_PROTOCOL        9
#define AT_CHECKSUM        10
#define AT_SOURCE          12
#define AT_TCP_CHECKSUM    16
#define AT_UDP_CHECKSUM    6
#define AT_ICMP_CHECKSUM   2
#define AT_ICMP_IDENTIFIER 4
#define ICMP_HEADER        8
#define ICMP_ECHO_REPLY    0
#define ICMP_UNREACHABLE   3
#define ICMP_ECHO          8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER     12
#define TTL                64

// The internet checksum of some bytes (RFC 1071), complement and all.
static uint16_t sum_of(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get16(bytes + i);
    if (length % 2)
        sum += (uint32_t)bytes[length - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

// A field that `checksum` covers changes from `old` to `new`: RFC 1624 section 3, equation 3.
static void adjust(uint8_t *checksum, uint16_t old, uint16_t new)
{
    uint32_t sum = (uint32_t)(uint16_t)~get16(checksum) + (uint16_t)~old + new;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(checksum, (uint16_t)~sum);
}

static void adjust32(uint8_t *checksum, uint32_t old, uint32_t new)
{
    adjust(checksum, (uint16_t)(old >> 16), (uint16_t)(new >> 16));
    adjust(checksum, (uint16_t)old, (uint16_t) new);
}

static bool find_icmp(struct headers *h)
{
    uint8_t type = h->transport[0];
    h->checksum = h->transport + AT_ICMP_CHECKSUM;
    h->port[SOURCE] = h->port[DESTINATION] = h->transport + AT_ICMP_IDENTIFIER;
    if (type == ICMP_ECHO || type == ICMP_ECHO_REPLY)
        return true;
    bool error =
        type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
    h->icmp_packet = h->transport + ICMP_HEADER;
    return error && h->length >= ICMP_HEADER + IP_HEADER;
}

static bool find_transport(struct headers *h)
{
    h->port[SOURCE] = h->transport;
    h->port[DESTINATION] = h->transport + 2;
    if (h->protocol == IPPROTO_ICMP)
        return find_icmp(h);
    if (h->protocol == IPPROTO_UDP && get16(h->transport + AT_UDP_CHECKSUM) != 0)
        h->checksum = h->transport + AT_UDP_CHECKSUM; // 0: the sender has made none (RFC 768)
    if (h->protocol == IPPROTO_TCP && h->length >= IP_HEADER) {
        h->checksum = h->transport + AT_TCP_CHECKSUM;
        h->tcp_flags = h->transport[13];
    }
    return h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP;
}

// `length` bytes of the packet are there; in an ICMP error they are fewer than it had.
bool headers_find(uint8_t *bytes, size_t length, struct headers *h)
{
    size_t ip_header = (size_t)(bytes[0] & 15) * 4;
    bool fragment = get16(bytes + 6) & 0x3fff; // more of them, or not the first
    *h = (struct headers){.ip = bytes};
    if (fragment || ip_header < IP_HEADER || length < ip_header + 8)
        return false;
    h->transport = bytes + ip_header;
    h->length = length - ip_header;
    h->protocol = bytes[AT_PROTOCOL];
    if (find_transport(h))
        return true;
    h->protocol = 0;
    return false;
}

bool headers_find_in_error(const struct headers *error, struct headers *headers)
{
    return headers_find(error->icmp_packet, error->length - ICMP_HEADER, headers) &&
           !headers->icmp_packet;
}

uint32_t headers_address(const struct headers *headers, int which)
{
    return get32(headers->ip + AT_SOURCE + 4 * which);
}

uint16_t headers_port(const struct headers *headers, int which)
{
    return get16(headers->port[which]);
}

void headers_rewrite(const struct headers *h, int which, uint32_t address, uint16_t port)
{
    uint8_t *place = h->ip + AT_SOURCE + 4 * which;
    uint32_t old_address = get32(place);
    uint16_t old_port = get16(h->port[which]);
    adjust32(h->ip + AT_CHECKSUM, old_address, address);
    put32(place, address);
    if (h->icmp_packet) // no port, and what its checksum covers has not changed yet
        return;
    put16(h->port[which], port);
    if (!h->checksum)
        return;
    adjust(h->checksum, old_port, port);
    if (h->protocol != IPPROTO_ICMP) // TCP's and UDP's checksums cover the addresses
        adjust32(h->checksum, old_address, address);
    if (h->protocol == IPPROTO_UDP && get16(h->checksum) == 0)
        put16(h->checksum, 0xffff); // 0 would say that there is none
}

void headers_rewrite_error(const struct headers *error, const struct headers *about, int which,
                           uint32_t address, uint16_t port)
{
    headers_rewrite(about, 1 - which, address, port);
    put16(error->checksum, 0);
    put16(error->checksum, sum_of(error->transport, error->length));
    headers_rewrite(error, which, address, 0);
}

bool headers_count_down(uint8_t *ip)
{
    if (ip[AT_TTL] <= 1)
        return false;
    uint16_t old = get16(ip + AT_TTL);
    ip[AT_TTL]--;
    adjust(ip + AT_CHECKSUM, old, get16(ip + AT_TTL));
    return true;
}

uint16_t icmp_time_exceeded(const uint8_t *packet, size_t length, uint32_t source,
                            uint8_t *error)
{
    size_t quoted = length;
    if (quoted > ICMP_ERROR_MAX - IP_HEADER - ICMP_HEADER)
        quoted = ICMP_ERROR_MAX - IP_HEADER - ICMP_HEADER;
    uint16_t total = (uint16_t)(IP_HEADER + ICMP_HEADER + quoted);
    uint8_t *icmp = error + IP_HEADER;
    memset(error, 0, IP_HEADER + ICMP_HEADER);
    error[0] = 4 << 4 | IP_HEADER / 4;
    put16(error + 2, total);
    error[AT_TTL] = TTL;
    error[AT_PROTOCOL] = IPPROTO_ICMP;
    put32(error + AT_SOURCE, source);
    memcpy(error + AT_SOURCE + 4, packet + AT_SOURCE, 4);
    put16(error + AT_CHECKSUM, sum_of(error, IP_HEADER));
    icmp[0] = ICMP_TIME_EXCEEDED;
    memcpy(icmp + ICMP_HEADER, packet, quoted);
    put16(icmp + AT_ICMP_CHECKSUM, sum_of(icmp, total - IP_HEADER));
    return total;
}
