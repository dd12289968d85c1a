// message.c: see message.h.
#include "message.h"

#include <ctype.h>

#define LENGTH_DIGITS_MAX 18 // of a content-length: it fits in 63 bits

// Letters, digits, and these other characters.
static bool consists_of(struct http_text text, const char *others)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isalnum((unsigned char)text.at[i]) && (!text.at[i] || !strchr(others, text.at[i])))
            return false;
    return text.length > 0;
}

static bool is_token(struct http_text text) // RFC 9110 §5.6.2
{
    return consists_of(text, "!#$%&'*+-.^_`|~");
}

static bool has_upper_case(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] >= 'A' && text.at[i] <= 'Z')
            return true;
    return false;
}

static bool is_field_value(struct http_text text) // RFC 9110 §5.5
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return text.length == 0 || (!isblank((unsigned char)text.at[0]) &&
                                !isblank((unsigned char)text.at[text.length - 1]));
}

// The name of a pseudo-header field begins with a colon.
static bool is_pseudo(const struct http_field *field)
{
    return field->name.length > 0 && *field->name.at == ':';
}

// §4.2: what speaks of the connection has no place here.
static bool is_connection_specific(const struct http_field *field)
{
    static const char *const names[] = {"connection", "proxy-connection", "keep-alive",
                                        "upgrade", "transfer-encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (http_is(field->name, names[i]))
            return true;
    return http_is(field->name, "te") && !http_is_token(field->value, "trailers");
}

static const char *read_length(const struct http_field *field, int64_t *length)
{
    uint64_t number;
    if (*length >= 0)
        return "two content-length fields";
    if (field->value.length > LENGTH_DIGITS_MAX ||
        !http_number(field->value, INT64_MAX, &number))
        return "a content-length that is no length";
    *length = (int64_t)number;
    return NULL;
}

// Checks a field, and reads content-length, unless `length` is NULL.
static const char *check_field(const struct http_field *field, int64_t *length)
{
    if (!is_token(field->name) || has_upper_case(field->name))
        return "a field name with a character that cannot be in it";
    if (!is_field_value(field->value))
        return "a field value with a character that cannot be in it";
    if (is_connection_specific(field))
        return "a field that belongs to a connection of HTTP/1.1";
    if (length && http_is(field->name, "content-length"))
        return read_length(field, length);
    return NULL;
}

static const char *read_pseudo(const struct http_field *field, struct request *request)
{
    struct http_text *text;
    if (http_is(field->name, ":method"))
        text = &request->method;
    else if (http_is(field->name, ":scheme"))
        text = &request->scheme;
    else if (http_is(field->name, ":authority"))
        text = &request->authority;
    else if (http_is(field->name, ":path"))
        text = &request->path;
    else
        return "a pseudo-header field that requests do not have";
    return http_take_pseudo(text, field->value);
}

// §4.3.1, §4.4
static const char *check_target(const struct request *request, struct http_text host)
{
    struct http_text authority = request->authority;
    if (!request->method.at || !is_token(request->method))
        return "no method";
    if (http_is(request->method, "CONNECT")) {
        if (request->scheme.at || request->path.at || !authority.length ||
            !http_is_host(authority))
            return "CONNECT takes a host and port, no scheme and no path";
        return NULL;
    }
    if (!request->scheme.at || !consists_of(request->scheme, "+-."))
        return "no scheme";
    return http_check_target(request->method, request->path, authority, host);
}

const char *message_request(const struct qpack_list *list, struct request *request)
{
    struct http_text host = {0};
    const char *wrong = NULL;
    size_t i = 0;
    *request = (struct request){.content_length = -1};
    for (; i < list->count && !wrong && is_pseudo(&list->fields[i]); i++)
        wrong = read_pseudo(&list->fields[i], request);
    for (; i < list->count && !wrong; i++) {
        const struct http_field *field = &list->fields[i];
        wrong =
            check_field(field, &request->content_length); // no name has a colon from here on
        if (http_is(field->name, "expect"))
            request->expects_continue = http_is_token(field->value, "100-continue");
        if (!http_is(field->name, "host"))
            continue;
        if (host.at)
            wrong = "two host fields";
        host = field->value;
    }
    if (wrong)
        return wrong;
    request->head = http_is(request->method, "HEAD");
    return check_target(request, host);
}

const char *message_response(const struct qpack_list *list, struct response_head *head)
{
    const struct http_field *first = list->fields;
    uint64_t status;
    const char *wrong = NULL;
    *head = (struct response_head){.content_length = -1};
    if (list->count == 0 || !http_is(first->name, ":status") || first->value.length != 3 ||
        !http_number(first->value, 999, &status) || status < 100)
        return "an answer that does not begin with a :status of three digits";
    if (status == 101)
        return "status 101, which HTTP/3 does not have";
    head->status = (int)status;
    for (size_t i = 1; i < list->count && !wrong; i++) {
        wrong = check_field(&list->fields[i], &head->content_length);
        if (!wrong && http_is(list->fields[i].name, "te"))
            wrong = "a field that belongs to requests";
    }
    return wrong;
}

const char *message_trailers(const struct qpack_list *list)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < list->count && !wrong; i++)
        wrong = check_field(&list->fields[i], NULL);
    return wrong;
}
