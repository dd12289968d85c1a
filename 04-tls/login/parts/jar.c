// jar.c: see jar.h.
#include "jar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cookie.h"
#include "json.h"
#include "net.h"

#define LINE (JWT_BYTES + 100)

void jar_load(struct jar *jar, const char *path, const char *host)
{
    char line[LINE], found[JAR_HOST] = "";
    int count = 0;
    *jar = (struct jar){0};
    snprintf(jar->host, sizeof jar->host, "%s", host);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return;
    if (!file)
        die("cannot open %s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        struct jar_cookie cookie = {0};
        int secure, http_only;
        if (sscanf(line, "host %255s", found) == 1 && strcmp(found, host) != 0)
            break; // it is another host's
        if (sscanf(line, "cookie %63s %255s %d %d %" SCNd64, cookie.name, cookie.value, &secure,
                   &http_only, &cookie.expires_s) == 5 &&
            count < JAR_COOKIES) {
            cookie.secure = secure;
            cookie.http_only = http_only;
            jar->cookies[count++] = cookie;
        }
        sscanf(line, "access %2047s", jar->access);
        sscanf(line, "refresh %99s", jar->refresh);
    }
    fclose(file);
}

void jar_save(const struct jar *jar, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = NULL;
    if (fd >= 0 && !fchmod(fd, 0600))
        file = fdopen(fd, "w");
    if (!file)
        die("cannot write %s: %s", path, strerror(errno));
    fprintf(file, "host %s\n", jar->host);
    for (int i = 0; i < JAR_COOKIES; i++) {
        const struct jar_cookie *cookie = &jar->cookies[i];
        if (*cookie->name)
            fprintf(file, "cookie %s %s %d %d %lld\n", cookie->name, cookie->value,
                    cookie->secure, cookie->http_only, (long long)cookie->expires_s);
    }
    if (*jar->access)
        fprintf(file, "access %s\n", jar->access);
    if (*jar->refresh)
        fprintf(file, "refresh %s\n", jar->refresh);
    if (fclose(file))
        die("cannot write %s: %s", path, strerror(errno));
}

// ---- cookies -------------------------------------------------------------------------------

// What a Set-Cookie field says behind the name and value.
struct attributes {
    bool secure, http_only, domain, root, gone;
    int64_t expires_s;
};

static struct attributes read_attributes(struct http_text rest, int64_t now_s)
{
    struct attributes a = {0};
    struct http_text name, value;
    uint64_t seconds;
    while (cookie_next_part(&rest, &name, &value)) {
        if (http_is_token(name, "secure"))
            a.secure = true;
        else if (http_is_token(name, "httponly"))
            a.http_only = true;
        else if (http_is_token(name, "domain"))
            a.domain = value.length > 0;
        else if (http_is_token(name, "path"))
            a.root = http_is(value, "/");
        else if (http_is_token(name, "max-age")) {
            a.gone = !http_number(value, INT32_MAX, &seconds) || !seconds;
            if (!a.gone)
                a.expires_s = now_s + (int64_t)seconds;
        }
    }
    return a;
}

// The cookie of this name, or an empty place for it. NULL: the jar is full.
static struct jar_cookie *find(struct jar *jar, struct http_text name)
{
    struct jar_cookie *empty = NULL;
    for (struct jar_cookie *cookie = jar->cookies; cookie < jar->cookies + JAR_COOKIES;
         cookie++)
        if (http_is(name, cookie->name))
            return cookie;
        else if (!empty && !*cookie->name)
            empty = cookie;
    return empty;
}

const char *jar_set_cookie(struct jar *jar, struct http_text field, bool secure, int64_t now_s)
{
    static const char prefix[] = "__Host-";
    struct http_text name, value;
    if (!cookie_next_part(&field, &name, &value) || !name.length || name.length >= JAR_NAME ||
        value.length >= JAR_VALUE || memchr(value.at, ' ', value.length))
        return "it has no name, or is too long";
    struct attributes a = read_attributes(field, now_s);
    if (a.secure && !secure)
        return "it is Secure, and came in plain text";
    if (name.length >= strlen(prefix) && !strncasecmp(name.at, prefix, strlen(prefix)) &&
        (!a.secure || a.domain || !a.root))
        return "its name begins with __Host-, and it is not Secure, has a Domain, or no Path=/";
    if (a.domain)
        return "it is for other hosts, too, which this client does not know";
    struct jar_cookie *cookie = find(jar, name);
    if (!cookie)
        return "the jar is full";
    *cookie = (struct jar_cookie){
        .secure = a.secure, .http_only = a.http_only, .expires_s = a.expires_s};
    if (!a.gone && value.length) {
        memcpy(cookie->name, name.at, name.length);
        memcpy(cookie->value, value.at, value.length);
    }
    return NULL;
}

void jar_take_tokens(struct jar *jar, const char *content)
{
    struct json object;
    char text[JWT_BYTES];
    if (!json_read((struct http_text){content, strlen(content)}, &object))
        return;
    if (json_member_string(&object, "access_token", text, sizeof text))
        memcpy(jar->access, text, sizeof jar->access);
    json_member_string(&object, "refresh_token", jar->refresh, sizeof jar->refresh);
}

void jar_write_fields(const struct jar *jar, bool secure, int64_t now_s, struct http_out *out)
{
    const char *before = "Cookie: ";
    for (int i = 0; i < JAR_COOKIES; i++) {
        const struct jar_cookie *cookie = &jar->cookies[i];
        if (!*cookie->name || (cookie->secure && !secure) ||
            (cookie->expires_s && now_s >= cookie->expires_s))
            continue;
        http_put_text(out, before);
        http_put_text(out, cookie->name);
        http_put_text(out, "=");
        http_put_text(out, cookie->value);
        before = "; ";
    }
    if (*before == ';')
        http_put_text(out, "\r\n");
    if (*jar->access) {
        http_put_text(out, "Authorization: Bearer ");
        http_put_text(out, jar->access);
        http_put_text(out, "\r\n");
    }
}
