// json_todo.c: see json_todo.h. Read json_read_item() first.
#include "json_todo.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16 // of members that are skipped

// ---- reading -------------------------------------------------------------------------------

static bool fail(struct json_reader *reader, const char *wrong)
{
    if (!reader->wrong)
        reader->wrong = wrong;
    return false;
}

static void skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

// Takes this character, behind white space. False: there is another one.
static bool take(struct json_reader *reader, char c)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

// Four hexadecimal digits.
static bool read_unit(struct json_reader *reader, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = NULL;
        if (reader->at < reader->end && *reader->at)
            digit = strchr(digits, *reader->at | (*reader->at > '9' ? 0x20 : 0));
        if (!digit)
            return fail(reader, "a \\u without four digits");
        *unit = *unit << 4 | (uint32_t)(digit - digits);
        reader->at++;
    }
    return true;
}

static size_t put_utf8(char *out, uint32_t character)
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xe0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3f));
        out[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3f));
    out[2] = (char)(0x80 | (character >> 6 & 0x3f));
    out[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

// What follows a backslash. Returns how many bytes it makes; 0: it is wrong.
static size_t read_escape(struct json_reader *reader, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    uint32_t unit, low;
    if (reader->at == reader->end)
        return fail(reader, "a string that does not end");
    char c = *reader->at++;
    const char *name = NULL;
    if (c)
        name = strchr(names, c);
    if (name) {
        *out = values[name - names];
        return 1;
    }
    if (c != 'u' || !read_unit(reader, &unit))
        return fail(reader, "an escape that is none");
    if (unit < 0xd800 || unit > 0xdfff)
        return put_utf8(out, unit);
    if (unit > 0xdbff || reader->end - reader->at < 6 || *reader->at++ != '\\' ||
        *reader->at++ != 'u' || !read_unit(reader, &low) || low < 0xdc00 || low > 0xdfff)
        return fail(reader, "half of a surrogate pair");
    return put_utf8(out, 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
}

// Reads a string, behind its first quote.
static bool read_string(struct json_reader *reader, size_t *length)
{
    *length = 0;
    while (reader->at < reader->end && *length <= TODO_TEXT_MAX) {
        char c = *reader->at++;
        if (c == '"')
            return protobuf_is_utf8((const uint8_t *)reader->text, *length) ||
                   fail(reader, "a string that is not UTF-8");
        if ((unsigned char)c < ' ')
            return fail(reader, "a control character in a string");
        if (c != '\\') {
            reader->text[(*length)++] = c;
            continue;
        }
        size_t bytes = read_escape(reader, reader->text + *length);
        if (bytes == 0)
            return false;
        *length += bytes;
    }
    return fail(reader, "a string that is too long, or does not end");
}

static bool read_int(struct json_reader *reader, int32_t *number)
{
    int64_t value = 0;
    bool negative = take(reader, '-');
    skip_space(reader);
    const char *first = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
           value <= INT32_MAX)
        value = 10 * value + (*reader->at++ - '0');
    if (reader->at == first || value > INT32_MAX)
        return fail(reader, "an id that is no number");
    *number = (int32_t)value;
    if (negative)
        *number = -*number;
    return true;
}

// Skips a value of any kind, up to the comma or bracket behind it.
static bool skip_value(struct json_reader *reader)
{
    int depth = 0;
    size_t length;
    for (; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return true;
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == '"') {
            reader->at++;
            if (!read_string(reader, &length))
                return false;
            reader->at--; // the loop goes on behind the last quote
        }
        if (depth > DEPTH_MAX)
            break;
    }
    return fail(reader, "a member that cannot be skipped");
}

// Reads one member: its name and its value. The text of the item has to survive the names of
// the members behind it, so it is copied.
static bool read_member(struct json_reader *reader, struct todo_item *item, char *text)
{
    size_t length;
    if (!take(reader, '"') || !read_string(reader, &length))
        return fail(reader, "a member without a name");
    bool is_id = length == 2 && !memcmp(reader->text, "id", 2);
    bool is_text = length == 4 && !memcmp(reader->text, "text", 4);
    if (!take(reader, ':'))
        return fail(reader, "a member without a value");
    skip_space(reader);
    if (is_id)
        return read_int(reader, &item->id);
    if (!is_text)
        return skip_value(reader);
    if (!take(reader, '"') || !read_string(reader, &item->length))
        return fail(reader, "a text that is no string");
    memcpy(text, reader->text, item->length);
    return true;
}

const char *json_read_item(struct json_reader *reader, struct todo_item *item)
{
    char text[TODO_TEXT_MAX + 8];
    *item = (struct todo_item){.text = (const uint8_t *)reader->text};
    if (!take(reader, '{'))
        fail(reader, "no object");
    if (!reader->wrong && !take(reader, '}')) {
        do {
            if (!read_member(reader, item, text))
                return reader->wrong;
        } while (take(reader, ','));
        if (!take(reader, '}'))
            fail(reader, "an object that does not end");
    }
    memcpy(reader->text, text, item->length);
    return reader->wrong;
}

const char *json_read_items(struct json_reader *reader,
                            void (*each)(const struct todo_item *item))
{
    struct todo_item item;
    if (!take(reader, '['))
        fail(reader, "no array");
    if (!reader->wrong && take(reader, ']'))
        return NULL;
    while (!reader->wrong && !json_read_item(reader, &item)) {
        each(&item);
        if (!take(reader, ','))
            break;
    }
    if (!reader->wrong && !take(reader, ']'))
        fail(reader, "an array that does not end");
    return reader->wrong;
}

// ---- writing -------------------------------------------------------------------------------

size_t json_put_item(char *out, const struct todo_item *item)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = (size_t)sprintf(out, "{\"id\":%d,\"text\":\"", item->id);
    for (size_t i = 0; i < item->length; i++) {
        uint8_t c = item->text[i];
        if (c == '"' || c == '\\') {
            out[at++] = '\\';
            out[at++] = (char)c;
        } else if (c < ' ') {
            memcpy(out + at, "\\u00", 4);
            out[at + 4] = hex[c >> 4];
            out[at + 5] = hex[c & 15];
            at += 6;
        } else {
            out[at++] = (char)c;
        }
    }
    memcpy(out + at, "\"}", 2);
    return at + 2;
}
