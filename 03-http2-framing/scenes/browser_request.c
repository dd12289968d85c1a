// browser_request.c: see browser_request.h.
#include "browser_request.h"

#include <stdio.h>

#include "h2_client.h"

// About this much comes with every image of a page.
static const struct {
    const char *name, *value;
} along[BROWSER_FIELDS - H2_FIELDS] = {
    {"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
    {"accept", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"},
    {"accept-language", "en-US,en;q=0.5"},
    {"accept-encoding", "gzip, deflate, br, zstd"},
    {"referer", "http://www.example.com/gallery/index.html"},
    {"cookie", "session=9f2c4e7a1b8d4c6f8e3a5b7d9c1f2e4a; theme=dark; consent=yes; "
               "visitor=6d1e0f7c-3b2a-4958-8c7d-0e1f2a3b4c5d"}};

void browser_fields(struct hpack_field fields[BROWSER_FIELDS], const char *path)
{
    h2_fields(fields, path);
    for (int i = H2_FIELDS; i < BROWSER_FIELDS; i++)
        fields[i] = hpack_field(along[i - H2_FIELDS].name, along[i - H2_FIELDS].value);
}

size_t browser_text(char *text, const char *path)
{
    int length = snprintf(text, BROWSER_TEXT_BYTES, "GET %s HTTP/1.1\r\nhost: %s\r\n", path,
                          h2_authority());
    for (int i = 0; i < BROWSER_FIELDS - H2_FIELDS; i++)
        length += snprintf(text + length, BROWSER_TEXT_BYTES - (size_t)length, "%s: %s\r\n",
                           along[i].name, along[i].value);
    length += snprintf(text + length, BROWSER_TEXT_BYTES - (size_t)length, "\r\n");
    return (size_t)length;
}
