// http.c: see http.h. Read http_read_request() first, then read_fields() and take_framing().
#include "http.h"

#include <string.h>
#include <strings.h>

#define METHOD_BYTES  32 // no method that anybody implements is longer
#define LENGTH_DIGITS 18 // of a Content-Length: what an int64_t certainly holds
#define EMPTY_LINES   2  // that may come before a request (RFC 9112 §2.2)

// ---- characters ----------------------------------------------------------------------------

enum { TOKEN = 1, TARGET = 2, HOST = 4 }; // may stand in a token, a target, a host

#define ALL (TOKEN | TARGET | HOST)

static const uint8_t may_stand_in[256] = {
    ['0' ... '9'] = ALL,   ['A' ... 'Z'] = ALL,   ['a' ... 'z'] = ALL,   ['!'] = ALL,
    ['$'] = ALL,           ['%'] = ALL,           ['&'] = ALL,           ['\''] = ALL,
    ['*'] = ALL,           ['+'] = ALL,           ['-'] = ALL,           ['.'] = ALL,
    ['_'] = ALL,           ['~'] = ALL,           ['('] = TARGET | HOST, [')'] = TARGET | HOST,
    [','] = TARGET | HOST, [';'] = TARGET | HOST, ['='] = TARGET | HOST, ['/'] = TARGET,
    [':'] = TARGET,        ['?'] = TARGET,        ['@'] = TARGET,        ['['] = TARGET,
    [']'] = TARGET,        ['#'] = TOKEN,         ['^'] = TOKEN,         ['`'] = TOKEN,
    ['|'] = TOKEN};

static const char *skip(const char *at, const char *end, int set)
{
    while (at < end && may_stand_in[(uint8_t)*at] & set)
        at++;
    return at;
}

