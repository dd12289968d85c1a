// description.c: see description.h.
#include "description.h"

#include <stdio.h>
#include <string.h>

#define UFRAG_MIN    4 // characters (RFC 8839 section 5.4)
#define PASSWORD_MIN 22
#define LINE_SIZE    512

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

// Takes one line. Lines that say nothing about the path are not looked at.
static const char *take_line(const char *line, struct description *description)
{
    static const char ufrag[] = "a=ice-ufrag:", password[] = "a=ice-pwd:",
                      candidate[] = "a=candidate:";
    if (!strncmp(line, ufrag, sizeof ufrag - 1) &&
        !take_word(line + sizeof ufrag - 1, description->ufrag, UFRAG_SIZE, UFRAG_MIN))
        return "its ice-ufrag is malformed";
    if (!strncmp(line, password, sizeof password - 1) &&
        !take_word(line + sizeof password - 1, description->password, PASSWORD_SIZE,
                   PASSWORD_MIN))
        return "its ice-pwd is malformed";
    if (strncmp(line, candidate, sizeof candidate - 1) != 0)
        return NULL;
    if (description->count == CANDIDATES_MAX)
        return "it has too many candidates";
    if (candidate_read(line + sizeof candidate - 1,
                       &description->candidates[description->count]))
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
