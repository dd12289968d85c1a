// fields.c: see fields.h. Read passes() first, then fields_of_request() and fields_put_head().
#include "fields.h"

#include <stdio.h>
#include <stdlib.h>

#include "smaller.h"
#include "timers.h"

#define ADDED_FIELDS 6
#define ADDED_BYTES  700 // of the fields that the proxy adds
#define NAME_BYTES   40  // no name in the lists below is longer

#define SECOND_NS        INT64_C(1000000000)
#define DEADLINE_MAX_NS  (86400 * SECOND_NS) // a call that may take longer has no deadline here
#define DEADLINE_MORE_NS SECOND_NS           // for a backend that does not keep to it

// ---- which fields pass ---------------------------------------------------------------------

// What belongs to one connection (RFC 9110 §7.6.1). In HTTP/2 the first four are malformed
// anyway.
static const char *const of_one_connection[] = {
    "connection", "keep-alive", "proxy-connection", "transfer-encoding",
    "upgrade",    "te",         "trailer",          "http2-settings",
    "host",       NULL};

// In these fields proxies tell backends about the client, and backends believe them. From a
// client they are only claims.
static const char *const of_proxies[] = {"forwarded",       "x-real-ip",      "x-client-ip",
                                         "client-ip",       "true-client-ip", "x-remote-addr",
                                         "x-original-host", "x-original-url", "x-rewrite-url",
                                         "x-scheme",        "x-url-scheme",   NULL};

static bool is_one_of(struct http_text name, const char *const names[])
{
    for (; *names; names++)
        if (http_is_token(name, *names))
            return true;
    return false;
}

// A program behind CGI sees X_Real_IP and X-Real-IP as one name, HTTP_X_REAL_IP. So a name is
// compared with '-' in place of all that is no letter and no digit.
static bool is_of_proxies(struct http_text name)
{
    char simple[NAME_BYTES];
    size_t length = smaller(name.length, sizeof simple);
    for (size_t i = 0; i < length; i++) {
        char c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        simple[i] = '-';
        if (plain)
            simple[i] = c;
    }
    if (length >= 11 && !strncasecmp(simple, "x-forwarded", 11))
        return true;
    return is_one_of((struct http_text){simple, length}, of_proxies);
}

// True if a field of an HTTP/2 message may go on to another connection.
static bool passes(const struct hpack_field *field)
{
    bool pseudo = field->name_length && *field->name == ':';
    return !pseudo && !is_one_of(field_name(field), of_one_connection);
}

// Reads Max-Forwards of an OPTIONS request (RFC 9110 §7.6.2). False: there is none.
static bool read_max_forwards(const struct hpack_field *field, uint64_t *number)
{
    return http_is(field_name(field), "max-forwards") &&
           http_number(field_value(field), UINT32_MAX, number);
}

int fields_refuse(const struct hpack_list *list, const struct request *request)
{
    uint64_t number;
    if (request->connect || http_is(request->method, "TRACE"))
        return 501;
    if (memchr(request->path.at, '#', request->path.length)) // no part of a request's target
        return 400;
    for (size_t i = 0; i < list->count; i++)
        if (http_is(request->method, "OPTIONS") &&
            read_max_forwards(&list->fields[i], &number) && number == 0)
            return 204; // this request is for the proxy itself
    return 0;
}

// ---- a list that is kept -------------------------------------------------------------------

static struct fields *make(size_t count, size_t bytes)
{
    count += ADDED_FIELDS;
    bytes += ADDED_BYTES;
    size_t fields_bytes = sizeof(struct fields) + count * sizeof(struct hpack_field);
    struct fields *fields = malloc(fields_bytes + bytes);
    if (fields)
        *fields = (struct fields){
            .room = count, .size = bytes, .texts = (char *)fields + fields_bytes};
    return fields;
}

