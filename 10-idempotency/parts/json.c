// json.c: see json.h. Read read_value() first: a value is what its first byte says. Nothing
// here calls itself: how deep we are is a number, and the way back is each value's parent.
#include "json.h"

#include <ctype.h>
#include <string.h>

struct reader {
    struct json *json;
    const char *start, *at, *end;
};

static bool fail(struct reader *r, const char *error)
{
    if (!r->json->error) {
        r->json->error = error;
        r->json->error_at = (size_t)(r->at - r->start);
    }
    return false;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

// ---- strings -------------------------------------------------------------------------------

// The number of bytes of a character, as its first byte says; 0: no character begins with it.
static size_t length_by_first(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first >= 0xf5)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return 4;
}

// The number of bytes of the character that begins here, 0 if it is none.
static size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    size_t length = length_by_first(*at);
    if (length > (size_t)(end - at))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xf0 && at[1] < 0x90);
    bool surrogate = *at == 0xed && at[1] > 0x9f, beyond = *at == 0xf4 && at[1] > 0x8f;
    if (overlong || surrogate || beyond)
        return 0;
    return length;
}

bool json_is_utf8(const char *bytes, size_t length)
{
    const uint8_t *at = (const uint8_t *)bytes, *end = at + length;
    for (size_t more = 1; at < end && more; at += more)
        more = utf8_length(at, end);
    return at == end;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

// The four digits behind "\u".
static bool read_unit(struct reader *r, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = -1;
        if (r->at < r->end)
            digit = hex_digit(*r->at);
        if (digit < 0)
            return fail(r, "four hexadecimal digits are missing");
        *unit = *unit * 16 + (uint32_t)digit;
    }
    return true;
}

static void put_utf8(struct json *json, uint32_t c)
{
    char *to = json->bytes + json->decoded;
    int more = (c >= 0x80) + (c >= 0x800) + (c >= 0x10000); // bytes behind the first one
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(first[more] | c >> (6 * more));
    for (int i = more - 1; i >= 0; i--)
        *to++ = (char)(0x80 | (c >> (6 * i) & 0x3f));
    json->decoded += (size_t)more + 1;
}

// What stands behind a backslash. No escape is longer decoded than it was.
static bool read_escape(struct reader *r)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    uint32_t c, low;
    const char *name = NULL;
    if (r->at < r->end && *r->at)
        name = strchr(names, *r->at);
    if (name) {
        r->at++;
        put_utf8(r->json, (uint32_t)bytes[name - names]);
        return true;
    }
    if (!take(r, 'u'))
        return fail(r, "no such escape");
    if (!read_unit(r, &c))
        return false;
    if (c >= 0xd800 && c < 0xdc00) { // the first half of a pair (RFC 8259 §7)
        if (!take(r, '\\') || !take(r, 'u') || !read_unit(r, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return fail(r, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c < 0xe000) {
        return fail(r, "half of a surrogate pair");
    }
    put_utf8(r->json, c);
    return true;
}

// A string behind its first quotation mark: as it stands there, or decoded if it has escapes.
static bool read_string(struct reader *r, struct http_text *text)
{
    struct json *json = r->json;
    const char *from = r->at;
    size_t decoded = json->decoded;
    bool copied = false;
    while (r->at < r->end && *r->at != '"') {
        const char *at = r->at;
        size_t length = utf8_length((const uint8_t *)at, (const uint8_t *)r->end);
        if ((uint8_t)*at < ' ')
            return fail(r, "a control byte in a string");
        if (!length)
            return fail(r, "it is not UTF-8");
        if (*at == '\\' && !copied) { // from here on it is another text
            memcpy(json->bytes + decoded, from, (size_t)(at - from));
            json->decoded += (size_t)(at - from);
            copied = true;
        }
        r->at += length;
        if (*at == '\\') {
            if (!read_escape(r))
                return false;
        } else if (copied) {
            memcpy(json->bytes + json->decoded, at, length);
            json->decoded += length;
        }
    }
    if (copied)
        *text = (struct http_text){json->bytes + decoded, json->decoded - decoded};
    else
        *text = (struct http_text){from, (size_t)(r->at - from)};
    return take(r, '"') || fail(r, "a string without an end");
}

// ---- values --------------------------------------------------------------------------------

static bool take_digits(struct reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && isdigit((unsigned char)*r->at))
        r->at++;
    return r->at > from;
}

static bool read_number(struct reader *r)
{
    take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return fail(r, "no value");
    if (take(r, '.') && !take_digits(r))
        return fail(r, "no digit behind the point");
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (!take_digits(r))
            return fail(r, "no digit in the exponent");
    }
    return true;
}

static bool read_word(struct reader *r, struct json_value *value)
{
    static const char *const words[] = {"null", "false", "true"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= length && !memcmp(r->at, words[i], length)) {
            value->type = (enum json_type)i;
            r->at += length;
            return true;
        }
    }
    return fail(r, "no value");
}

