// fetch.c: see fetch.h.
#include "fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

int fetch_connect(void)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = net_connect_or_die(host, port), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    return fd;
}

void fetch_open(struct fetch *f)
{
    f->fd = fetch_connect();
    f->length = f->content_length = 0;
    f->in_content = false;
}

void fetch_close(struct fetch *f)
{
    close(f->fd);
    f->fd = -1;
}

void fetch_send_bytes(struct fetch *f, const void *bytes, size_t length)
{
    if (!write_all(f->fd, bytes, length))
        die("cannot send a request: %s", strerror(errno));
    f->up += length;
}

void fetch_send(struct fetch *f, const char *format, ...)
{
    static char text[FETCH_BYTES];
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
    size_t room = sizeof f->bytes - f->length;
    if (room == 0)
        die("what the server sends is too long");
    if (f->read_max && room > f->read_max)
        room = f->read_max;
    do
        got = read(f->fd, f->bytes + f->length, room);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        die("nothing has come for %d seconds", PATIENCE_MS / 1000);
    f->length += got > 0 ? (size_t)got : 0;
    f->down += got > 0 ? (size_t)got : 0;
    return got > 0;
}

void fetch_use(struct fetch *f, size_t length)
{
    f->length -= length;
    memmove(f->bytes, f->bytes + length, f->length);
}

static bool take_head(struct fetch *f)
{
    int result = http_read_response(f->bytes, f->length, &f->head);
    if (result < 0)
        die("what the server sends is no HTTP/1.1 response (%d)", -result);
    return result > 0;
}

void fetch_head(struct fetch *f)
{
    while (!take_head(f))
        if (!fetch_read(f))
            die("the server closed the connection instead of answering");
}

bool fetch_take(struct fetch *f)
{
    struct http_text content;
    ssize_t used = 1;
    if (!f->in_content) {
        if (!take_head(f))
            return false;
        http_body_of_response(&f->body, &f->head, false);
        fetch_use(f, f->head.length);
        f->in_content = true;
        f->content_length = 0;
    }
    while (!f->body.done && f->length && used) {
        used = http_body_take(&f->body, f->bytes, f->length, &content);
        if (used < 0 || f->content_length + content.length > FETCH_BYTES)
            die("the content of an answer is framed wrongly, or too long");
        if (content.length) {
            memcpy(f->content + f->content_length, content.at, content.length);
            f->content_length += content.length;
            if (f->piece)
                f->piece(f, content);
        }
        fetch_use(f, (size_t)used);
    }
    f->content[f->content_length] = '\0';
    f->in_content = !f->body.done;
    return f->body.done;
}

void fetch_answer(struct fetch *f)
{
    while (!fetch_take(f))
        if (!fetch_read(f))
            die("the server closed the connection in the middle of an answer");
}

int fetch_ask(struct fetch *f, const char *method, const char *target, const char *content)
{
    if (content)
        fetch_send(f, "%s %s HTTP/1.1\r\n" REQUEST_HEAD "Content-Length: %zu\r\n\r\n%s", method,
                   target, strlen(content), content);
    else
        fetch_send(f, "%s %s HTTP/1.1\r\n" REQUEST_HEAD "\r\n", method, target);
    fetch_answer(f);
    return f->head.status;
}

uint64_t server_figure(const char *after, const char *name)
{
    static struct fetch f;
    char quoted[40];
    fetch_open(&f);
    fetch_ask(&f, "GET", "/stats", NULL);
    fetch_close(&f);
    snprintf(quoted, sizeof quoted, "\"%s\": ", name);
    const char *at = strstr(f.content, after);
    at = at ? strstr(at, quoted) : NULL;
    if (!at)
        die("GET /stats says nothing of %s", name);
    return strtoull(at + strlen(quoted), NULL, 10);
}

double ms_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *values, int count)
{
    if (count == 0)
        return 0;
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}
