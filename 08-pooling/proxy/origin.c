// origin.c: a server to stand behind the proxy. Its answers say which request of all this one
// was, from whom it came, and what the server could see of the client.
//
// Run:    ./origin, and then   ./proxy --upstream 127.0.0.1:8218
// Try:    /page?cc=max-age=60          the answer's Cache-Control
//         /page?etag=a                 its ETag: a request that names it gets 304
//         /page?modified=1             its Last-Modified, an hour ago
//         /page?vary=accept-language   &cookie=1  &size=100000  &ms=200 (waits)
//         /page?status=404&until=7     up to request 7 its status, then 200
//         /count                       how many requests have come; not counted itself
//         /ws                          a WebSocket that sends back what it gets
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "http_server.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "sha1.h"

#define CONNS_MAX    4000
#define CONTENT_MAX  (1 << 20)
#define SIZE_LIMIT   (1 << 30) // of ?size=
#define WAIT_MAX_MS  60000     // of ?ms=
#define HEAD_ROOM    4096
#define FRAME_MAX    125 // bytes of a WebSocket message that is echoed
#define FIELDS_BYTES 1000

struct session {
    struct conn conn;
    struct http_server http;
    bool is_websocket;
    uint64_t filler;  // bytes of content that are still to be produced
    int64_t until_ns; // the answer waits
};

static long requests; // that have come, but for /count

// ---- the query -----------------------------------------------------------------------------

// Copies a parameter, with its %XX decoded.
static bool parameter(struct http_text query, const char *name, char *text, size_t size)
{
    struct http_text value = http_parameter(query, name);
    size_t length = 0;
    for (size_t i = 0; i < value.length && length + 1 < size; i++) {
        char hex[3] = "";
        if (value.at[i] == '%' && i + 2 < value.length) {
            memcpy(hex, value.at + i + 1, 2);
            i += 2;
            text[length++] = (char)strtol(hex, NULL, 16);
        } else {
            text[length++] = value.at[i];
        }
        if (text[length - 1] < ' ')
            text[length - 1] = '?'; // nobody splits this answer
    }
    text[length] = '\0';
    return value.at != NULL;
}

// `otherwise` if there is no such parameter, or if it is no number from `least` to `most`.
static long number(struct http_text query, const char *name, long least, long most,
                   long otherwise)
{
    char text[20];
    uint64_t value;
    if (!parameter(query, name, text, sizeof text) ||
        !http_number((struct http_text){text, strlen(text)}, (uint64_t)most, &value) ||
        (long)value < least)
        return otherwise;
    return (long)value;
}

// Writes the answer's fields that the query asks for. True if the client has this version.
static bool write_fields(const struct http_request *request, char fields[FIELDS_BYTES])
{
    char value[200];
    struct http_out out = {fields, FIELDS_BYTES - 1, 0, false};
    bool has_it = false;
    if (parameter(request->query, "cc", value, sizeof value))
        http_put_field(&out, "Cache-Control", value);
    if (parameter(request->query, "vary", value, sizeof value))
        http_put_field(&out, "Vary", value);
    if (parameter(request->query, "cookie", value, sizeof value))
        http_put_field(&out, "Set-Cookie", "user=7");
    if (parameter(request->query, "etag", value, sizeof value - 2)) {
        struct http_text asked = http_field(&request->head, "if-none-match");
        memmove(value + 1, value, strlen(value) + 1);
        value[0] = '"';
        strcat(value, "\"");
        http_put_field(&out, "ETag", value);
        has_it = http_is(asked, value);
    }
    if (parameter(request->query, "modified", value, sizeof value)) {
        http_put_field(&out, "Last-Modified", http_date(time(NULL) / 3600 * 3600 - 3600));
        has_it = has_it || http_field(&request->head, "if-modified-since").at;
    }
    fields[out.length] = '\0';
    return has_it;
}

// ---- answers -------------------------------------------------------------------------------

static struct http_out space_of(struct session *s)
{
    return (struct http_out){conn_space(&s->conn), conn_room(&s->conn), 0, false};
}

static void answer(struct session *s, const struct http_request *request)
{
    char text[600], fields[FIELDS_BYTES], name[NET_NAME];
    struct http_out out = space_of(s);
    struct http_text told = http_field(&request->head, "x-forwarded-for");
    bool counts = http_is(request->path, "/count");
    if (!counts)
        requests++;
    int length = snprintf(text, sizeof text, "%ld\n", requests);
    if (!counts && told.at)
        length = snprintf(text, sizeof text, "request %ld from %s, for %.*s\n", requests,
                          net_peer_name(s->conn.fd, name), (int)told.length, told.at);
    else if (!counts)
        length = snprintf(text, sizeof text, "request %ld from %s\n", requests,
                          net_peer_name(s->conn.fd, name));
    bool has_it = write_fields(request, fields);
    int status = 200;
    if (requests <= number(request->query, "until", 0, LONG_MAX, requests))
        status = (int)number(request->query, "status", 200, 599, 200);
    long size = number(request->query, "size", 0, SIZE_LIMIT, 0);
    if (has_it)
        status = 304;
    if (size > length && !has_it) {
        http_server_head(&s->http, &out, status, size);
        http_put_text(&out, fields);
        http_put_text(&out, "\r\n");
        if (!s->http.head_only)
            http_put(&out, text, (size_t)length);
        if (!s->http.head_only)
            s->filler = (uint64_t)(size - length);
    } else {
        http_server_answer(&s->http, &out, status, "text/plain", fields,
                           (struct http_text){text, (size_t)length});
    }
    conn_wrote(&s->conn, out.length);
    log_line("%.*s %.*s: %d", (int)request->head.method.length, request->head.method.at,
             (int)request->head.target.length, request->head.target.at, status);
}

