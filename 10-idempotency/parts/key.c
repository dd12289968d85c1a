// key.c: see key.h.
#include "key.h"

#include <string.h>

// Without quotation marks: what a token may have in it (RFC 9651 §3.3.4), and '=' of base64.
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~:/=", c));
}

// Inside quotation marks: printable ASCII (RFC 9651 §3.3.3).
static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

int key_parse(struct http_text value, char *key)
{
    bool quoted = value.length && value.at[0] == '"';
    int length = 0;
    size_t i = quoted;
    for (; i < value.length && !(quoted && value.at[i] == '"'); i++) {
        char c = value.at[i];
        if (quoted && c == '\\') { // a quotation mark or a backslash has to follow
            c = ++i < value.length ? value.at[i] : '\0';
            if (c != '"' && c != '\\')
                return -1;
        } else if (quoted && !is_printable(c)) {
            return -1;
        } else if (!quoted && !is_plain(c)) {
            return -1;
        }
        if (length == KEY_MAX)
            return -1;
        key[length++] = c;
    }
    key[length] = '\0';
    // The mark that ends it is the last byte; and a key without a character names nothing.
    if (quoted && (i + 1 != value.length || !length))
        return -1;
    return length;
}

int key_read(const struct http_head *head, char *key)
{
    struct http_text value = {NULL, 0};
    for (size_t i = 0; i < head->field_count; i++)
        if (http_is_token(head->fields[i].name, "idempotency-key")) {
            if (value.at)
                return -1;
            value = head->fields[i].value;
        }
    if (!value.at)
        return 0;
    return key_parse(value, key);
}
