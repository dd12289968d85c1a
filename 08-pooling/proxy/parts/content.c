// content.c: see content.h.
#include "content.h"

#include "settings.h"

void content_put(struct http_out *out, struct http_text part, bool chunked, bool last)
{
    bool in_chunk = chunked && part.length; // an empty chunk would be the last one
    if (in_chunk) {
        http_put_number(out, part.length, 16);
        http_put(out, "\r\n", 2);
    }
    if (part.length)
        http_put(out, part.at, part.length);
    if (in_chunk)
        http_put(out, "\r\n", 2);
    if (chunked && last)
        http_put_text(out, "0\r\n\r\n");
}

ssize_t content_pass(struct http_body *body, bool chunked, struct pipe *pipe, const char *bytes,
                     size_t length)
{
    struct http_out out = pipe_space(pipe);
    struct http_text content;
    if (out.size < 2 * FRAME_BYTES)
        return 0;
    length = smaller(length, out.size - FRAME_BYTES);
    ssize_t used = http_body_take(body, bytes, length, &content);
    if (used > 0)
        content_put(&out, content, chunked, body->done);
    pipe->end += out.length;
    return used;
}

size_t request_content(struct client *client, const char *bytes, size_t length)
{
    struct exchange *x = client->exchange;
    size_t used = 0;
    ssize_t part = 1;
    if (x->done || x->answered) { // the answer is here; what is left is read and thrown away
        client->last = true;
        return length;
    }
    while (part > 0 && used < length && !x->body.done) {
        part = content_pass(&x->body, x->request.chunked, &x->up, bytes + used, length - used);
        if (part > 0)
            used += (size_t)part;
    }
    if (part < 0) {
        x->body.done = false; // nothing that follows is a request
        exchange_fail(x, (int)-part, x->body.why);
        return length;
    }
    client->content_bytes += used;
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
