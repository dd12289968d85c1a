// http_head.c: the head of a message, line by line, see http.h. Read read_head() first, at the
// end. What the fields say about the message's end is in http_framing.c.
#include "http.h"

#define METHOD_BYTES 32 // longer than any method that is in use
#define EMPTY_LINES  2  // that may come before a request (RFC 9112 §2.2)

#define LINE_FORM "a request line is METHOD TARGET HTTP/1.1, with single spaces"

int http_refuse(struct http_head *head, int status, const char *why)
{
    head->why = why;
    return -status;
}

// ---- characters ----------------------------------------------------------------------------

enum { TOKEN = 1, TARGET = 2 }; // may stand in a token, in a target

#define BOTH (TOKEN | TARGET)

static const uint8_t may_stand_in[256] = {
    ['0' ... '9'] = BOTH, ['A' ... 'Z'] = BOTH, ['a' ... 'z'] = BOTH, ['!'] = BOTH,
    ['$'] = BOTH,         ['%'] = BOTH,         ['&'] = BOTH,         ['\''] = BOTH,
    ['*'] = BOTH,         ['+'] = BOTH,         ['-'] = BOTH,         ['.'] = BOTH,
    ['_'] = BOTH,         ['~'] = BOTH,         ['('] = TARGET,       [')'] = TARGET,
    [','] = TARGET,       [';'] = TARGET,       ['='] = TARGET,       ['/'] = TARGET,
    [':'] = TARGET,       ['?'] = TARGET,       ['@'] = TARGET,       ['['] = TARGET,
    [']'] = TARGET,       ['#'] = TOKEN,        ['^'] = TOKEN,        ['`'] = TOKEN,
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

// Reads "HTTP/1.1" and what must follow it; a '#' in the pattern is a digit. Returns 1, 0 or a
// negated status, as http_read_request() does.
static int read_version(struct http_head *head, const char **at, const char *end,
                        const char *pattern)
{
    char digits[2] = "11";
    int known = 0;
    for (; *pattern; pattern++, ++*at) {
        if (*at == end)
            return 0;
        bool fits = **at == *pattern;
        if (*pattern == '#')
            fits = is_digit(**at);
        if (!fits)
            return http_refuse(head, 400, "the first line does not name HTTP/1.1");
        if (*pattern == '#')
            digits[known++] = **at;
    }
    head->minor = digits[1] - '0';
    if (digits[0] != '1')
        return http_refuse(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    return 1;
}

static bool begins_with(struct http_text text, const char *word)
{
    return text.length >= strlen(word) && !strncasecmp(text.at, word, strlen(word));
}

// Finds out what form the target has (RFC 9112 §3.2): a path, "*", or a whole URI with a host
// in it, which is then taken apart.
static int take_target(struct http_head *head, bool secure)
{
    struct http_text *target = &head->target;
    bool options = http_is(head->method, "OPTIONS"), https = begins_with(*target, "https://");
    if (http_is(head->method, "CONNECT")) {
        head->host = *target;
        return http_is_host(*target) ? 1 : http_refuse(head, 400, "CONNECT names host:port");
    }
    if (target->at[0] == '/' || (options && http_is(*target, "*")))
        return 1;
    if (!https && !begins_with(*target, "http://"))
        return http_refuse(head, 400, "the target is neither a path nor an http URI");
    const char *end = target->at + target->length, *host = target->at + strlen("http://");
    if (https)
        host++; // one letter more
    const char *path = host + strcspn(host, "/? ");
    head->host = (struct http_text){host, (size_t)(path - host)};
    *target = (struct http_text){path, (size_t)(end - path)};
    if (!target->length && options)
        *target = (struct http_text){"*", 1};
    else if (!target->length)
        *target = (struct http_text){"/", 1};
    if (!head->host.length || !http_is_host(head->host))
        return http_refuse(head, 400, "the target is a URI without a good host");
    if (https && !secure)
        return http_refuse(head, 421, "an https URI on a connection without TLS");
    if (!https && secure)
        return http_refuse(head, 421, "an http URI on a connection with TLS");
    return 1;
}

static int read_request_line(const char **at, const char *end, struct http_head *head,
                             bool secure)
{
    const char *method = *at, *space = skip(method, end, TOKEN);
    if (space - method > METHOD_BYTES)
        return http_refuse(head, 501, "no method has such a long name");
    if (space == end)
        return 0;
    if (space == method || *space != ' ')
        return http_refuse(head, 400, LINE_FORM);
    head->method = (struct http_text){method, (size_t)(space - method)};
    const char *target = space + 1;
    space = skip(target, end, TARGET);
    if (space - method > HTTP_LINE_BYTES)
        return http_refuse(head, 414, "a request line has at most 8192 bytes");
    if (space == end)
        return 0;
    if (space == target || *space != ' ')
        return http_refuse(head, 400, LINE_FORM);
    head->target = (struct http_text){target, (size_t)(space - target)};
    *at = space + 1;
    int result = read_version(head, at, end, "HTTP/#.#\r\n");
    if (result < 1)
        return result;
    return take_target(head, secure);
}

static int read_status_line(const char **at, const char *end, struct http_head *head)
{
    int result = read_version(head, at, end, "HTTP/#.# ");
    const char *digits = *at;
    if (result < 1)
        return result;
    for (; *at < digits + 3; ++*at) {
        if (*at == end)
            return 0;
        if (!is_digit(**at))
            return http_refuse(head, 400, "a status has three digits");
        head->status = head->status * 10 + (**at - '0');
    }
    if (head->status < 100)
        return http_refuse(head, 400, "there is no status below 100");
    if (*at < end && **at == ' ')
        *at = skip_value(*at, end);
    if (*at - digits > HTTP_LINE_BYTES)
        return http_refuse(head, 431, "a status line has at most 8192 bytes");
    if (*at < end && **at != '\r')
        return http_refuse(head, 400, "a status line does not go on like this");
    if (end - *at < 2)
        return 0;
    if ((*at)[1] != '\n')
        return http_refuse(head, 400, "a line ends with CRLF");
    *at += 2;
    return 1;
}

const char *http_read_field(const char *at, const char *end, struct http_field *field,
                            const char **why)
{
    const char *colon = skip(at, end, TOKEN);
    *why = NULL;
    if (colon == end)
        return NULL;
    if (colon == at || *colon != ':') { // "Name : value", a folded line, no name at all
        *why = "a field is a name, a colon right behind it, and a value";
        return NULL;
    }
    const char *stop = skip_value(colon + 1, end);
    field->name = (struct http_text){at, (size_t)(colon - at)};
    field->value = http_trim(colon + 1, stop);
    if (stop < end && *stop != '\r')
        *why = "a control character, or a line end without CR";
    else if (end - stop > 1 && stop[1] != '\n')
        *why = "a CR without LF";
    if (end - stop < 2 || *why)
        return NULL;
    return stop + 2;
}

// ---- a whole head --------------------------------------------------------------------------

static int read_fields(const char *at, const char *end, struct http_head *head)
{
    const char *first = at, *limit = end;
    if (end - at > HTTP_HEAD_BYTES)
        limit = at + HTTP_HEAD_BYTES;
    while (at < end && *at != '\r') {
        if (head->field_count == HTTP_FIELDS)
            return http_refuse(head, 431, "a head has at most 100 fields");
        const char *next =
            http_read_field(at, limit, &head->fields[head->field_count], &head->why);
        if (head->why)
            return -400;
        if (!next && limit < end)
            return http_refuse(head, 431, "all fields together have at most 16384 bytes");
        if (!next)
            return 0;
        head->field_count++;
        at = next;
    }
    if (end - at < 2)
        return 0;
    if (at[1] != '\n')
        return http_refuse(head, 400, "a CR without LF");
    head->length += (size_t)(at + 2 - first);
    return 1;
}

enum kind { REQUEST, SECURE_REQUEST, RESPONSE };

static int read_head(const char *bytes, const char *end, struct http_head *head, enum kind kind)
{
    const char *at = bytes;
    bool request = kind != RESPONSE;
    int result;
    memset(head, 0, offsetof(struct http_head, fields));
    head->content_length = -1;
    for (int i = 0; request && i < EMPTY_LINES && end - at >= 2 && !memcmp(at, "\r\n", 2); i++)
        at += 2;
    if (at == end || (request && end - at == 1 && *at == '\r'))
        return 0;
    if (request)
        result = read_request_line(&at, end, head, kind == SECURE_REQUEST);
    else
        result = read_status_line(&at, end, head);
    if (result < 1)
        return result;
    head->length = (size_t)(at - bytes);
    result = read_fields(at, end, head);
    if (result < 1)
        return result;
    return http_read_framing(head, request);
}

int http_read_request(const char *bytes, size_t length, struct http_head *head)
{
    return read_head(bytes, bytes + length, head, REQUEST);
}

int http_read_secure_request(const char *bytes, size_t length, struct http_head *head)
{
    return read_head(bytes, bytes + length, head, SECURE_REQUEST);
}

int http_read_response(const char *bytes, size_t length, struct http_head *head)
{
    return read_head(bytes, bytes + length, head, RESPONSE);
}
