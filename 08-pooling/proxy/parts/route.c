// route.c: see route.h. Read route_request() first.
#include "route.h"

#include <stdio.h>

#include "settings.h"

#define HOPS_MAX 16 // proxies that a request may have passed: more of them are a circle

static bool is_one_of(struct http_text text, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (http_is_token(text, words[i]))
            return true;
    return false;
}

// CONNECT may reach ports of TLS only: a tunnel to port 25 would send mail in the proxy's name.
static bool is_connect_port(struct http_text port)
{
    struct http_text list = {settings.connect_ports, strlen(settings.connect_ports)}, item;
    while (http_next_item(&list, &item))
        if (item.length == port.length && !memcmp(item.at, port.at, port.length))
            return true;
    return false;
}

static void refuse(struct route *route, int status, const char *why)
{
    route->refused = status;
    route->why = why;
}

// The port's digits at the end of "example.org:80" or "[::1]:80"; at NULL if there is none.
static struct http_text port_of(struct http_text host)
{
    const char *colon = memrchr(host.at, ':', host.length);
    const char *bracket = memrchr(host.at, ']', host.length);
    const char *end = host.at + host.length;
    if (!colon || (bracket && bracket > colon) || colon + 1 == end)
        return (struct http_text){NULL, 0};
    return (struct http_text){colon + 1, (size_t)(end - colon - 1)};
}

// The key: "http://example.org/path?query", behind a word for the way that the request takes:
// what the client's own server says must not be mistaken for what our server says.
static void write_key(const struct http_head *head, struct route *route)
{
    static char key[CACHE_KEY_BYTES];
    struct http_out out = {key, sizeof key, 0, false};
    struct http_text host = head->host, port = {NULL, 0};
    if (host.length)
        port = port_of(host);
    if (http_is(port, "80"))
        host.length -= strlen(":80");
    if (!route->guarded)
        http_put_text(&out, "reverse ");
    http_put_text(&out, "http://");
    for (size_t i = 0; i < host.length; i++) {
        char c = host.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        http_put(&out, &c, 1);
    }
    route->origin_length = out.length;
    http_put(&out, head->target.at, head->target.length);
    route->key = (struct http_text){key, out.length};
}

// Fields that make another request of a GET for some servers: their answers are not stored.
static bool has_override(const struct http_head *head)
{
    static const char *const overrides[] = {"x-http-method-override", "x-http-method",
                                            "x-method-override"};
    for (size_t i = 0; i < head->field_count; i++)
        if (is_one_of(head->fields[i].name, overrides, 3))
            return true;
    return false;
}

static void choose_server(const struct http_head *head, bool whole_uri, struct route *route)
{
    struct http_text port = {NULL, 0};
    if (head->host.length)
        port = port_of(head->host);
    route->guarded = route->is_connect || (whole_uri && settings.forwards);
    if (route->guarded && !settings.forwards) {
        refuse(route, 501, "this proxy stands in front of one server, and is nobody's way out");
    } else if (!route->guarded && !settings.upstream) {
        refuse(route, 400, "this is a forward proxy: the target has to be a whole URI");
    } else if (!route->guarded) {
        snprintf(route->server, sizeof route->server, "%s", settings.upstream);
    } else if (head->host.length > HTTP_HOST_BYTES - 4) {
        refuse(route, 400, "the host is too long");
    } else if (route->is_connect && !is_connect_port(port)) {
        refuse(route, 403, "CONNECT may not reach this port");
    } else {
        size_t length = head->host.length;
        if (!port.at && length && head->host.at[length - 1] == ':')
            length--;
        snprintf(route->server, sizeof route->server, "%.*s%s", (int)length, head->host.at,
                 port.at ? "" : ":80");
    }
}

