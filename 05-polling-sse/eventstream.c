// eventstream.c: see eventstream.h.
#include "eventstream.h"

#include <string.h>

#define MARK "\xef\xbb\xbf" // U+FEFF, the byte order mark: it may stand before the first line

bool event_stream_is(const struct http_head *head)
{
    static const char type[] = "text/event-stream";
    struct http_text value = http_field(head, "content-type");
    if (!value.length)
        return false;
    const char *end = memchr(value.at, ';', value.length); // parameters follow
    if (!end)
        end = value.at + value.length;
    return http_is_token(http_trim(value.at, end), type);
}

static bool set_text(char to[EVENT_NAME], struct http_text text)
{
    if (text.length >= EVENT_NAME)
        return false;
    memcpy(to, text.at, text.length);
    to[text.length] = '\0';
    return true;
}

static void set_retry(struct event_stream *stream, struct http_text value)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9' || ms > UINT32_MAX)
            return;
        ms = ms * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (!value.length)
        return;
    stream->retry_ms = ms;
    stream->has_retry = true;
}

// A line is "name: value". The space is no part of the value. A line without a colon is a name
// with an empty value. A line that begins with a colon is a comment. Unknown names mean
// nothing.
static bool take_field(struct event_stream *stream, struct http_text line)
{
    const char *end = line.at + line.length, *colon = memchr(line.at, ':', line.length);
    struct http_text name = line, value = {end, 0};
    if (colon) {
        name.length = (size_t)(colon - line.at);
        value.at = colon + 1;
        if (value.at < end && *value.at == ' ')
            value.at++;
        value.length = (size_t)(end - value.at);
    }
    if (http_is(name, "data"))
        return stream->data.length + value.length < EVENT_MAX &&
               buffer_add(&stream->data, value.at, value.length) &&
               buffer_add(&stream->data, "\n", 1);
    if (http_is(name, "event"))
        return set_text(stream->name, value);
    if (http_is(name, "id") && !memchr(value.at, '\0', value.length))
        return set_text(stream->next_id, value);
    if (http_is(name, "retry"))
        set_retry(stream, value);
    stream->comments += colon == line.at;
    return true;
}

// An empty line ends an event. Without any data there is no event, but its id counts.
static void dispatch(struct event_stream *stream, struct stream_event *got)
{
    memcpy(stream->last_id, stream->next_id, EVENT_NAME);
    if (!stream->data.length) {
        *stream->name = '\0';
        return;
    }
    stream->delivered = true;
    got->name = "message";
    if (*stream->name)
        got->name = stream->name;
    got->id = stream->last_id;
    got->data = (struct http_text){stream->data.bytes, stream->data.length - 1};
}

static bool take_line(struct event_stream *stream, struct stream_event *got)
{
    struct http_text line = {"", 0};
    if (stream->line.length)
        line = (struct http_text){stream->line.bytes, stream->line.length};
    stream->line.length = 0;
    if (!stream->began && line.length >= 3 && !memcmp(line.at, MARK, 3))
        line = (struct http_text){line.at + 3, line.length - 3};
    stream->began = true;
    if (line.length)
        return take_field(stream, line);
    dispatch(stream, got);
    return true;
}

ssize_t event_stream_read(struct event_stream *stream, const char *bytes, size_t length,
                          struct stream_event *got)
{
    const char *at = bytes, *end = bytes + length;
    *got = (struct stream_event){0};
    if (stream->delivered) {
        stream->data.length = 0;
        *stream->name = '\0';
        stream->delivered = false;
    }
    while (at < end && !got->name) {
        if (stream->after_cr && *at == '\n')
            at++;
        stream->after_cr = false;
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        if (stream->line.length + (size_t)(stop - at) > EVENT_MAX ||
            !buffer_add(&stream->line, at, (size_t)(stop - at)))
            return -1;
        at = stop;
        if (stop == end)
            break;
        stream->after_cr = *at++ == '\r';
        if (!take_line(stream, got))
            return -1;
    }
    return at - bytes;
}

bool event_stream_take(struct event_stream *stream, struct http_text bytes,
                       void (*take)(const struct stream_event *event))
{
    struct stream_event got;
    while (bytes.length) {
        ssize_t used = event_stream_read(stream, bytes.at, bytes.length, &got);
        if (used < 0)
            return false;
        bytes = (struct http_text){bytes.at + used, bytes.length - (size_t)used};
        if (got.name)
            take(&got);
    }
    return true;
}

void event_stream_cut(struct event_stream *stream)
{
    buffer_free(&stream->line);
    buffer_free(&stream->data);
    memcpy(stream->next_id, stream->last_id, EVENT_NAME);
    stream->began = stream->after_cr = stream->delivered = false;
    *stream->name = '\0';
}