// Keeps a field, with its name in lower case. `room` and `size` were reckoned for all of them.
static struct hpack_field *add(struct fields *fields, struct http_text name,
                               struct http_text value)
{
    struct hpack_field *field = &fields->list[fields->count];
    if (fields->count == fields->room ||
        name.length + value.length > fields->size - fields->used)
        abort();
    char *at = fields->texts + fields->used;
    for (size_t i = 0; i < name.length; i++) {
        at[i] = name.at[i];
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] | 0x20);
    }
    memcpy(at + name.length, value.at, value.length);
    *field = (struct hpack_field){.name = at,
                                  .value = at + name.length,
                                  .name_length = (uint32_t)name.length,
                                  .value_length = (uint32_t)value.length,
                                  .static_name = hpack_static_name(at, (uint32_t)name.length)};
    fields->used += name.length + value.length;
    fields->count++;
    return field;
}

static void add_text(struct fields *fields, const char *name, const char *value)
{
    add(fields, (struct http_text){name, strlen(name)},
        (struct http_text){value, strlen(value)});
}

// Each proxy on the way adds its name, behind the version in which the message has come to it
// (RFC 9110 §7.6.3).
static void add_via(struct fields *fields, const char *version)
{
    char text[32];
    snprintf(text, sizeof text, "%s workbench", version);
    add_text(fields, "via", text);
}

// A field that is a secret (RFC 7541 §7.1.3) stays one behind the proxy.
static void add_field(struct fields *fields, const struct hpack_field *field)
{
    add(fields, field_name(field), field_value(field))->indexing = field->indexing;
}

struct http_text fields_find(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (http_is(field_name(&fields->list[i]), name))
            return field_value(&fields->list[i]);
    return (struct http_text){NULL, 0};
}

int64_t fields_deadline(const struct fields *request, int64_t now_ns)
{
    static const char units[] = "numSMH"; // nano-, micro-, milliseconds, seconds, ...
    static const int64_t unit_ns[] = {1,         1000,           1000000,
                                      SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS};
    struct http_text text = fields_find(request, "grpc-timeout");
    uint64_t number;
    if (text.length < 2)
        return NEVER;
    const char *unit = strchr(units, text.at[text.length - 1]);
    text.length--;
    if (!unit || !*unit || text.length > 8 || !http_number(text, 99999999, &number) ||
        (int64_t)number > DEADLINE_MAX_NS / unit_ns[unit - units])
        return NEVER;
    return now_ns + (int64_t)number * unit_ns[unit - units] + DEADLINE_MORE_NS;
}

// ---- HTTP/2 to HTTP/2 ----------------------------------------------------------------------

static void lower_max_forwards(struct fields *fields, const struct hpack_field *field)
{
    uint64_t number;
    char text[24];
    if (!read_max_forwards(field, &number) || number == 0)
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)number - 1);
    add_text(fields, "max-forwards", text);
}

struct fields *fields_of_request(const struct hpack_list *list, const struct request *request,
                                 const char *client)
{
    struct fields *fields = make(list->count, list->size);
    struct http_text host = request->authority;
    if (!fields)
        return NULL;
    add(fields, (struct http_text){":method", 7}, request->method);
    add_text(fields, ":scheme", "http"); // it has come in clear text, whatever the client says
    for (size_t i = 0; i < list->count && !host.at; i++)
        if (http_is(field_name(&list->fields[i]), "host"))
            host = field_value(&list->fields[i]);
    add(fields, (struct http_text){":authority", 10}, host);
    add(fields, (struct http_text){":path", 5}, request->path)->indexing = HPACK_NOT_INDEXED;
    for (size_t i = 0; i < list->count; i++) {
        const struct hpack_field *field = &list->fields[i];
        bool counts = http_is(field_name(field), "max-forwards");
        if (passes(field) && !is_of_proxies(field_name(field)) && !counts)
            add_field(fields, field);
        else if (http_is(field_name(field), "te")) // "trailers": the proxy passes trailers on
            add_text(fields, "te", "trailers");
        else if (counts && http_is(request->method, "OPTIONS"))
            lower_max_forwards(fields, field);
    }
    add_text(fields, "x-forwarded-for", client);
    add_text(fields, "x-forwarded-proto", "http");
    add_via(fields, "2.0");
    return fields;
}

static void add_status(struct fields *fields, int status)
{
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    add_text(fields, ":status", text);
    fields->interim = status < 200;
}

