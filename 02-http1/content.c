// content.c: see content.h. Read take_content() first.
#include "content.h"

#include "response.h"

// Sets the deadline for more content. Each byte that has come moves the deadline a little
// further, but never further than idle_ms from now. So a client that sends one byte from time
// to time still misses the deadline.
static void put_off_deadline(struct connection *c, size_t bytes)
{
    int64_t now_ns = conn_now(&c->conn), latest_ns = now_ns + c->idle_ms * INT64_C(1000000);
    c->content_due_ns += (int64_t)bytes * (1000000000 / CONTENT_RATE_MIN);
    if (c->content_due_ns > latest_ns)
        c->content_due_ns = latest_ns;
    conn_deadline(&c->conn, (c->content_due_ns - now_ns) / 1000000);
}

// Answers a request without reading its content: the content is too long, or the client waits
// for 100 (Continue) and gets an error instead. Then the server cannot know whether the content
// still comes, so the connection closes.
static void answer_without_content(struct connection *c)
{
    c->keep_alive = false;
    if (c->answer.status >= 400)
        send_answer(c);
    else
        send_refusal(c, 413, "at most 1048576 bytes of content are taken here");
}

void begin_content(struct connection *c, const struct http_head *head, int idle_ms)
{
    bool too_long = !c->upload.fd && head->content_length > CONTENT_MAX_BYTES;
    if (too_long || (head->expects_continue && c->answer.status >= 400)) {
        answer_without_content(c);
        return;
    }
    c->content_bytes = 0;
    c->idle_ms = idle_ms;
    c->content_due_ns = INT64_MAX / 2; // put_off_deadline() limits it to idle_ms from now
    put_off_deadline(c, 0);
    if (head->expects_continue) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(conn_space(&c->conn), go_on, sizeof go_on - 1);
        conn_wrote(&c->conn, sizeof go_on - 1);
    }
}

void finish_request(struct connection *c)
{
    if (c->upload.fd) {
        int status = upload_end(&c->upload, true);
        if (status) {
            send_refusal(c, status, c->upload.why);
            return;
        }
        c->answer.status = 204;
        if (c->upload.created)
            c->answer.status = 201;
        c->answer.type = NULL;
    } else if (c->answer.echo) {
        c->answer.text = c->kept.bytes;
        c->answer.length = c->kept.length;
    }
    send_answer(c);
}

size_t take_content(struct connection *c, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&c->body, bytes, length, &content);
    int status = 0;
    const char *why = NULL;
    if (used < 0) {
        send_refusal(c, (int)-used, c->body.why);
        return length; // the bytes are thrown away
    }
    put_off_deadline(c, content.length);
    c->content_bytes += content.length;
    if (c->upload.fd) {
        status = upload_write(&c->upload, content);
        why = c->upload.why;
    } else if (c->content_bytes > CONTENT_MAX_BYTES) {
        answer_without_content(c);
        return (size_t)used;
    } else if (c->answer.echo && !kept_add(&c->kept, &c->conn, content)) {
        status = 503;
        why = "too much content waits to be echoed; try again later";
    }
    if (status)
        send_refusal(c, status, why);
    else if (c->body.done)
        finish_request(c);
    return (size_t)used;
}
