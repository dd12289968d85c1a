// json.c: see json.h. Read take_value() first.
#include "json.h"

#include <stdlib.h>

// What is left to read. A text is refused at the first character that is wrong.
struct reader {
    const char *at, *end;
    int depth;
};

static bool take_value(struct reader *r, struct json *value);

static void skip_space(struct reader *r)
{
    while (r->at < r->end && *r->at && strchr(" \t\n\r", *r->at))
        r->at++;
}

static bool take(struct reader *r, char letter)
{
    skip_space(r);
    if (r->at == r->end || *r->at != letter)
        return false;
    r->at++;
    return true;
}

// The four digits of \uXXXX; -1: they are not four.
static int take_hex(struct reader *r)
{
    char digits[5] = "";
    if (r->end - r->at < 4)
        return -1;
    memcpy(digits, r->at, 4);
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return -1;
    r->at += 4;
    return (int)strtol(digits, NULL, 16);
}

// A character behind a backslash. Returns its code point; -1: there is no such escape.
static int32_t take_escape(struct reader *r)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return -1;
    char letter = *r->at++;
    const char *place = NULL;
    if (letter)
        place = strchr(letters, letter);
    if (place)
        return meanings[place - letters];
    if (letter != 'u')
        return -1;
    int high = take_hex(r), low;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    // Two of them are one character beyond U+FFFF; one alone is none.
    if (high > 0xdbff || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
        return -1;
    r->at += 2;
    low = take_hex(r);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

// The first code points that take one, two, three, four bytes.
static const int32_t smallest[] = {0, 0x80, 0x800, 0x10000};

// A character as UTF-8 (RFC 3629), in its one shortest form. Returns its code point, or -1.
static int32_t take_utf8(struct reader *r)
{
    uint8_t first = (uint8_t)*r->at++;
    int more;
    int32_t value;
    if (first < 0x80)
        return first;
    if (first >= 0xc2 && first < 0xe0)
        more = 1, value = first & 0x1f;
    else if (first >= 0xe0 && first < 0xf0)
        more = 2, value = first & 0x0f;
    else if (first >= 0xf0 && first < 0xf5)
        more = 3, value = first & 0x07;
    else
        return -1;
    for (int i = 0; i < more; i++) {
        if (r->at == r->end || ((uint8_t)*r->at & 0xc0) != 0x80)
            return -1;
        value = value << 6 | ((uint8_t)*r->at++ & 0x3f);
    }
    if (value < smallest[more] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return -1;
    return value;
}

// Writes a code point; returns how many bytes it takes.
static size_t put_utf8(int32_t c, char to[4])
{
    static const int lead[] = {0, 0, 0xc0, 0xe0, 0xf0}; // of the first of so many bytes
    size_t length = 1;
    while (length < 4 && c >= smallest[length])
        length++;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(lead[length] | c);
    return length;
}

// Reads a string, and copies it if `to` is given. *fits: it fits, and has no '\0'.
static bool take_string(struct reader *r, char *to, size_t size, bool *fits)
{
    size_t length = 0;
    *fits = true;
    if (!take(r, '"'))
        return false;
    while (r->at < r->end && *r->at != '"') {
        char bytes[4];
        int32_t c;
        if ((uint8_t)*r->at < 0x20)
            return false; // a control character has to be escaped
        if (*r->at == '\\') {
            r->at++;
            c = take_escape(r);
        } else {
            c = take_utf8(r);
        }
        if (c < 0)
            return false;
        size_t more = put_utf8(c, bytes);
        if (!c || !to || length + more >= size) {
            *fits = false;
        } else if (*fits) {
            memcpy(to + length, bytes, more);
            length += more;
        }
    }
    if (*fits && size)
        to[length] = '\0';
    return take(r, '"');
}

static bool take_digits(struct reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from;
}

static bool take_number(struct reader *r)
{
    if (r->at < r->end && *r->at == '-')
        r->at++;
    const char *from = r->at;
    if (!take_digits(r) || (*from == '0' && r->at > from + 1))
        return false;
    if (r->at < r->end && *r->at == '.' && (r->at++, !take_digits(r)))
        return false;
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        return take_digits(r);
    }
    return true;
}

static bool take_word(struct reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= length && !memcmp(r->at, words[i], length)) {
            r->at += length;
            return true;
        }
    }
    return false;
}

