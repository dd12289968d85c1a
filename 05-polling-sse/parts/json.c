// json.c: see json.h. Each skip_...() looks for one kind of text at `at`, and returns where
// this text ends, NULL if there is no such text.
#include "json.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && memchr(" \t\r\n", *at, 4))
        at++;
    return at;
}

// Spaces, one character, spaces.
static const char *skip_sign(const char *at, const char *end, char sign)
{
    at = skip_space(at, end);
    if (at == end || *at != sign)
        return NULL;
    return skip_space(at + 1, end);
}

// Four hexadecimal digits. Returns the number, -1 if they are not.
static int read_hex(const char *at, const char *end)
{
    int number = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char lower = (char)(at[i] | 0x20);
        if (at[i] >= '0' && at[i] <= '9')
            number = number * 16 + (at[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            number = number * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return number;
}

static const char *skip_string(const char *at, const char *end)
{
    if (at == end || *at++ != '"')
        return NULL;
    for (; at < end && *at != '"'; at++) {
        if ((uint8_t)*at < ' ')
            return NULL;
        if (*at != '\\')
            continue;
        if (++at == end || !memchr("\"\\/bfnrtu", *at, 9))
            return NULL;
        if (*at == 'u' && read_hex(at + 1, end) < 0)
            return NULL;
    }
    if (at == end)
        return NULL;
    return at + 1;
}

static const char *skip_digits(const char *at, const char *end)
{
    const char *first = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    if (at == first)
        return NULL;
    return at;
}

static const char *skip_number(const char *at, const char *end)
{
    if (*at == '-')
        at++;
    const char *first = at;
    at = skip_digits(at, end);
    if (!at || (*first == '0' && at - first > 1))
        return NULL;
    if (at < end && *at == '.')
        at = skip_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(end - at) < length || memcmp(at, word, length) != 0)
        return NULL;
    return at + length;
}

static const char *skip_value(const char *at, const char *end, int depth);

// An object or an array: members or values between two brackets.
static const char *skip_list(const char *at, const char *end, int depth)
{
    bool object = *at == '{';
    char close = ']';
    if (object)
        close = '}';
    at = skip_space(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    while (at) {
        if (object && (at = skip_string(at, end)))
            at = skip_sign(at, end, ':');
        if (at)
            at = skip_value(at, end, depth);
        if (at)
            at = skip_space(at, end);
        if (at && at < end && *at == close)
            return at + 1;
        if (at)
            at = skip_sign(at, end, ',');
    }
    return NULL;
}

static const char *skip_value(const char *at, const char *end, int depth)
{
    if (at == end || depth == JSON_DEPTH)
        return NULL;
    switch (*at) {
    case '{':
    case '[':
        return skip_list(at, end, depth + 1);
    case '"':
        return skip_string(at, end);
    case 't':
        return skip_word(at, end, "true");
    case 'f':
        return skip_word(at, end, "false");
    case 'n':
        return skip_word(at, end, "null");
    default:
        return skip_number(at, end);
    }
}

bool json_member(struct http_text object, const char *name, struct http_text *value)
{
    const char *end = object.at + object.length, *at = skip_space(object.at, end);
    if (at == end || *at != '{')
        return false;
    const char *stop = skip_value(at, end, 0);
    if (!stop || skip_space(stop, end) != end)
        return false;
    // From here on the text is known to be well-formed.
    at = skip_space(at + 1, end);
    while (*at == '"') {
        const char *key = at, *key_end = skip_string(at, end);
        const char *begin = skip_sign(key_end, end, ':');
        stop = skip_value(begin, end, 0);
        if (http_is((struct http_text){key + 1, (size_t)(key_end - key) - 2}, name)) {
            *value = (struct http_text){begin, (size_t)(stop - begin)};
            return true;
        }
        at = skip_space(stop, end);
        if (*at == ',')
            at = skip_space(at + 1, end);
    }
    return false;
}

bool json_number(struct http_text object, const char *name, uint64_t *number)
{
    struct http_text value;
    return json_member(object, name, &value) && http_number(value, UINT64_MAX, number);
}

// ---- strings -------------------------------------------------------------------------------

// Appends a character as UTF-8 (RFC 3629 §3).
static bool add_character(struct buffer *text, uint32_t c)
{
    char bytes[4];
    if (c < 0x80) {
        bytes[0] = (char)c;
        return buffer_add(text, bytes, 1);
    }
    if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        return buffer_add(text, bytes, 2);
    }
    if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        return buffer_add(text, bytes, 3);
    }
    bytes[0] = (char)(0xf0 | c >> 18);
    bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
    bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
    bytes[3] = (char)(0x80 | (c & 0x3f));
    return buffer_add(text, bytes, 4);
}

// Appends the character of \uXXXX at `at`; where that is half of a pair, the other half is read
// too. Returns where the escape ends, NULL without memory. Half a pair alone becomes U+FFFD.
static const char *add_escape(struct buffer *text, const char *at, const char *end)
{
    uint32_t c = (uint32_t)read_hex(at + 2, end);
    at += 6;
    if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = (uint32_t)read_hex(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    if (c >= 0xd800 && c < 0xe000)
        c = 0xfffd;
    if (!add_character(text, c))
        return NULL;
    return at;
}

bool json_string(struct http_text object, const char *name, struct buffer *text)
{
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    struct http_text value;
    if (!json_member(object, name, &value) || *value.at != '"')
        return false;
    const char *at = value.at + 1, *end = value.at + value.length - 1;
    while (at && at < end) {
        const char *stop = memchr(at, '\\', (size_t)(end - at)); // the next escape
        if (!stop)
            stop = end;
        if (!buffer_add(text, at, (size_t)(stop - at)))
            return false;
        at = stop;
        if (at < end && at[1] == 'u') {
            at = add_escape(text, at, end);
        } else if (at < end) {
            const char *known = strchr(escapes, at[1]), *meaning = at + 1; // itself
            if (known)
                meaning = meanings + (known - escapes);
            if (!buffer_add(text, meaning, 1))
                return false;
            at += 2;
        }
    }
    return at != NULL;
}