// ---- the WebSocket -------------------------------------------------------------------------

// RFC 6455 §4.2. False: it is no handshake.
static bool upgrade(struct session *s, const struct http_head *head)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct http_text key = http_field(head, "sec-websocket-key");
    char text[100], accept[40];
    uint8_t digest[SHA1_BYTES];
    struct http_out out = space_of(s);
    if (!head->minor || !http_list_has(head, "upgrade", "websocket") ||
        !http_list_has(head, "connection", "upgrade") || key.length != 24)
        return false;
    snprintf(text, sizeof text, "%.*s%s", (int)key.length, key.at, magic);
    sha1(text, strlen(text), digest);
    base64(digest, sizeof digest, accept);
    http_put_text(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\n");
    http_put_field(&out, "Sec-WebSocket-Accept", accept);
    http_put_text(&out, "\r\n");
    conn_wrote(&s->conn, out.length);
    s->is_websocket = true;
    conn_deadline(&s->conn, NEVER);
    return true;
}

// One short masked frame: a text or a close is sent back, a ping is answered.
static size_t take_frame(struct session *s, const uint8_t *bytes, size_t length)
{
    struct http_out out = space_of(s);
    char frame[2 + FRAME_MAX];
    if (length < 6)
        return 0;
    size_t content = bytes[1] & 0x7f;
    int opcode = bytes[0] & 0x0f;
    if (!(bytes[1] & 0x80) || content > FRAME_MAX) {
        conn_close(&s->conn);
        return length;
    }
    if (length < 6 + content)
        return 0;
    frame[0] = (char)(0x80 | opcode);
    if (opcode == 9)
        frame[0] = (char)0x8a; // ping, pong
    frame[1] = (char)content;
    for (size_t i = 0; i < content; i++)
        frame[2 + i] = (char)(bytes[6 + i] ^ bytes[2 + i % 4]);
    http_put(&out, frame, 2 + content);
    conn_wrote(&s->conn, out.length);
    if (opcode == 8)
        conn_close(&s->conn);
    return 6 + content;
}

// ---- the loop's calls ----------------------------------------------------------------------

static size_t take(struct session *s, const char *bytes, size_t length)
{
    struct http_request request;
    struct http_out out = space_of(s);
    if (s->is_websocket)
        return take_frame(s, (const uint8_t *)bytes, length);
    size_t used = http_server_take(&s->http, bytes, length, &request, &out);
    conn_wrote(&s->conn, out.length);
    out = space_of(s);
    if (request.status == HTTP_WHOLE) {
        long ms = number(request.query, "ms", 0, WAIT_MAX_MS, 0);
        if (ms > 0 && !s->until_ns &&
            !request.content.length) { // it is read again when the time is over
            s->until_ns = conn_now(&s->conn) + ms * 1000000;
            s->conn.paused = true;
            conn_deadline(&s->conn, ms);
            http_server_done(&s->http);
            return 0;
        }
        s->until_ns = 0;
        if (!http_is(request.path, "/ws") || !upgrade(s, &request.head))
            answer(s, &request);
    } else if (request.status > 0) {
        http_server_refuse(&s->http, &out, request.status, "", NULL);
        conn_wrote(&s->conn, out.length);
    }
    bool closes = request.status != HTTP_MORE && !s->http.keep_alive && !s->is_websocket;
    if (closes && !s->filler)
        conn_close(&s->conn);
    http_server_done(&s->http);
    return used;
}

static size_t received(struct conn *c, const char *bytes, size_t length)
{
    struct session *s = (struct session *)c;
    size_t used = 0, part = 1;
    while (part && used < length && !c->closing && !c->paused && !s->filler &&
           conn_room(c) > HEAD_ROOM) {
        part = take(s, bytes + used, length - used);
        used += part;
    }
    return used;
}

// Goes on with content that was asked for by its size.
static bool produce(struct conn *c)
{
    struct session *s = (struct session *)c;
    size_t part = conn_room(c);
    if (!s->filler)
        return false;
    if (part > s->filler)
        part = s->filler;
    memset(conn_space(c), '.', part);
    conn_wrote(c, part);
    s->filler -= part;
    if (!s->filler && !s->http.keep_alive)
        conn_close(c);
    return part > 0;
}

static void timeout(struct conn *c)
{
    c->paused = false; // the answer that has waited; the request is read again
}

static void opened(struct conn *c)
{
    ((struct session *)c)->http.content_max = CONTENT_MAX;
}

static void closed(struct conn *c)
{
    http_server_done(&((struct session *)c)->http);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8218;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "port to listen on; 0: the kernel chooses"},
        {"quiet", OPTION_FLAG, &quiet, .help = "print no line for each request"},
        {0}};
    static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                              .conns_max = CONNS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .timeout = timeout,
                                              .closed = closed};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 08, proxy: a server to stand behind the proxy.",
                                    options});
    log_begin(quiet);
    loop_run(net_listen(host, port, 4096), &server);
    log_end();
    printf("stopped: %ld requests\n", requests);
    return 0;
}