static bool take_object(struct reader *r)
{
    char names[JSON_MEMBERS][JSON_NAME];
    int count = 0;
    struct json value;
    bool fits;
    r->at++;
    if (take(r, '}'))
        return true;
    do {
        if (count == JSON_MEMBERS || !take_string(r, names[count], JSON_NAME, &fits) || !fits)
            return false; // no name that we know is so long
        for (int i = 0; i < count; i++)
            if (!strcmp(names[i], names[count]))
                return false; // the same name twice
        count++;
        if (!take(r, ':') || !take_value(r, &value))
            return false;
    } while (take(r, ','));
    return take(r, '}');
}

static bool take_array(struct reader *r)
{
    struct json value;
    r->at++;
    if (take(r, ']'))
        return true;
    do
        if (!take_value(r, &value))
            return false;
    while (take(r, ','));
    return take(r, ']');
}

static bool take_value(struct reader *r, struct json *value)
{
    bool good = false, fits;
    skip_space(r);
    const char *from = r->at;
    if (from == r->end || r->depth == JSON_DEPTH)
        return false;
    r->depth++;
    if (*from == '"') {
        value->type = JSON_STRING;
        good = take_string(r, NULL, 0, &fits);
    } else if (*from == '{') {
        value->type = JSON_OBJECT;
        good = take_object(r);
    } else if (*from == '[') {
        value->type = JSON_ARRAY;
        good = take_array(r);
    } else if (*from == '-' || (*from >= '0' && *from <= '9')) {
        value->type = JSON_NUMBER;
        good = take_number(r);
    } else {
        value->type = JSON_WORD;
        good = take_word(r);
    }
    r->depth--;
    value->text = (struct http_text){from, (size_t)(r->at - from)};
    return good;
}

bool json_read(struct http_text text, struct json *value)
{
    if (!text.length)
        return false;
    struct reader r = {text.at, text.at + text.length, 0};
    if (!take_value(&r, value))
        return false;
    skip_space(&r);
    return r.at == r.end;
}

// The inside of an object or array that was read before: it is well-formed.
static struct reader inside(const struct json *value)
{
    return (struct reader){value->text.at + 1, value->text.at + value->text.length, 0};
}

bool json_member(const struct json *object, const char *name, struct json *value)
{
    if (object->type != JSON_OBJECT)
        return false;
    struct reader r = inside(object);
    char found[JSON_NAME];
    bool fits;
    while (take_string(&r, found, sizeof found, &fits)) {
        if (!take(&r, ':') || !take_value(&r, value))
            return false;
        if (!strcmp(found, name))
            return true;
        take(&r, ',');
    }
    return false;
}

bool json_next(const struct json *array, size_t *at, struct json *value)
{
    if (array->type != JSON_ARRAY)
        return false;
    struct reader r = inside(array);
    r.at += *at;
    bool more = take_value(&r, value);
    take(&r, ',');
    *at = (size_t)(r.at - array->text.at) - 1;
    return more;
}

bool json_string(const struct json *value, char *to, size_t size)
{
    struct reader r = {value->text.at, value->text.at + value->text.length, 0};
    bool fits;
    return value->type == JSON_STRING && take_string(&r, to, size, &fits) && fits;
}

bool json_member_string(const struct json *object, const char *name, char *to, size_t size)
{
    struct json value;
    return json_member(object, name, &value) && json_string(&value, to, size);
}

bool json_member_integer(const struct json *object, const char *name, int64_t *number)
{
    struct json value;
    if (!json_member(object, name, &value) || value.type != JSON_NUMBER)
        return false;
    struct http_text text = value.text;
    bool negative = *text.at == '-';
    *number = 0;
    for (size_t i = negative; i < text.length && text.at[i] != '.'; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || *number > INT64_C(99999999999999))
            return false;
        *number = *number * 10 + (text.at[i] - '0');
    }
    if (memchr(text.at, 'e', text.length) || memchr(text.at, 'E', text.length))
        return false;
    if (negative)
        *number = -*number;
    return true;
}
