// message.c: see message.h.
#include "message.h"

#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS_MAX 18 // of a content-length: it fits in 63 bits

// ---- characters ----------------------------------------------------------------------------

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *others)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr(others, c));
}

static bool is_token(struct http_text text) // RFC 9110 §5.6.2
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (!is_one_of(c, "!#$%&'*+-.^_`|~"))
            return false;
    }
    return text.length > 0;
}

static bool is_lower_case(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] >= 'A' && text.at[i] <= 'Z')
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// RFC 9110 §5.5: no control characters, and none of the blanks at the ends that HTTP/1.1
// strips.
static bool is_field_value(struct http_text text)
{
    bool bad = false;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bad |= (c < ' ' && c != '\t') || c == 127;
    }
    return !bad &&
           (text.length == 0 || (!is_blank(text.at[0]) && !is_blank(text.at[text.length - 1])));
}

static bool is_scheme(struct http_text text) // RFC 3986 §3.1
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_one_of(text.at[i], "+-."))
            return false;
    return text.length > 0 && is_letter(*text.at);
}

// ---- fields --------------------------------------------------------------------------------

// §8.2.2: what speaks of the connection has no place here; frames do that.
static bool is_connection_specific(const struct hpack_field *field)
{
    static const char *const names[] = {"connection", "proxy-connection", "keep-alive",
                                        "upgrade"};
    if (field->static_name)
        return field->static_name == HPACK_TRANSFER_ENCODING;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (http_is(field_name(field), names[i]))
            return true;
    return http_is(field_name(field), "te") && !http_is_token(field_value(field), "trailers");
}

const char *message_check_field(const struct hpack_field *field)
{
    // The names of the static table need no check.
    if (!field->static_name &&
        (!is_token(field_name(field)) || !is_lower_case(field_name(field))))
        return "a field name with a character that cannot be in it";
    if (!is_field_value(field_value(field)))
        return "a field value with a character that cannot be in it";
    if (is_connection_specific(field))
        return "a field that belongs to a connection of HTTP/1.1";
    return NULL;
}

static const char *read_length(const struct hpack_field *field, int64_t *length)
{
    if (*length >= 0)
        return "two content-length fields";
    uint64_t number;
    if (field->value_length > LENGTH_DIGITS_MAX ||
        !http_number(field_value(field), INT64_MAX, &number))
        return "a content-length that is no length";
    *length = (int64_t)number;
    return NULL;
}

static const char *read_pseudo_header(const struct hpack_field *field, struct request *request)
{
    struct http_text *text;
    switch (field->static_name) {
    case HPACK_METHOD:
        text = &request->method;
        break;
    case HPACK_SCHEME:
        text = &request->scheme;
        break;
    case HPACK_AUTHORITY:
        text = &request->authority;
        break;
    case HPACK_PATH:
        text = &request->path;
        break;
    default: // ":status" too: that is for responses
        return "a pseudo-header field that requests do not have";
    }
    return http_take_pseudo(text, field_value(field));
}

// One field that is no pseudo-header field.
static const char *read_field(const struct hpack_field *field, struct request *request,
                              struct http_text *host)
{
    const char *wrong = message_check_field(field);
    if (wrong)
        return wrong;
    switch (field->static_name) {
    case HPACK_CONTENT_LENGTH:
        return read_length(field, &request->content_length);
    case HPACK_EXPECT:
        request->expects_continue = http_is_token(field_value(field), "100-continue");
        return NULL;
    case HPACK_HOST:
        if (host->at)
            return "two host fields";
        *host = field_value(field);
        return NULL;
    default:
        return NULL;
    }
}

// §8.3.1, §8.5
static const char *check_target(const struct request *request, struct http_text host)
{
    if (!request->method.at || !is_token(request->method))
        return "no method";
    if (request->connect) {
        if (request->scheme.at || request->path.at || !request->authority.at)
            return "CONNECT takes an authority, no scheme and no path";
        if (!request->authority.length || !http_is_host(request->authority))
            return "CONNECT to what is no host and port";
        return NULL;
    }
    if (!request->scheme.at || !is_scheme(request->scheme))
        return "no scheme";
    return http_check_target(request->method, request->path, request->authority, host);
}

const char *request_read(const struct hpack_list *list, struct request *request)
{
    struct http_text host = {0};
    const char *wrong = NULL;
    size_t i = 0;
    *request = (struct request){.content_length = -1};
    for (; i < list->count && !wrong; i++) {
        const struct hpack_field *field = &list->fields[i];
        if (field->name_length == 0 || *field->name != ':')
            break;
        wrong = read_pseudo_header(field, request);
    }
    // From here on a colon is an impossible character, but in the names of the static table.
    for (; i < list->count && !wrong; i++) {
        const struct hpack_field *field = &list->fields[i];
        if (field->static_name && *field->name == ':')
            wrong = "a pseudo-header field behind a regular one";
        else
            wrong = read_field(field, request, &host);
    }
    if (wrong)
        return wrong;
    request->connect = http_is(request->method, "CONNECT");
    request->head = http_is(request->method, "HEAD");
    return check_target(request, host);
}

// §8.3.2: three digits. 101 belongs to HTTP/1.1 (§8.6).
static const char *read_status(const struct hpack_list *list, int *status)
{
    const struct hpack_field *first = list->fields;
    uint64_t number;
    if (list->count == 0 || first->static_name != HPACK_STATUS)
        return "a response that does not begin with :status";
    if (first->value_length != 3 || !http_number(field_value(first), 999, &number) ||
        number < 100)
        return "a :status that is no status";
    if (number == 101)
        return "status 101, which HTTP/2 does not have";
    *status = (int)number;
    return NULL;
}

const char *response_read(const struct hpack_list *list, struct response_head *head)
{
    *head = (struct response_head){.content_length = -1};
    const char *wrong = read_status(list, &head->status);
    for (size_t i = 1; i < list->count && !wrong; i++) {
        const struct hpack_field *field = &list->fields[i];
        if (field->static_name == HPACK_STATUS)
            wrong = "two :status fields";
        else if (field->name_length && *field->name == ':')
            wrong = "a pseudo-header field that responses do not have";
        else if (http_is(field_name(field), "te"))
            wrong = "a field that belongs to requests";
        else
            wrong = message_check_field(field);
        if (!wrong && field->static_name == HPACK_CONTENT_LENGTH)
            wrong = read_length(field, &head->content_length);
    }
    return wrong;
}

const char *message_check_trailers(const struct hpack_list *list)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < list->count && !wrong; i++) {
        if (list->fields[i].name_length && *list->fields[i].name == ':')
            wrong = "a pseudo-header field among trailers";
        else
            wrong = message_check_field(&list->fields[i]);
    }
    return wrong;
}
