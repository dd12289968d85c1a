// fetch.c: see fetch.h. Read fetch_take() first: the answer stays where it was read to.
#include "fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

const char *const fetch_text[] = {[FETCH_OK] = "answered",
                                  [FETCH_MORE] = "not all has come",
                                  [FETCH_REFUSED] = "no connection",
                                  [FETCH_CLOSED] = "closed before the answer",
                                  [FETCH_CUT] = "closed in the middle of the answer",
                                  [FETCH_RESET] = "the connection is broken",
                                  [FETCH_TIMEOUT] = "timed out",
                                  [FETCH_MALFORMED] = "the answer is no HTTP/1.1",
                                  [FETCH_TOO_LONG] = "too long"};

// Limits what the next call on the socket may wait for. False: it is too late for it.
static bool limit(int fd, int option, int64_t deadline_ns)
{
    int64_t us = FETCH_PATIENCE_MS * INT64_C(1000);
    int64_t left_ns = INT64_MAX;
    if (deadline_ns)
        left_ns = deadline_ns - now_ns();
    errno = ETIMEDOUT;
    if (left_ns <= 0)
        return false;
    if (left_ns / 1000 < us)
        us = left_ns / 1000 + 1; // 0 would be for ever
    struct timeval wait = {us / 1000000, us % 1000000};
    setsockopt(fd, SOL_SOCKET, option, &wait, sizeof wait);
    return true;
}

int fetch_connect(const struct sockaddr_storage *server, int64_t deadline_ns)
{
    int fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    net_send_at_once(fd);
    limit(fd, SO_RCVTIMEO, 0);
    while (limit(fd, SO_SNDTIMEO, deadline_ns)) { // connect() heeds it as well: socket(7)
        if (!connect(fd, (const struct sockaddr *)server, sizeof *server))
            return fd;
        if (errno != EINTR) // else again: it waits for the attempt that was interrupted
            break;
    }
    if (errno == EINPROGRESS)
        errno = ETIMEDOUT;
    return net_give_up(fd);
}

enum fetch_result fetch_open(struct fetch *f, const struct sockaddr_storage *server,
                             int64_t deadline_ns)
{
    memset(f, 0, offsetof(struct fetch, bytes));
    f->rest.at = f->bytes;
    f->deadline_ns = deadline_ns;
    net_name(server, f->about);
    f->fd = fetch_connect(server, deadline_ns);
    if (f->fd < 0)
        return FETCH_REFUSED;
    return FETCH_OK;
}

// Why a call on the socket has failed: its time was over, or the connection is broken.
static enum fetch_result why_it_failed(void)
{
    if (errno == EAGAIN)
        return FETCH_TIMEOUT;
    return FETCH_RESET;
}