void route_request(const struct http_head *head, bool is_local, struct route *route)
{
    static const char *const conditions[] = {"if-none-match", "if-modified-since", "range",
                                             "if-match", "if-unmodified-since"};
    // Behind the method stands a path, or a whole URI; http_read_request() has taken it apart.
    char first = head->method.at[head->method.length + 1];
    struct http_list via = {.head = head, .name = "via"};
    struct http_text item;
    int hops = 0, refused = 0;
    route->is_read = http_is(head->method, "GET") || http_is(head->method, "HEAD");
    route->is_connect = http_is(head->method, "CONNECT");
    route->refused = 0;
    route->is_conditional = false;
    choose_server(head, first != '/' && first != '*', route);
    while (http_list_next(&via, &item))
        hops++;
    if (hops > HOPS_MAX)
        refuse(route, 502, "the request goes in a circle");
    if (!route->is_connect)
        refused = forward_refuses(head);
    if (refused) // this proxy is the last one that may answer (RFC 9110 §7.6.2)
        refuse(route, refused, "Max-Forwards is 0");
    if (http_is(head->method, "PURGE") && !is_local)
        refuse(route, 403, "PURGE is for loopback only");
    write_key(head, route);
    for (size_t i = 0; i < head->field_count; i++)
        route->is_conditional |= is_one_of(head->fields[i].name, conditions, 5);
    route->is_upgrade = !settings.no_upgrade && !route->guarded && head->minor &&
                        http_is(head->method, "GET") && http_field(head, "upgrade").at &&
                        http_list_has(head, "connection", "upgrade");
    route->may_use_cache = !settings.no_cache && route->is_read && !route->is_upgrade &&
                           !head->chunked && head->content_length <= 0 && !has_override(head);
}

// ---- the server's head ---------------------------------------------------------------------

static void put_text_field(struct http_out *out, const char *name, struct http_text value)
{
    http_put_text(out, name);
    http_put(out, ": ", 2);
    http_put(out, value.at, value.length);
    http_put(out, "\r\n", 2);
}

// Asks whether what is stored is still good (RFC 9111 §4.3.1).
static void put_conditions(const struct entry *stale, struct http_out *out)
{
    struct http_head stored;
    cache_head(stale, &stored);
    struct http_text tag = http_field(&stored, "etag");
    struct http_text modified = http_field(&stored, "last-modified");
    if (tag.length)
        put_text_field(out, "If-None-Match", tag);
    if (modified.length)
        put_text_field(out, "If-Modified-Since", modified);
}

size_t route_write_head(const struct http_head *head, const struct route *route,
                        const char *client_address, const struct entry *stale, char *bytes,
                        size_t size)
{
    static const char *const ours[] = {"if-none-match", "if-modified-since", "range",
                                       "if-range"};
    struct forward forward = {.by = &settings.self, .client = client_address};
    struct http_out out = {bytes, size, 0, false};
    struct http_head sent = *head;
    sent.field_count = 0;
    sent.keep_alive = true; // the connection to the server is the proxy's own
    if (route->guarded && !settings.tell_client)
        forward.client = NULL;
    for (size_t i = 0; i < head->field_count; i++)
        if (!(stale && is_one_of(head->fields[i].name, ours, 4)) &&
            !(settings.upstream_http10 && http_is_token(head->fields[i].name, "expect")))
            sent.fields[sent.field_count++] = head->fields[i];
    forward_request_head(&forward, &sent, &out);
    if (out.overflow)
        return 0;
    out.length -= 2; // further fields follow
    if (settings.upstream_http10) {
        char *version = memmem(bytes, out.length, " HTTP/1.1\r\n", 11);
        version[8] = '0';
        http_put_text(&out, "Connection: close\r\n");
    }
    if (route->is_upgrade && !settings.upstream_http10) {
        http_put_text(&out, "Connection: Upgrade\r\n");
        put_text_field(&out, "Upgrade", http_field(head, "upgrade"));
    }
    if (stale)
        put_conditions(stale, &out);
    http_put_text(&out, "\r\n");
    if (out.overflow)
        return 0;
    return out.length;
}
