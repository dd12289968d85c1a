// http_text.c: see http_text.h.
#include "http_text.h"

bool http_next_item(struct http_text *list, struct http_text *item)
{
    do {
        const char *end = list->at + list->length;
        const char *comma = list->length ? memchr(list->at, ',', list->length) : NULL;
        if (!list->length)
            return false;
        *item = http_trim(list->at, comma ? comma : end);
        list->at = comma ? comma + 1 : end;
        list->length = (size_t)(end - list->at);
    } while (!item->length);
    return true;
}

bool http_number(struct http_text text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (digit > 9 || digit > max || sum > (max - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return text.length;
}

void http_split_target(struct http_text target, struct http_text *path, struct http_text *query)
{
    const char *mark = memchr(target.at, '?', target.length), *end = target.at + target.length;
    *path = (struct http_text){target.at, (size_t)((mark ? mark : end) - target.at)};
    if (!path->length) // http://example.org?query (RFC 9110 §4.2.3)
        *path = (struct http_text){"/", 1};
    mark = mark ? mark + 1 : end;
    *query = (struct http_text){mark, (size_t)(end - mark)};
}

struct http_text http_parameter(struct http_text query, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = query.at, *end = at + query.length, *next; at < end; at = next + 1) {
        next = memchr(at, '&', (size_t)(end - at));
        next = next ? next : end;
        if ((size_t)(next - at) > length && !memcmp(at, name, length) && at[length] == '=')
            return (struct http_text){at + length + 1, (size_t)(next - at) - length - 1};
    }
    return (struct http_text){NULL, 0};
}