static struct fields *end_answer(struct fields *fields, const char *version,
                                 const char *backend)
{
    add_via(fields, version);
    if (backend)
        add_text(fields, "x-backend", backend);
    return fields;
}

struct fields *fields_of_answer(const struct hpack_list *list, int status, const char *backend)
{
    struct fields *fields = make(list->count, list->size);
    if (!fields)
        return NULL;
    add_status(fields, status);
    for (size_t i = 0; i < list->count; i++)
        if (passes(&list->fields[i]))
            add_field(fields, &list->fields[i]);
    return end_answer(fields, "2.0", backend);
}

struct fields *fields_of_trailers(const struct hpack_list *list)
{
    struct fields *fields = make(list->count, list->size);
    for (size_t i = 0; fields && i < list->count; i++) {
        const struct hpack_field *field = &list->fields[i];
        // A length behind the content comes too late to be true (RFC 9110 §6.5.1).
        if (passes(field) && !is_of_proxies(field_name(field)) &&
            !http_is(field_name(field), "content-length"))
            add_field(fields, field);
    }
    return fields;
}

struct fields *fields_of_own_answer(int status, size_t length)
{
    struct fields *fields = make(0, 0);
    char text[24];
    if (!fields)
        return NULL;
    add_status(fields, status);
    if (length > 0)
        add_text(fields, "content-type", "text/plain");
    snprintf(text, sizeof text, "%zu", length);
    if (status != 204)
        add_text(fields, "content-length", text);
    return fields;
}

// ---- HTTP/1.1 ------------------------------------------------------------------------------

// True if a Connection field names this field: it is for the proxy only.
static bool is_named_by_connection(const struct http_head *head, struct http_text name)
{
    struct http_list list = {.head = head, .name = "connection"};
    struct http_text item;
    while (http_list_next(&list, &item))
        if (item.length == name.length && !strncasecmp(item.at, name.at, name.length))
            return true;
    return false;
}

struct fields *fields_of_head(const struct http_head *head, const char *backend)
{
    struct fields *fields = make(head->field_count, head->length);
    if (!fields)
        return NULL;
    add_status(fields, head->status);
    for (const struct http_field *f = head->fields; f < head->fields + head->field_count; f++)
        if (!is_one_of(f->name, of_one_connection) &&
            (http_is_token(f->name, "content-length") ||
             !is_named_by_connection(head, f->name)))
            add(fields, f->name, f->value);
    return end_answer(fields, head->minor ? "1.1" : "1.0", backend);
}

static void put(struct http_out *out, struct http_text text)
{
    if (text.length)
        http_put(out, text.at, text.length);
}

static void put_line(struct http_out *out, struct http_text name, struct http_text value)
{
    put(out, name);
    http_put_text(out, ": ");
    put(out, value);
    http_put_text(out, "\r\n");
}

// HTTP/2 may send cookies in several fields; in HTTP/1.1 they are one (RFC 9113 §8.2.3).
static void put_cookies(const struct fields *fields, struct http_out *out)
{
    const char *before = "Cookie: ";
    for (size_t i = 0; i < fields->count; i++) {
        if (!http_is(field_name(&fields->list[i]), "cookie"))
            continue;
        http_put_text(out, before);
        put(out, field_value(&fields->list[i]));
        before = "; ";
    }
    if (*before == ';')
        http_put_text(out, "\r\n");
}

void fields_put_head(const struct fields *fields, bool chunked, struct http_out *out)
{
    put(out, fields_find(fields, ":method"));
    http_put_text(out, " ");
    put(out, fields_find(fields, ":path"));
    http_put_text(out, " HTTP/1.1\r\n");
    put_line(out, (struct http_text){"Host", 4}, fields_find(fields, ":authority"));
    for (size_t i = 0; i < fields->count; i++) {
        const struct hpack_field *field = &fields->list[i];
        if (passes(field) && !http_is(field_name(field), "cookie"))
            put_line(out, field_name(field), field_value(field));
    }
    put_cookies(fields, out);
    if (chunked)
        http_put_text(out, "Transfer-Encoding: chunked\r\n");
    http_put_text(out, "\r\n");
}