void fetch_close(struct fetch *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

enum fetch_result fetch_send_bytes(struct fetch *f, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        if (!limit(f->fd, SO_SNDTIMEO, f->deadline_ns))
            return FETCH_TIMEOUT;
        ssize_t put = send(f->fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return why_it_failed();
        done += (size_t)put;
        f->up += (uint64_t)put;
    }
    return FETCH_OK;
}

enum fetch_result fetch_send(struct fetch *f, const char *format, ...)
{
    char text[FETCH_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof text)
        return FETCH_TOO_LONG;
    snprintf(f->about, sizeof f->about, "%.*s", (int)strcspn(text, "\r\n"), text);
    return fetch_send_bytes(f, text, (size_t)length);
}

// Moves the rest to where the kept part of this answer ends, or where the next one begins.
static void make_room(struct fetch *f)
{
    char *to = f->bytes;
    if (f->in_answer)
        to += f->head.length + f->content.length;
    if (f->rest.length) // else perhaps nothing has come yet: NULL
        memmove(to, f->rest.at, f->rest.length);
    f->rest.at = to;
}

enum fetch_result fetch_read(struct fetch *f)
{
    make_room(f);
    size_t end = (size_t)(f->rest.at - f->bytes) + f->rest.length;
    size_t room = sizeof f->bytes - end;
    ssize_t got;
    if (!room)
        return FETCH_TOO_LONG;
    if (f->read_max && f->read_max < room)
        room = f->read_max;
    do {
        if (!limit(f->fd, SO_RCVTIMEO, f->deadline_ns))
            return FETCH_TIMEOUT;
        got = recv(f->fd, f->bytes + end, room, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return why_it_failed();
    if (got == 0)
        return FETCH_CLOSED;
    f->rest.length += (size_t)got;
    f->down += (uint64_t)got;
    return FETCH_OK;
}

void fetch_use(struct fetch *f, size_t length)
{
    f->rest.at += length;
    f->rest.length -= length;
}

static enum fetch_result take_head(struct fetch *f)
{
    for (;;) {
        make_room(f);
        int result = http_read_response(f->bytes, f->rest.length, &f->head);
        if (result < 0)
            return FETCH_MALFORMED;
        if (result == 0)
            return FETCH_MORE;
        fetch_use(f, f->head.length);
        if (f->head.status >= 200 || f->head.status == 101) // RFC 9110 §15.2
            break;
        if (++f->interim > FETCH_INTERIM) {
            f->head.why = "too many answers 1xx before the answer";
            return FETCH_MALFORMED;
        }
    }
    f->interim = 0;
    http_body_of_response(&f->body, &f->head, f->head_only);
    f->head.keep_alive = f->head.keep_alive && f->body.state != BODY_TO_CLOSE;
    f->content = (struct http_text){f->rest.at, 0};
    f->content_bytes = 0;
    f->wire_bytes = f->head.length;
    f->in_answer = true;
    return FETCH_OK;
}

enum fetch_result fetch_take(struct fetch *f)
{
    struct http_text part;
    ssize_t used = 1;
    enum fetch_result result = FETCH_OK;
    if (!f->in_answer)
        result = take_head(f);
    if (result != FETCH_OK)
        return result;
    while (!f->body.done && f->rest.length && used) {
        used = http_body_take(&f->body, f->rest.at, f->rest.length, &part);
        if (used < 0)
            return FETCH_MALFORMED;
        if (f->piece && part.length) {
            f->piece(f, part);
        } else { // behind the part before it, over what framed it
            memmove(f->bytes + f->head.length + f->content.length, part.at, part.length);
            f->content.length += part.length;
        }
        f->content_bytes += part.length;
        f->wire_bytes += (uint64_t)used;
        fetch_use(f, (size_t)used);
    }
    f->in_answer = !f->body.done;
    if (f->in_answer)
        return FETCH_MORE;
    return FETCH_OK;
}

enum fetch_result fetch_answer(struct fetch *f)
{
    enum fetch_result result;
    while ((result = fetch_take(f)) == FETCH_MORE && (result = fetch_read(f)) == FETCH_OK)
        ;
    if (result != FETCH_CLOSED || (!f->in_answer && !f->rest.length))
        return result;
    if (!f->in_answer || f->body.state != BODY_TO_CLOSE)
        return FETCH_CUT;
    f->in_answer = false; // the end of the connection is the end of this content
    return FETCH_OK;
}

enum fetch_result fetch_ask(struct fetch *f, const char *method, const char *target,
                            const char *fields, const char *content)
{
    char length[40] = "";
    if (content)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(content));
    enum fetch_result result = fetch_send(f, "%s %s HTTP/1.1\r\n" FETCH_HOST "%s%s\r\n%s",
                                          method, target, fields, length, content ?: "");
    f->head_only = !strcmp(method, "HEAD");
    if (result == FETCH_OK)
        result = fetch_answer(f);
    f->head_only = false;
    return result;
}

// How much of an answer had come: "4 of 100 bytes of content".
static void put_progress(const struct fetch *f, char text[FETCH_WHY_BYTES / 2])
{
    const char *where = "bytes of content, which ends with the connection";
    if (!f->in_answer)
        snprintf(text, FETCH_WHY_BYTES / 2, "%zu bytes of a head", f->rest.length);
    else if (f->body.state == BODY_LENGTH)
        snprintf(text, FETCH_WHY_BYTES / 2, "%llu of %llu bytes of content",
                 (unsigned long long)f->content_bytes,
                 (unsigned long long)f->head.content_length);
    else {
        if (f->head.chunked)
            where = "bytes of content, and no last chunk";
        snprintf(text, FETCH_WHY_BYTES / 2, "%llu %s", (unsigned long long)f->content_bytes,
                 where);
    }
}

char *fetch_why(const struct fetch *f, enum fetch_result result, char text[FETCH_WHY_BYTES])
{
    char came[FETCH_WHY_BYTES / 2];
    put_progress(f, came);
    if (result == FETCH_REFUSED || (result == FETCH_RESET && !f->in_answer))
        snprintf(text, FETCH_WHY_BYTES, "%s: %s", fetch_text[result], strerror(errno));
    else if (result == FETCH_RESET)
        snprintf(text, FETCH_WHY_BYTES, "%s after %s: %s", fetch_text[result], came,
                 strerror(errno));
    else if (result == FETCH_CUT)
        snprintf(text, FETCH_WHY_BYTES, "cut after %s", came);
    else if (result == FETCH_TIMEOUT && (f->in_answer || f->rest.length))
        snprintf(text, FETCH_WHY_BYTES, "timed out after %s", came);
    else if (result == FETCH_MALFORMED && f->in_answer)
        snprintf(text, FETCH_WHY_BYTES, "malformed after %s: %s", came, f->body.why);
    else if (result == FETCH_MALFORMED)
        snprintf(text, FETCH_WHY_BYTES, "malformed: %s", f->head.why);
    else if (result == FETCH_TOO_LONG && f->in_answer)
        snprintf(text, FETCH_WHY_BYTES, "longer than the %d bytes that are kept, after %s",
                 FETCH_BYTES, came);
    else
        snprintf(text, FETCH_WHY_BYTES, "%s", fetch_text[result]);
    return text;
}

bool fetch_or_die(const struct fetch *f, enum fetch_result result)
{
    char why[FETCH_WHY_BYTES];
    if (result == FETCH_REFUSED)
        die("cannot connect to %s: %s (is the server running?)", f->about, strerror(errno));
    if (result != FETCH_OK && result != FETCH_MORE)
        die("%s: %s", f->about, fetch_why(f, result, why));
    return result == FETCH_OK;
}
