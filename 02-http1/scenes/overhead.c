// overhead.c: scene overhead: the heads of 30 requests, compared with the content.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

#define REPEATS 30

static const struct claim repeated = {
    "2.11", "guide §3.1", "headers are plain text, sent again with every request", HOLDS, NULL};

// The fields that a browser sends: about as many bytes as here (RFC 7541 has such examples).
static const char fields[] =
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: http://www.example.com/gallery/index.html\r\n"
    "Cookie: session=9f2c4e7a1b8d4c6f8e3a5b7d9c1f2e4a; theme=dark; consent=yes; "
    "visitor=6d1e0f7c-3b2a-4958-8c7d-0e1f2a3b4c5d\r\n\r\n";

void scene_overhead(void)
{
    size_t sent = 0, heads = 0, content = 0;
    struct fetch f;
    ask_open(&f);
    for (int i = 0; i < REPEATS; i++) {
        char line[60];
        snprintf(line, sizeof line, "GET /img/%d?size=200 HTTP/1.1\r\n", i + 1);
        fetch_or_die(&f, fetch_send(&f, "%s%s", line, fields));
        fetch_or_die(&f, fetch_answer(&f));
        sent += strlen(line) + sizeof fields - 1;
        heads += f.head.length;
        content += f.content_bytes;
    }
    fetch_close(&f);
    size_t same = REPEATS * (sizeof fields - 1);
    double full = (double)sent;
    story_say("%d small images, requested with the fields that a browser sends:", REPEATS);
    story_say("");
    story_bar("heads of requests", (double)sent, full, "%zu bytes", sent);
    story_bar("of that, always the same", (double)same, full, "%zu", same);
    story_bar("heads of responses", (double)heads, full, "%zu", heads);
    story_bar("content", (double)content, full, "%zu", content);
    claim_report(
        &repeated, holds_if(sent + heads > 2 * content && content > 0),
        "%zu bytes of heads for %zu of content; %.0f %% of what we sent, again and again",
        sent + heads, content, 100.0 * (double)(same - same / REPEATS) / full);
}
