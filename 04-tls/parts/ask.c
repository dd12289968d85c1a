// ask.c: see ask.h.
#include "ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http.h"
#include "net.h"

#define IN_BYTES   65536
#define HEAD_MS    30000 // the head of an answer has to come in this time
#define FACT_BYTES 100

// Bytes that have come, and are not used yet.
struct input {
    size_t length;
    char bytes[IN_BYTES];
};

static const char *keys = CERTIFICATE_FOLDER;

void ask_keys(const char *folder)
{
    keys = folder;
}

const char *ask_folder(void)
{
    return keys;
}

struct certificate_files ask_files(enum certificate which)
{
    return certificate_files(keys, which);
}

struct connect_settings ask_settings(void)
{
    static struct certificate_files ca;
    ca = ask_files(CERTIFICATE_CA);
    return (struct connect_settings){.name = WORKBENCH, .ca = ca.chain};
}

const char *ask_text(char text[ASK_BYTES], const char *method, const char *host,
                     const char *path, const char *content)
{
    char length[40] = "";
    if (content)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(content));
    else
        content = "";
    int written = snprintf(text, ASK_BYTES, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", method,
                           path, host, length, content);
    if (written >= ASK_BYTES)
        die("a request of more than %d bytes", ASK_BYTES);
    return text;
}

// Writes into c->why why an answer is not whole; if the connection is broken, c->why has a
// reason already. Always returns false.
static bool give_up(struct connection *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool give_up(struct connection *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (c->up)
        vsnprintf(c->why, sizeof c->why, format, arguments);
    va_end(arguments);
    return false;
}

// Reads once. Returns 1 if there are more bytes, 0 if the server has sent a close_notify, -1 if
// the connection is broken.
static int read_more(struct connection *c, struct reply *reply, struct input *in)
{
    size_t got;
    int result = connection_read(c, in->bytes + in->length, IN_BYTES - in->length, &got);
    if (result == 1 && !reply->first_ns) {
        reply->first_ns = now_ns();
        reply->first_at = c->recording.length[false];
    }
    if (result == 1)
        in->length += got;
    return result;
}

static void use(struct input *in, size_t length)
{
    in->length -= length;
    memmove(in->bytes, in->bytes + length, in->length);
}

// Reads the head of the answer; an interim answer (1xx) is skipped (RFC 9110 §15.2), but for
// 101, behind which there is no HTTP any more.
static bool read_head(struct connection *c, struct reply *reply, struct input *in,
                      struct http_head *head)
{
    c->recording.deadline_ns = now_ns() + HEAD_MS * INT64_C(1000000);
    for (;;) {
        int whole = http_read_response(in->bytes, in->length, head);
        if (whole < 0)
            return give_up(c, "its head is malformed: %s", head->why);
        if (whole == 0 && in->length == IN_BYTES)
            return give_up(c, "its head is too long");
        if (whole == 0) {
            if (read_more(c, reply, in) <= 0)
                return give_up(c, "the server has ended the connection after %zu bytes of it",
                               in->length);
            continue;
        }
        if (head->status == 101)
            return give_up(c, "101 Switching Protocols, which this client has not asked for");
        reply->status = head->status;
        if (head->status >= 200) {
            if (reply->show)
                reply->show(in->bytes, head->length);
            use(in, head->length);
            c->recording.deadline_ns = 0;
            return true;
        }
        use(in, head->length);
    }
}

static void keep(struct reply *reply, struct http_text content)
{
    size_t at = ANSWER_KEPT, part = content.length;
    if (reply->length < at)
        at = (size_t)reply->length;
    if (part > ANSWER_KEPT - at)
        part = ANSWER_KEPT - at;
    memcpy(reply->content + at, content.at, part);
    reply->content[at + part] = '\0';
    reply->length += content.length;
    if (reply->show)
        reply->show(content.at, content.length);
}

// The connection has ended in the middle of the content: writes into c->why how much has come.
// Always returns false.
static bool cut(struct connection *c, const struct reply *reply, const struct http_head *head)
{
    char was[WHY_BYTES] = "the server has ended the connection properly";
    unsigned long long length = reply->length;
    if (!c->up)
        snprintf(was, sizeof was, "%s", c->why);
    if (head->content_length >= 0)
        snprintf(c->why, sizeof c->why, "%llu of %lld bytes have come: %.100s", length,
                 (long long)head->content_length, was);
    else
        snprintf(c->why, sizeof c->why,
                 "%llu bytes of content have come, but not its end: %.90s", length, was);
    return false;
}

bool ask_read(struct connection *c, struct reply *reply)
{
    static struct input in;
    struct http_head head;
    struct http_body body;
    in.length = 0;
    if (!read_head(c, reply, &in, &head))
        return false;
    http_body_of_response(&body, &head, false);
    // The head's texts are gone now, with the bytes that they point into; its numbers stay.
    while (!body.done) {
        struct http_text content = {NULL, 0};
        ssize_t used = 0;
        if (in.length)
            used = http_body_take(&body, in.bytes, in.length, &content);
        if (used < 0)
            return give_up(c, "after %llu bytes of content: %s",
                           (unsigned long long)reply->length, body.why);
        if (content.length)
            keep(reply, content);
        if (used) {
            use(&in, (size_t)used);
            continue;
        }
        if (in.length == IN_BYTES)
            return give_up(c, "a line of a chunk is too long");
        int more = read_more(c, reply, &in);
        if (more == 0 && body.state == BODY_TO_CLOSE)
            break; // the content ends with the connection, and there was a close_notify
        if (more <= 0)
            return cut(c, reply, &head);
    }
    return reply->whole = true;
}

bool ask(struct connection *c, const char *method, const char *path, const char *content,
         struct reply *reply)
{
    char text[ASK_BYTES];
    *reply = (struct reply){.show = reply->show};
    ask_text(text, method, WORKBENCH, path, content);
    return connection_send(c, text, strlen(text)) && ask_read(c, reply);
}

const char *ask_fact(const struct reply *reply, const char *name)
{
    static char value[FACT_BYTES];
    size_t length = strlen(name);
    value[0] = '\0';
    for (const char *line = reply->content; *line;
         line += strcspn(line, "\n"), line += *line != '\0')
        if (!strncmp(line, name, length) && !strncmp(line + length, ": ", 2))
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 2, "\n"),
                     line + length + 2);
    return value;
}
