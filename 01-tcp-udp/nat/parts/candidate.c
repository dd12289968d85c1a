// candidate.c: see candidate.h.
#include "candidate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "datagram.h"
#include "net.h"

#define COMPONENT 1 // of a stream; RTP would have a second one for RTCP

static const char *const type_names[] = {"host", "srflx", "prflx", "relay"};

uint32_t candidate_priority(enum candidate_type type, int socket)
{
    static const uint32_t preference[] = {
        [HOST] = 126, [PEER_REFLEXIVE] = 110, [SERVER_REFLEXIVE] = 100, [RELAYED] = 0};
    uint32_t local_preference = 65535 - (uint32_t)socket;
    return preference[type] << 24 | local_preference << 8 | (256 - COMPONENT);
}

uint64_t candidate_pair_priority(uint32_t controlling, uint32_t controlled)
{
    uint64_t low = controlling, high = controlled;
    if (controlling > controlled) {
        low = controlled;
        high = controlling;
    }
    return (low << 32) + 2 * high + (controlling > controlled);
}

const char *candidate_type_name(enum candidate_type type)
{
    return type_names[type];
}

char *candidate_write(const struct candidate *candidate, char line[CANDIDATE_LINE])
{
    char address[NET_NAME], related[NET_NAME];
    int length = snprintf(
        line, CANDIDATE_LINE, "a=candidate:%s %d udp %u %s %u typ %s", candidate->foundation,
        COMPONENT, candidate->priority, address_text(&candidate->address, address),
        address_port(&candidate->address), candidate_type_name(candidate->type));
    if (candidate->type != HOST)
        snprintf(line + length, CANDIDATE_LINE - (size_t)length, " raddr %s rport %u",
                 address_text(&candidate->related, related), address_port(&candidate->related));
    return line;
}

const char *candidate_read(const char *text, struct candidate *candidate)
{
    char foundation[FOUNDATION_SIZE], transport[8], address[NET_NAME], type[8];
    unsigned component, priority, port, related_port;
    if (sscanf(text, "%32s %3u %7s %10u %63s %5u typ %7s", foundation, &component, transport,
               &priority, address, &port, type) != 7)
        return "it is malformed";
    if (component != COMPONENT)
        return "it is not about the first component";
    if (strcasecmp(transport, "udp") != 0)
        return "it is not about UDP";
    *candidate = (struct candidate){.priority = priority};
    strcpy(candidate->foundation, foundation);
    if (priority == 0 || port == 0 || port > 65535)
        return "its priority or its port is out of range";
    if (!address_read(address, (uint16_t)port, &candidate->address))
        return "its address is a name";
    const char *related = strstr(text, " raddr ");
    if (related && sscanf(related, " raddr %63s rport %5u", address, &related_port) == 2)
        address_read(address, (uint16_t)related_port, &candidate->related);
    for (int i = HOST; i <= RELAYED; i++)
        if (!strcmp(type, type_names[i])) {
            candidate->type = (enum candidate_type)i;
            return NULL;
        }
    return "its type is not known";
}
