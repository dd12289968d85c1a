// cache.c: scene cache: a client that has an image already asks whether it has changed.
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define PACKETS_MAX 400

static const struct claim saves_body = {
    "2.10", "guide §9.3", "ETag and conditional requests save the body", HOLDS, NULL};

struct answer_seen {
    int status;
    size_t content_bytes;
    long bytes; // of all packets, both ways; without the wire, of the answer
};

// The bytes of all packets since `mark`, both ways.
static long wire_bytes(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    long sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += packets[i].length;
    return sum;
}

// GETs the image. `tag` is the tag of the image that the client has, or "": then *tag is set.
static struct answer_seen get_image(struct fetch *f, char tag[80])
{
    char fields[120] = "";
    uint32_t mark = packet_log_mark();
    if (*tag) {
        story_event("GET /cached, If-None-Match: %s", tag);
        snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
    } else {
        story_event("GET /cached");
    }
    fetch_or_die(f, fetch_ask(f, "GET", "/cached", fields, NULL));
    struct http_text field = http_field(&f->head, "etag");
    if (field.at)
        snprintf(tag, 80, "%.*s", (int)field.length, field.at);
    story_event("%d, ETag: %s, %zu bytes of content", f->head.status, tag,
                (size_t)f->content_bytes);
    struct answer_seen seen = {f->head.status, f->content_bytes, (long)f->wire_bytes};
    if (packet_log()->tunnel)
        seen.bytes = wire_bytes(mark);
    return seen;
}

void scene_cache(void)
{
    char tag[80] = "";
    struct fetch f;
    ask_open(&f);
    story_say("A client GETs one image twice. The second time it says which one it has.");
    story_timeline();
    struct answer_seen first = get_image(&f, tag), second = get_image(&f, tag);
    story_quiet(true);
    fetch_close(&f);
    story_say("");
    story_bar("the first time", (double)first.bytes, (double)first.bytes, "%ld bytes",
              first.bytes);
    story_bar("asking whether it changed", (double)second.bytes, (double)first.bytes,
              "%ld bytes", second.bytes);
    bool saved = first.status == 200 && second.status == 304 && first.content_bytes > 0 &&
                 second.content_bytes == 0 && second.bytes < first.bytes / 10;
    claim_report(&saves_body, holds_if(saved),
                 "%d with %zu bytes of content, then %d with %zu: %ld bytes in all instead of "
                 "%ld",
                 first.status, first.content_bytes, second.status, second.content_bytes,
                 second.bytes, first.bytes);
}
