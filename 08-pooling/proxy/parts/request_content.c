// request_content.c: see request_content.h.
#include "request_content.h"

#include "settings.h"

#define FRAME_BYTES 40 // of a chunk's size line, its end, and the last chunk

static size_t take_part(struct client *client, struct exchange *x, const char *bytes,
                        size_t length)
{
    struct http_out out = pipe_space(&x->up);
    struct http_text content;
    if (out.size < 2 * FRAME_BYTES)
        return 0;
    size_t trimmed = smaller(length, out.size - FRAME_BYTES);
    ssize_t used = http_body_take(&x->body, bytes, trimmed, &content);
    if (used < 0) {
        x->body.done = false; // nothing that follows is a request
        exchange_fail(x, (int)-used, x->body.why);
        return length;
    }
    if (content.length && x->body_chunked) {
        http_put_number(&out, content.length, 16);
        http_put(&out, "\r\n", 2);
    }
    if (content.length)
        http_put(&out, content.at, content.length);
    if (content.length && x->body_chunked)
        http_put(&out, "\r\n", 2);
    if (x->body.done && x->body_chunked)
        http_put_text(&out, "0\r\n\r\n");
    x->up.end += out.length;
    client->content_bytes += (uint64_t)used;
    return (size_t)used;
}

size_t request_content(struct client *client, const char *bytes, size_t length)
{
    struct exchange *x = client->exchange;
    size_t used = 0, part = 1;
    if (x->done || x->answered) { // the answer is here; what is left is read and thrown away
        client->last = true;
        return length;
    }
    while (part && used < length && !x->body.done && !x->done) {
        part = take_part(client, x, bytes + used, length - used);
        used += part;
    }
    client->conn.paused = x->body.done || (!part && pipe_left(&x->up));
    if (x->body.done)
        conn_deadline(&client->conn, settings.answer_ms);
    if (x->upstream)
        conn_wake(&x->upstream->conn);
    return used;
}

bool request_is_in_pace(struct client *client)
{
    uint64_t bytes = client->content_bytes;
    client->content_bytes = 0;
    return client->conn.paused || bytes * 1000 >= (uint64_t)CONTENT_MS * LOOP_SLOWEST_RATE;
}
