// description.c: see description.h.
#include "description.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "datagram.h"
#include "net.h"

#define COMPONENT    1 // of a stream; RTP would have a second one for RTCP
#define UFRAG_MIN    4 // characters (RFC 8839 section 5.4)
#define PASSWORD_MIN 22
#define LINE_SIZE    512

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

// ---- the whole text ------------------------------------------------------------------------

_Static_assert((CANDIDATES_MAX + 3) * CANDIDATE_LINE < DESCRIPTION_BYTES, "room for all");

size_t description_write(const struct description *description, char text[DESCRIPTION_BYTES])
{
    char line[CANDIDATE_LINE];
    int length = sprintf(text,
                         "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=chat\nt=0 0\n"
                         "m=application 9 UDP chat\nc=IN IP4 0.0.0.0\n"
                         "a=ice-ufrag:%s\na=ice-pwd:%s\n",
                         description->ufrag, description->password);
    for (int i = 0; i < description->count; i++)
        length +=
            sprintf(text + length, "%s\n", candidate_write(&description->candidates[i], line));
    length += sprintf(text + length, "%s\n", DESCRIPTION_END);
    return (size_t)length;
}

// ice-char of RFC 8839 section 5.4: letters, digits, + and /.
static bool take_word(const char *value, char *word, size_t size, size_t shortest)
{
    size_t length =
        strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    if (length < shortest || length >= size || value[length])
        return false;
    memcpy(word, value, length + 1);
    return true;
}

// What stands in a line behind its name; NULL: it is another line.
static const char *value_of(const char *line, const char *name)
{
    if (strncmp(line, name, strlen(name)) != 0)
        return NULL;
    return line + strlen(name);
}

// Takes one line. Lines that say nothing about the path are not looked at.
static const char *take_line(const char *line, struct description *description)
{
    const char *ufrag = value_of(line, "a=ice-ufrag:");
    const char *password = value_of(line, "a=ice-pwd:");
    const char *candidate = value_of(line, "a=candidate:");
    if (ufrag && !take_word(ufrag, description->ufrag, UFRAG_SIZE, UFRAG_MIN))
        return "its ice-ufrag is malformed";
    if (password && !take_word(password, description->password, PASSWORD_SIZE, PASSWORD_MIN))
        return "its ice-pwd is malformed";
    if (!candidate)
        return NULL;
    if (description->count == CANDIDATES_MAX)
        return "it has too many candidates";
    if (candidate_read(candidate, &description->candidates[description->count]))
        description->left_out++;
    else
        description->count++;
    return NULL;
}

const char *description_read(const char *text, struct description *description)
{
    char line[LINE_SIZE];
    *description = (struct description){0};
    while (*text) {
        size_t length = strcspn(text, "\r\n");
        if (length >= sizeof line)
            return "a line of it is too long";
        memcpy(line, text, length);
        line[length] = '\0';
        const char *why = take_line(line, description);
        if (why)
            return why;
        text += length;
        text += strspn(text, "\r\n");
    }
    if (!*description->ufrag || !*description->password)
        return "it has no ice-ufrag or no ice-pwd";
    return NULL;
}
