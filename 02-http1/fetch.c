// fetch.c: see fetch.h.
#include "fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"

static const char *host;
static int port;

void fetch_from(const char *server_host, int server_port)
{
    host = server_host;
    port = server_port;
}

void fetch_open(struct fetch *f)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    *f = (struct fetch){.fd = net_connect_or_die(host, port)};
    setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(f->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

void fetch_close(struct fetch *f)
{
    close(f->fd);
}

void fetch_send_bytes(struct fetch *f, const void *bytes, size_t length)
{
    if (!write_all(f->fd, bytes, length))
        die("cannot send a request: %s", strerror(errno));
}

void fetch_send(struct fetch *f, const char *format, ...)
{
    char text[FETCH_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof text)
        die("a request of %d bytes is too long", length);
    fetch_send_bytes(f, text, (size_t)length);
}

bool fetch_read(struct fetch *f)
{
    ssize_t got;
    do
        got = read(f->fd, f->bytes + f->length, sizeof f->bytes - f->length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        die("no response: nothing has come for %d seconds", PATIENCE_MS / 1000);
    f->length += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void use(struct fetch *f, struct response *r, size_t length)
{
    f->length -= length;
    memmove(f->bytes, f->bytes + length, f->length);
    r->wire_bytes += length;
}

static bool take_head(struct fetch *f, struct response *r)
{
    struct http_head head;
    int result = http_read_response(f->bytes, f->length, &head);
    if (result < 0)
        die("what the server sends is no HTTP/1.1 response (%d)", -result);
    if (result == 0)
        return false;
    *r =
        (struct response){head.status, head.keep_alive, "", head.length, "", 0, 0, now_ns(), 0};
    memcpy(r->head, f->bytes, head.length);
    use(f, r, head.length);
    if (head.status == 100) // go on; the response is still to come (RFC 9110 §15.2)
        return take_head(f, r);
    http_body_of_response(&f->body, &head, f->to_head);
    f->in_content = true;
    return true;
}

static void take_content(struct fetch *f, struct response *r, struct http_text content)
{
    size_t room = r->content_bytes < CONTENT_BYTES ? CONTENT_BYTES - r->content_bytes : 0;
    if (content.length)
        memcpy(r->content + (CONTENT_BYTES - room), content.at,
               content.length < room ? content.length : room);
    r->content_bytes += content.length;
    if (f->content && content.length)
        f->content(f, content);
}

bool fetch_take(struct fetch *f, struct response *r)
{
    struct http_text content;
    ssize_t used = 1;
    if (!f->in_content && !take_head(f, r))
        return false;
    while (!f->body.done && f->length && used) {
        used = http_body_take(&f->body, f->bytes, f->length, &content);
        if (used < 0)
            die("the content of a response is framed wrongly");
        take_content(f, r, content);
        use(f, r, (size_t)used);
    }
    f->in_content = !f->body.done;
    r->end_ns = now_ns();
    return f->body.done;
}

bool fetch_response(struct fetch *f, struct response *r)
{
    while (!fetch_take(f, r))
        if (!fetch_read(f)) // the end of the connection may be the end of the content
            return f->in_content && f->body.state == BODY_TO_CLOSE;
    return true;
}

void fetch_get(struct fetch *f, const char *target, struct response *r)
{
    fetch_send(f, "GET %s HTTP/1.1\r\nHost: workbench\r\n\r\n", target);
    if (!fetch_response(f, r))
        die("the server closed the connection instead of answering GET %s", target);
}

bool fetch_ends(struct fetch *f)
{
    return !f->length && !fetch_read(f);
}
