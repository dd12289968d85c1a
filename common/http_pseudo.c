// http_pseudo.c: see http.h.
#include "http.h"

static bool is_visible(struct http_text text) // and ASCII: what a URI consists of
{
    bool bad = false;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i]; // a plain char has a sign on some machines
        bad |= c <= ' ' || c >= 127;
    }
    return !bad;
}

static bool is_authority(struct http_text text)
{
    return text.length > 0 && http_is_host(text);
}

static bool same(struct http_text a, struct http_text b)
{
    return a.length == b.length && !strncasecmp(a.at, b.at, a.length);
}

const char *http_take_pseudo(struct http_text *kept, struct http_text value)
{
    if (kept->at)
        return "a pseudo-header field that is there twice";
    *kept = value;
    if (!is_visible(value))
        return "a pseudo-header field with an impossible character";
    return NULL;
}

const char *http_check_target(struct http_text method, struct http_text path,
                              struct http_text authority, struct http_text host)
{
    if (!path.at || path.length == 0)
        return "no path";
    if (*path.at != '/' && !(http_is(path, "*") && http_is(method, "OPTIONS")))
        return "a path that does not begin with a slash";
    if (!authority.at && !host.at) // RFC 9110 §7.2: the host is what tells sites apart
        return "no authority and no host";
    if ((authority.at && !is_authority(authority)) || (host.at && !is_authority(host)))
        return "an authority that is no host and port";
    if (authority.at && host.at && !same(authority, host))
        return "a host field that is not the authority";
    return NULL;
}