// Visible characters, spaces, tabs, and what is not ASCII: everything but control characters.
static const char *skip_value(const char *at, const char *end)
{
    while (at < end && ((uint8_t)*at >= ' ' || *at == '\t') && *at != 0x7f)
        at++;
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// ---- one line ------------------------------------------------------------------------------

// Reads "HTTP/1.1" and what must follow it. Returns 1, 0 or a status, as http_read_request().
static int read_version(const char **at, const char *end, const char *pattern, int *minor)
{
    char major = '1', digit = '1', *digits[] = {&major, &digit};
    int known = 0;
    for (; *pattern; pattern++, ++*at) {
        if (*at == end)
            return 0;
        if (*pattern == '#' ? !is_digit(**at) : **at != *pattern)
            return -400;
        if (*pattern == '#')
            *digits[known++] = **at;
    }
    *minor = digit - '0';
    return major == '1' ? 1 : -505;
}

// A port's digits, or nothing at all, behind a host (RFC 3986 §3.2).
static bool is_port(const char *at, const char *end)
{
    if (at == end)
        return true;
    for (at = *at == ':' ? at + 1 : end + 1; at < end && is_digit(*at); at++)
        ;
    return at == end;
}

static bool is_host(struct http_text host)
{
    const char *at = host.at, *end = at + host.length;
    if (host.length && *at == ':') // a port of nowhere (RFC 9110 §4.2.1)
        return false;
    if (!host.length || *at != '[')
        return is_port(skip(at, end, HOST), end);
    const char *bracket = memchr(at, ']', host.length);
    size_t length = bracket ? (size_t)(bracket - at) : 0;
    return length > 2 && strspn(at + 1, "0123456789abcdefABCDEF:.") == length - 1 &&
           is_port(bracket + 1, end);
}

// What form the target has (RFC 9112 §3.2): a path, "*", or a whole URI with a host in it,
// which is then taken apart.
static bool take_target(struct http_head *head)
{
    struct http_text *target = &head->target;
    bool options = http_is(head->method, "OPTIONS");
    if (http_is(head->method, "CONNECT"))
        return is_host(*target);
    if (target->at[0] == '/' || (options && http_is(*target, "*")))
        return true;
    if (target->length <= 7 || strncasecmp(target->at, "http://", 7))
        return false;
    const char *end = target->at + target->length, *host = target->at + 7;
    const char *path = host + strcspn(host, "/? ");
    head->host = (struct http_text){host, (size_t)(path - host)};
    *target = (struct http_text){path, (size_t)(end - path)};
    if (!target->length)
        *target = (struct http_text){options ? "*" : "/", 1};
    return head->host.length && is_host(head->host);
}

static int read_request_line(const char **at, const char *end, struct http_head *head)
{
    const char *method = *at, *target, *space;
    space = skip(method, end, TOKEN);
    if (space - method > METHOD_BYTES)
        return -501;
    if (space == end)
        return 0;
    if (space == method || *space != ' ')
        return -400;
    head->method = (struct http_text){method, (size_t)(space - method)};
    target = space + 1;
    space = skip(target, end, TARGET);
    if (space - method > HTTP_LINE_BYTES)
        return -414;
    if (space == end)
        return 0;
    if (space == target || *space != ' ')
        return -400;
    head->target = (struct http_text){target, (size_t)(space - target)};
    *at = space + 1;
    int result = read_version(at, end, "HTTP/#.#\r\n", &head->minor);
    return result < 1 || take_target(head) ? result : -400;
}

static int read_status_line(const char **at, const char *end, struct http_head *head)
{
    int result = read_version(at, end, "HTTP/#.# ", &head->minor);
    const char *digits = *at;
    if (result < 1)
        return result;
    for (; *at < digits + 3; ++*at) {
        if (*at == end)
            return 0;
        if (!is_digit(**at))
            return -400;
        head->status = head->status * 10 + (**at - '0');
    }
    if (*at < end && **at == ' ')
        *at = skip_value(*at, end);
    if (end - *at < 2)
        return end - *at == 1 && **at != '\r' ? -400 : 0;
    bool good = (*at)[0] == '\r' && (*at)[1] == '\n' && head->status >= 100;
    *at += 2;
    return good ? 1 : -400;
}

const char *http_read_field(const char *at, const char *end, struct http_field *field,
                            int *status)
{
    const char *colon = skip(at, end, TOKEN);
    *status = 0;
    if (colon == end)
        return NULL;
    if (colon == at || *colon != ':') { // "Name : value", a folded line, no name at all
        *status = -400;
        return NULL;
    }
    const char *stop = skip_value(colon + 1, end);
    field->name = (struct http_text){at, (size_t)(colon - at)};
    field->value = http_trim(colon + 1, stop);
    if (stop < end && *stop != '\r') // also a newline without '\r'
        *status = -400;
    if (end - stop < 2 || *status)
        return NULL;
    if (stop[1] == '\n')
        return stop + 2;
    *status = -400;
    return NULL;
}

// ---- what the fields say about the message's frame -----------------------------------------

static bool take_length(struct http_head *head, struct http_text value)
{
    uint64_t length;
    // Twice, the same or not: somebody is playing.
    if (head->content_length >= 0 || value.length > LENGTH_DIGITS ||
        !http_number(value, INT64_MAX, &length))
        return false;
    head->content_length = (int64_t)length;
    return true;
}

// Only "chunked", once and last, tells where the message ends (RFC 9112 §6.1, §6.3).
static int take_coding(struct http_head *head, struct http_text value)
{
    struct http_text item;
    bool unknown = false, any = false;
    while (http_next_item(&value, &item)) {
        any = true;
        if (head->chunked)
            return -400;
        head->chunked = http_is_token(item, "chunked");
        unknown = unknown || !head->chunked;
    }
    return !head->chunked || !any ? -400 : unknown ? -501 : 1;
}

static void take_connection(struct http_text value, bool *close, bool *keep_alive)
{
    for (struct http_text item; http_next_item(&value, &item);) {
        *close = *close || http_is_token(item, "close");
        *keep_alive = *keep_alive || http_is_token(item, "keep-alive");
    }
}

// Where the message ends, and whether another one may follow it: what a smuggler plays with.
static int take_framing(struct http_head *head, bool request)
{
    bool close = false, keep_alive = false;
    int hosts = 0, result = 1;
    for (const struct http_field *f = head->fields; f < head->fields + head->field_count; f++) {
        if (f->name.length == 4 && http_is_token(f->name, "host")) {
            if (hosts++ || !is_host(f->value))
                return -400;
            if (!head->host.at) // a host in the target comes first (RFC 9112 §3.2.2)
                head->host = f->value;
        } else if (f->name.length == 10 && http_is_token(f->name, "connection")) {
            take_connection(f->value, &close, &keep_alive);
        } else if (f->name.length == 14 && http_is_token(f->name, "content-length")) {
            if (!take_length(head, f->value))
                return -400;
        } else if (f->name.length == 17 && http_is_token(f->name, "transfer-encoding")) {
            int coding = take_coding(head, f->value);
            if (coding == -400)
                return coding;
            result = coding < result ? coding : result;
        } else if (f->name.length == 6 && http_is_token(f->name, "expect") && head->minor) {
            head->expects_continue = http_is_token(f->value, "100-continue");
            if (request && !head->expects_continue)
                result = -417;
        }
    }
    // Chunks and a length, or chunks in HTTP/1.0: one of the two readers would be wrong.
    if (head->chunked && (head->content_length >= 0 || head->minor == 0))
        return -400;
    if (request && head->minor && !hosts)
        return -400;
    head->keep_alive = !close && (head->minor || keep_alive);
    return result;
}

// ---- a whole head --------------------------------------------------------------------------

static int read_fields(const char *at, const char *end, struct http_head *head)
{
    const char *first = at;
    const char *limit = end - at > HTTP_HEAD_BYTES ? at + HTTP_HEAD_BYTES : end;
    int status = 0;
    while (at < end && *at != '\r') {
        if (head->field_count == HTTP_FIELDS)
            return -431;
        const char *next =
            http_read_field(at, limit, &head->fields[head->field_count], &status);
        if (status)
            return status;
        if (!next)
            return limit < end ? -431 : 0;
        head->field_count++;
        at = next;
    }
    if (end - at < 2)
        return 0;
    head->length += (size_t)(at + 2 - first);
    return at[1] == '\n' ? 1 : -400;
}

static int read_head(const char *bytes, const char *end, struct http_head *head, bool request)
{
    const char *at = bytes;
    head->length = head->field_count = 0;
    head->host = head->method = head->target = (struct http_text){NULL, 0};
    head->content_length = -1;
    head->chunked = head->keep_alive = head->expects_continue = false;
    head->status = 0;
    for (int i = 0; request && i < EMPTY_LINES && end - at >= 2 && !memcmp(at, "\r\n", 2); i++)
        at += 2;
    if (at == end || (request && end - at == 1 && *at == '\r'))
        return 0;
    int result = request ? read_request_line(&at, end, head) : read_status_line(&at, end, head);
    if (result < 1)
        return result;
    head->length = (size_t)(at - bytes);
    result = read_fields(at, end, head);
    return result < 1 ? result : take_framing(head, request);
}

int http_read_request(const char *bytes, size_t length, struct http_head *head)
{
    return read_head(bytes, bytes + length, head, true);
}

int http_read_response(const char *bytes, size_t length, struct http_head *head)
{
    return read_head(bytes, bytes + length, head, false);
}

struct http_text http_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (http_is_token(head->fields[i].name, name))
            return head->fields[i].value;
    return (struct http_text){NULL, 0};
}