// A name and its colon; no other member of the same object may have it.
static bool read_name(struct reader *r, struct json_value *value)
{
    skip_space(r);
    const char *at = r->at;
    if (!take(r, '"'))
        return fail(r, "no name");
    if (!read_string(r, &value->name))
        return false;
    for (const struct json_value *other = r->json->values + value->parent + 1; other < value;
         other++)
        if (other->parent == value->parent && other->name.length == value->name.length &&
            !memcmp(other->name.at, value->name.at, value->name.length)) {
            r->at = at;
            return fail(r, "a name that was there before");
        }
    skip_space(r);
    return take(r, ':') || fail(r, "no colon");
}

static bool read_value(struct reader *r, int parent)
{
    struct json *json = r->json;
    if (json->count == JSON_VALUES)
        return fail(r, "too many values");
    struct json_value *value = &json->values[json->count];
    *value = (struct json_value){.parent = parent};
    if (parent >= 0 && json->values[parent].type == JSON_OBJECT && !read_name(r, value))
        return false;
    skip_space(r);
    const char *from = r->at;
    if (take(r, '{'))
        value->type = JSON_OBJECT;
    else if (take(r, '['))
        value->type = JSON_ARRAY;
    else if (take(r, '"'))
        value->type = JSON_STRING;
    else if (from < r->end && (*from == '-' || (*from >= '0' && *from <= '9')))
        value->type = JSON_NUMBER;
    else if (!read_word(r, value))
        return false;
    if (value->type == JSON_STRING && !read_string(r, &value->text))
        return false;
    if (value->type == JSON_NUMBER) {
        if (!read_number(r))
            return false;
        value->text = (struct http_text){from, (size_t)(r->at - from)};
    }
    json->count++;
    return true;
}

// The character that ends an object or an array.
static char end_of(const struct json_value *value)
{
    if (value->type == JSON_OBJECT)
        return '}';
    return ']';
}

// After a value: closes the arrays and objects that end here. Returns the one that goes on, in
// which the next value stands; -1 if the document is over.
static int close_values(struct reader *r, int open, int *depth)
{
    const struct json_value *values = r->json->values;
    for (; open >= 0; open = values[open].parent, --*depth) {
        skip_space(r);
        if (take(r, ','))
            return open;
        if (!take(r, end_of(&values[open]))) {
            fail(r, "neither a comma nor an end");
            return -1;
        }
    }
    return -1;
}

bool json_read(struct json *json, const char *bytes, size_t length)
{
    struct reader r = {json, bytes, bytes, bytes + length};
    int open = -1, depth = 0;
    json->count = 0;
    json->error = NULL;
    json->decoded = 0;
    if (length > JSON_BYTES)
        return fail(&r, "too long");
    do {
        if (!read_value(&r, open))
            return false;
        const struct json_value *value = &json->values[json->count - 1];
        if (value->type == JSON_ARRAY || value->type == JSON_OBJECT) {
            if (++depth > JSON_DEPTH)
                return fail(&r, "too deep");
            skip_space(&r);
            open = json->count - 1;
            bool empty = r.at < r.end && *r.at == end_of(value);
            if (!empty)
                continue; // its first value comes next
        }
        open = close_values(&r, open, &depth);
    } while (open >= 0);
    skip_space(&r);
    return !json->error && (r.at == r.end || fail(&r, "something behind the value"));
}

// ---- what the caller uses ------------------------------------------------------------------

const struct json_value *json_member_of(const struct json *json, int object, const char *name)
{
    for (int i = object + 1; i < json->count; i++)
        if (json->values[i].parent == object && http_is(json->values[i].name, name))
            return &json->values[i];
    return NULL;
}

const struct json_value *json_member(const struct json *json, const char *name)
{
    return json_member_of(json, 0, name);
}

bool json_integer(const struct json_value *value, int64_t min, int64_t max, int64_t *number)
{
    if (value->type != JSON_NUMBER)
        return false;
    bool negative = *value->text.at == '-';
    uint64_t sum = 0, most = (uint64_t)INT64_MAX + negative;
    for (size_t i = negative; i < value->text.length; i++) {
        uint64_t digit = (uint64_t)(value->text.at[i] - '0');
        if (digit > 9 || sum > (most - digit) / 10) // a point, an e, or more than there is room
            return false;
        sum = sum * 10 + digit;
    }
    if (negative)
        sum = 0 - sum;
    *number = (int64_t)sum;
    return *number >= min && *number <= max;
}

void json_put(struct http_out *out, struct http_text text)
{
    static const char digits[] = "0123456789abcdef";
    http_put(out, "\"", 1);
    for (size_t i = 0, from = 0; i <= text.length; i++) {
        uint8_t c = 0;
        if (i < text.length)
            c = (uint8_t)text.at[i];
        if (i < text.length && c >= ' ' && c != '"' && c != '\\')
            continue;
        http_put(out, text.at + from, i - from);
        from = i + 1;
        char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        if (i < text.length && c >= ' ')
            http_put(out, (char[]){'\\', (char)c}, 2);
        else if (i < text.length)
            http_put(out, escape, sizeof escape);
    }
    http_put(out, "\"", 1);
}
