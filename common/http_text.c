// http_text.c: texts and what they are made of, and the fields of a head, see http.h.
#include "http.h"

#include <stdio.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct http_text http_trim(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    while (at < end && is_space(end[-1]))
        end--;
    return (struct http_text){at, (size_t)(end - at)};
}

// The comma that ends the item at `at`, or `end`. Inside quotes a backslash hides the byte
// behind it (RFC 9110 §5.6.4).
static const char *item_end(const char *at, const char *end)
{
    bool quoted = false;
    for (; at < end && (quoted || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at + 1 < end)
            at++;
    }
    return at;
}

bool http_next_item(struct http_text *list, struct http_text *item)
{
    do {
        if (!list->length) // and then perhaps no text at all: NULL
            return false;
        const char *end = list->at + list->length;
        const char *comma = item_end(list->at, end);
        *item = http_trim(list->at, comma);
        list->at = end;
        if (comma < end)
            list->at = comma + 1;
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
    const char *path_end = end, *query_begin = end;
    if (mark) {
        path_end = mark;
        query_begin = mark + 1;
    }
    *path = (struct http_text){target.at, (size_t)(path_end - target.at)};
    if (!path->length) // http://example.org?query (RFC 9110 §4.2.3)
        *path = (struct http_text){"/", 1};
    *query = (struct http_text){query_begin, (size_t)(end - query_begin)};
}

struct http_text http_parameter(struct http_text query, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = query.at, *end = at + query.length, *next; at < end; at = next + 1) {
        next = memchr(at, '&', (size_t)(end - at));
        if (!next)
            next = end;
        if ((size_t)(next - at) > length && !memcmp(at, name, length) && at[length] == '=')
            return (struct http_text){at + length + 1, (size_t)(next - at) - length - 1};
    }
    return (struct http_text){NULL, 0};
}

enum http_method http_method(struct http_text method)
{
    static const char *const methods[HTTP_OTHER_METHOD] = {"GET", "HEAD",  "OPTIONS", "POST",
                                                           "PUT", "PATCH", "DELETE"};
    int i = 0;
    while (i < HTTP_OTHER_METHOD && !http_is(method, methods[i]))
        i++;
    return (enum http_method)i;
}

// A port's digits behind a host, or nothing at all.
static bool is_port(const char *at, const char *end)
{
    if (at == end)
        return true;
    if (*at != ':')
        return false;
    for (at++; at < end; at++)
        if (*at < '0' || *at > '9')
            return false;
    return true;
}

bool http_is_host(struct http_text host)
{
    static const bool may_stand_in_name[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
        ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true,
        ['('] = true,         [')'] = true,         ['*'] = true,         ['+'] = true,
        [','] = true,         [';'] = true,         ['='] = true,         ['-'] = true,
        ['.'] = true,         ['_'] = true,         ['~'] = true};
    const char *at = host.at, *end = at + host.length;
    if (!host.length)
        return true;
    if (*at == ':') // a port of nowhere (RFC 9110 §4.2.1)
        return false;
    if (*at == '[') {
        const char *bracket = memchr(at, ']', host.length);
        if (!bracket || bracket < at + 3)
            return false;
        return strspn(at + 1, "0123456789abcdefABCDEF:.") == (size_t)(bracket - at) - 1 &&
               is_port(bracket + 1, end);
    }
    while (at < end && may_stand_in_name[(uint8_t)*at])
        at++;
    return is_port(at, end);
}

char *http_authority(const char *host, int port, int default_port, char text[HTTP_HOST_BYTES])
{
    int length = (int)strcspn(host, "%"); // fe80::1%eth0: the zone means something here only
    int end;
    if (strchr(host, ':'))
        end = snprintf(text, HTTP_HOST_BYTES - 8, "[%.*s]", length, host);
    else
        end = snprintf(text, HTTP_HOST_BYTES - 8, "%.*s", length, host);
    if (port != default_port && end > 0 && end < HTTP_HOST_BYTES - 8)
        snprintf(text + end, 8, ":%d", port);
    return text;
}

// ---- the fields of a head ------------------------------------------------------------------

struct http_text http_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (http_is_token(head->fields[i].name, name))
            return head->fields[i].value;
    return (struct http_text){NULL, 0};
}

int http_single_field(const struct http_head *head, const char *name, struct http_text *value)
{
    int times = 0;
    *value = http_field(head, name);
    for (size_t i = 0; i < head->field_count; i++)
        times += http_is_token(head->fields[i].name, name);
    return times;
}

bool http_list_next(struct http_list *list, struct http_text *item)
{
    while (!http_next_item(&list->rest, item)) {
        const struct http_field *field = &list->head->fields[list->line];
        if (list->line == list->head->field_count)
            return false;
        list->line++;
        if (http_is_token(field->name, list->name))
            list->rest = field->value;
    }
    return true;
}

bool http_list_has(const struct http_head *head, const char *name, const char *token)
{
    struct http_list list = {.head = head, .name = name};
    for (struct http_text item; http_list_next(&list, &item);)
        if (http_is_token(item, token))
            return true;
    return false;
}
