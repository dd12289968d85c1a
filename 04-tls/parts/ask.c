// ask.c: see ask.h.
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "body.h"
#include "http.h"
#include "net.h"

#define IN_BYTES   65536
#define FACT_BYTES 100

// What has come, and is not used yet.
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
    int written = snprintf(text, ASK_BYTES, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", method,
                           path, host, length, content ? content : "");
    if (written >= ASK_BYTES)
        die("a request of more than %d bytes", ASK_BYTES);
    return text;
}

// 1: there is more. 0: there will be no more. -1: nor should that have been all.
static int read_more(struct connection *c, struct reply *reply, struct input *in)
{
    size_t got;
    int result = in->length < IN_BYTES
                     ? connection_read(c, in->bytes + in->length, IN_BYTES - in->length, &got)
                     : -1;
    if (result == 1 && !reply->first_ns) {
        reply->first_ns = now_ns();
        reply->first_at = c->tap.length[false];
    }
    if (result == 1)
        in->length += got;
    return result;
}

static void use(struct reply *reply, struct input *in, size_t length, bool show)
{
    if (show && reply->show)
        reply->show(in->bytes, length);
    in->length -= length;
    memmove(in->bytes, in->bytes + length, in->length);
}

static bool is_no_http(struct connection *c)
{
    if (c->up)
        snprintf(c->why, sizeof c->why, "this is no HTTP/1.1");
    return false;
}

static bool read_head(struct connection *c, struct reply *reply, struct input *in,
                      struct http_body *body)
{
    struct http_head head;
    for (;;) {
        int whole = http_read_response(in->bytes, in->length, &head);
        if (whole < 0 || (whole == 0 && read_more(c, reply, in) <= 0))
            return is_no_http(c);
        if (whole == 0)
            continue;
        reply->status = head.status;
        http_body_of_response(body, &head, false);
        use(reply, in, head.length, head.status >= 200);
        if (head.status >= 200)
            return true;
    }
}

static void keep(struct reply *reply, struct http_text content)
{
    size_t at = reply->length < ANSWER_KEPT ? (size_t)reply->length : ANSWER_KEPT;
    size_t part = content.length < ANSWER_KEPT - at ? content.length : ANSWER_KEPT - at;
    memcpy(reply->content + at, content.at, part);
    reply->content[at + part] = '\0';
    reply->length += content.length;
    if (reply->show)
        reply->show(content.at, content.length);
}

bool ask_read(struct connection *c, struct reply *reply)
{
    static struct input in;
    struct http_body body;
    in.length = 0;
    if (!read_head(c, reply, &in, &body))
        return false;
    while (!body.done) {
        struct http_text content = {NULL, 0};
        ssize_t used = in.length ? http_body_take(&body, in.bytes, in.length, &content) : 0;
        if (used < 0)
            return is_no_http(c);
        if (content.length)
            keep(reply, content);
        if (used)
            use(reply, &in, (size_t)used, false);
        int more = used || body.done ? 1 : read_more(c, reply, &in);
        if (more == 0 && body.state == BODY_TO_CLOSE)
            break; // the end of the connection is the end, and it was said by close_notify
        if (more <= 0)
            return is_no_http(c);
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
