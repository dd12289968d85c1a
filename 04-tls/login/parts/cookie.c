// cookie.c: see cookie.h.
#include "cookie.h"

#include <stdio.h>

#include "base64url.h"

void cookie_write(const char *id, char field[COOKIE_BYTES])
{
    // HttpOnly: no script of a page can read it. Secure: it is sent over https only.
    // SameSite=Lax: requests that pages of other sites make do not have it, but for a link
    // that the user follows.
    static const char attributes[] = "Path=/; Secure; HttpOnly; SameSite=Lax";
    if (id)
        snprintf(field, COOKIE_BYTES, "Set-Cookie: " COOKIE_NAME "=%s; %s\r\n", id, attributes);
    else
        snprintf(field, COOKIE_BYTES, "Set-Cookie: " COOKIE_NAME "=; Max-Age=0; %s\r\n",
                 attributes);
}

bool cookie_next_part(struct http_text *rest, struct http_text *name, struct http_text *value)
{
    if (!rest->length)
        return false;
    const char *end = rest->at + rest->length;
    const char *semicolon = memchr(rest->at, ';', rest->length);
    if (!semicolon)
        semicolon = end;
    const char *equals = memchr(rest->at, '=', (size_t)(semicolon - rest->at));
    if (!equals)
        equals = semicolon;
    *name = http_trim(rest->at, equals);
    *value = http_trim(equals + (equals < semicolon), semicolon);
    rest->at = semicolon + (semicolon < end);
    rest->length = (size_t)(end - rest->at);
    return true;
}

bool cookie_read(const struct http_head *head, uint8_t id[SESSION_ID])
{
    struct http_text name, value, found = {NULL, 0};
    int count = 0;
    size_t length;
    for (size_t i = 0; i < head->field_count; i++) {
        struct http_text rest = head->fields[i].value;
        if (!http_is_token(head->fields[i].name, "cookie"))
            continue;
        while (cookie_next_part(&rest, &name, &value))
            if (http_is(name, COOKIE_NAME)) {
                found = value;
                count++;
            }
    }
    // Of two, who knows which one is the user's own?
    return count == 1 && base64url_read(found, id, SESSION_ID, &length) && length == SESSION_ID;
}

bool request_is_foreign(const struct http_head *head)
{
    static const char scheme[] = "https://";
    struct http_text origin, site;
    int origins = http_single_field(head, "origin", &origin);
    int sites = http_single_field(head, "sec-fetch-site", &site);
    if (origins > 1 || sites > 1)
        return true;
    if (sites && !http_is(site, "same-origin") && !http_is(site, "none"))
        return true;
    if (!origins)
        return false;
    size_t length = strlen(scheme);
    return origin.length != length + head->host.length ||
           memcmp(origin.at, scheme, length) != 0 ||
           strncasecmp(origin.at + length, head->host.at, head->host.length) != 0;
}
