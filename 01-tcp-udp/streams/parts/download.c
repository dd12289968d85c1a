// download.c: see download.h.
#include "download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "smaller.h"

static void fill(struct connection *c, struct stream *s, uint64_t offset, uint8_t *out,
                 size_t length)
{
    const struct download *d = s->user;
    (void)c;
    memcpy(out, d->path + offset, length); // the request: the path
}

static void arrived(struct connection *c, struct stream *s, const uint8_t *bytes, size_t length,
                    bool end)
{
    (void)c;
    download_take(s->user, bytes, length, end);
}

static void was_reset(struct connection *c, struct stream *s, uint64_t code)
{
    struct download *d = s->user;
    (void)c;
    d->error = code;
    d->over = true;
}

struct connection_user download_user = {
    .fill = fill, .arrived = arrived, .was_reset = was_reset};

void download_begin(struct download *d, const char *path)
{
    memset(d, 0, sizeof *d);
    d->path = path;
    d->begin_ns = now_ns();
}

void downloads_begin(struct connection *c, struct download *list, const char *const paths[],
                     int count)
{
    for (int i = 0; i < count; i++) {
        struct download *d = &list[i];
        download_begin(d, paths[i]);
        d->stream = connection_open_stream(c);
        if (!d->stream)
            die("cannot ask for %s: a connection has at most %d streams", d->path, STREAMS_MAX);
        d->stream->user = d;
        connection_offer(d->stream, strlen(d->path), true);
    }
}

// A line of a clock: the moment when the server had it.
static void take_ticks(struct download *d, const uint8_t *bytes, size_t length, int64_t now)
{
    for (size_t i = 0; i < length; i++) {
        size_t at = (d->bytes + i) % TICK_BYTES;
        d->line[at] = (char)bytes[i];
        if (at + 1 < TICK_BYTES)
            continue;
        if (d->ticks < TICKS_MAX)
            d->late_ms[d->ticks++] = (double)(now / 1000 - atoll(d->line)) / 1000;
        d->wrong = d->wrong || bytes[i] != '\n';
    }
}

static void check_bytes(struct download *d, const uint8_t *bytes, size_t length)
{
    static const struct resource plain;
    uint8_t expected[4096];
    for (size_t at = 0; at < length; at += sizeof expected) {
        size_t part = smaller(length - at, sizeof expected);
        resource_fill(&plain, d->bytes + at, expected, part);
        if (memcmp(expected, bytes + at, part))
            d->wrong = true;
    }
}

void download_take(struct download *d, const uint8_t *bytes, size_t length, bool end)
{
    d->last_ns = now_ns();
    if (d->bytes == 0 && length > 0)
        d->first_ns = d->last_ns;
    if (!strncmp(d->path, "/ticks/", 7))
        take_ticks(d, bytes, length, d->last_ns);
    else
        check_bytes(d, bytes, length);
    d->bytes += length;
    d->over = d->over || end;
}

bool downloads_over(const struct download *list, int count)
{
    for (int i = 0; i < count; i++)
        if (!list[i].over)
            return false;
    return true;
}

bool downloads_good(const struct download *list, int count)
{
    for (int i = 0; i < count; i++) {
        struct resource r;
        if (!list[i].over || list[i].wrong || list[i].error ||
            !resource_find(list[i].path, 0, &r) || r.length != list[i].bytes)
            return false;
    }
    return true;
}

uint64_t downloads_bytes(const struct download *list, int count)
{
    uint64_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += list[i].bytes;
    return bytes;
}
