// websocket_chat.c: see websocket_chat.h. Read answer_websocket() first, then received() and
// produce().
#include "websocket_chat.h"

#include <stdio.h>
#include <string.h>

#include "handshake.h"
#include "publisher.h"
#include "subscriber.h"
#include "log.h"

#define REPLY_ROOM (WS_HEADER_BYTES + WS_CONTROL_BYTES) // for a pong or a close

// ---- sending -------------------------------------------------------------------------------

static void send_frame(struct connection *c, enum ws_opcode opcode, const char *bytes,
                       size_t length)
{
    char *to = conn_space(&c->conn);
    size_t header = websocket_put_header(to, opcode, true, length, NULL);
    memcpy(to + header, bytes, length);
    connection_wrote(c, header + length);
}

// Sends a close frame. The connection is closed when this frame is sent: the server closes
// first (RFC 6455 §7.1.1).
static void close_with(struct connection *c, int code, const char *reason)
{
    if (conn_room(&c->conn) >= REPLY_ROOM)
        connection_wrote(c, websocket_put_close(conn_space(&c->conn), code, reason, NULL));
    if (code != WS_NORMAL && code != WS_GOING_AWAY && code != WS_NO_CODE)
        log_line("user %u: closed with %d %s", c->ws.number, code, reason);
    conn_close(&c->conn);
}

// Sends a line about this user to all users of the chat, but not to `author`; NULL: to all.
static void tell(struct connection *c, const char *what, struct http_text text,
                 const struct connection *author)
{
    struct buffer line = {0};
    char begin[40];
    int length = snprintf(begin, sizeof begin, "user %u %s", c->ws.number, what);
    if (buffer_add(&line, begin, (size_t)length) && buffer_add(&line, text.at, text.length))
        publisher_publish(c, &c->service->room, (struct http_text){"chat", 4},
                          (struct http_text){line.bytes, line.length}, author);
    buffer_free(&line);
}

// ---- receiving -----------------------------------------------------------------------------

static void take_message(struct connection *c, const struct ws_message *got)
{
    struct http_text text = {got->bytes, got->length};
    if (!text.length)
        text.at = "";
    if (c->ws.echo) {
        char *to = conn_space(&c->conn);
        enum ws_opcode opcode = (enum ws_opcode)got->opcode;
        connection_wrote(c, websocket_put_header(to, opcode, true, text.length, NULL));
        connection_send_from(c, text, NULL);
        connection_send(c);
    } else if (got->opcode == WS_BINARY) {
        close_with(c, WS_UNSUPPORTED, "this chat is text only");
    } else {
        tell(c, "says: ", text, c);
    }
}

static void take(struct connection *c, const struct ws_message *got)
{
    switch (got->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        take_message(c, got);
        break;
    case WS_PING:
        send_frame(c, WS_PONG, got->bytes, got->length);
        break;
    case WS_CLOSE: // the answer has the same code (§5.5.1)
        close_with(c, got->code, "");
        break;
    default: // a pong: received() has noted that the client is there
        break;
    }
}

static const char *reason_of(int code)
{
    switch (code) {
    case WS_TOO_BIG:
        return "message too big";
    case WS_NOT_UTF8:
        return "text is not UTF-8";
    case WS_TRY_LATER:
        return "no memory for this message";
    default:
        return "not a frame of RFC 6455";
    }
}

static size_t received(struct connection *c, const char *bytes, size_t length)
{
    struct ws_message got;
    size_t used = 0;
    ssize_t part = 1;
    while (part > 0 && used < length && !c->conn.closing && !c->content.left &&
           !c->conn.paused && conn_room(&c->conn) >= REPLY_ROOM) {
        part = websocket_read(&c->ws.frames, bytes + used, length - used, &got);
        if (part < 0) {
            close_with(c, (int)-part, reason_of((int)-part));
            return length;
        }
        used += (size_t)part;
        take(c, &got);
        if (!c->content.left)
            websocket_forget(&c->ws.frames);
        if (publisher_turn_is_over(c))
            publisher_pause(c);
    }
    c->ws.pinged = c->ws.pinged && !used;
    c->service->traffic[c->technique].bytes_in += used;
    return used;
}

// ---- heartbeats and news -------------------------------------------------------------------

// The heartbeat is due: sends a ping, and returns true. A client that has not answered the last
// ping is gone, also if TCP has not noticed it yet: its connection is closed.
static bool beat(struct connection *c)
{
    c->due_ns = conn_now(&c->conn) + c->service->settings.heartbeat_ms * INT64_C(1000000);
    if (c->ws.pinged) {
        c->service->dropped_silent++;
        close_with(c, WS_POLICY, "no pong");
        return false;
    }
    c->ws.pinged = true;
    send_frame(c, WS_PING, "", 0);
    return true;
}

// Tells a user that reads too slowly how many lines of the chat are missing.
static void tell_of_gap(struct connection *c)
{
    const struct feed *room = &c->service->room;
    char text[60];
    int length = snprintf(text, sizeof text, "(%llu lines are missing here)",
                          (unsigned long long)(room->oldest - 1 - c->ws.heard));
    struct event *event = event_make(room->oldest - 1, (struct http_text){"chat", 4},
                                     (struct http_text){text, (size_t)length});
    if (!event)
        return; // no memory now: the next call tries again
    c->ws.heard = event->id;
    connection_send_from(c, event_text(event, FEED_FRAME), event);
}

static bool send_news(struct connection *c)
{
    struct service *service = c->service;
    bool any = subscriber_catch_up(c, &service->news, &c->seen, FEED_FRAME);
    if (!c->content.left && feed_has_moved_on(&service->room, c->ws.heard))
        tell_of_gap(c);
    return subscriber_catch_up(c, &service->room, &c->ws.heard, FEED_FRAME) || any;
}

static bool produce(struct connection *c)
{
    bool any = connection_send(c);
    if (c->content.left)
        return any;
    if (any)
        websocket_forget(&c->ws.frames);
    if (subscriber_is_cut(c)) {
        conn_close(&c->conn);
        return false;
    }
    if (subscriber_is_too_slow(c) && !c->ws.echo) {
        c->service->dropped_slow++;
        close_with(c, WS_TRY_LATER, "too slow: come back with ?since=");
        return false;
    }
    if (!c->ws.echo)
        any = send_news(c) || any;
    if (conn_now(&c->conn) >= c->due_ns && conn_room(&c->conn) >= REPLY_ROOM &&
        !c->content.left)
        any = beat(c) || any;
    if (c->conn.paused)
        publisher_pause(c); // it may not publish yet
    else
        subscriber_sleep(c);
    return any;
}

static void timeout(struct connection *c)
{
    if (c->conn.paused && publisher_may_publish(c))
        c->conn.paused = false;
}

static void stop(struct connection *c)
{
    if (!c->content.left)
        close_with(c, WS_GOING_AWAY, "the server stops");
    else
        conn_close(&c->conn);
}

// ---- coming and going ----------------------------------------------------------------------

static void begin(struct connection *c, bool echo, uint64_t seen)
{
    static const struct mode mode = {received, produce, timeout, stop};
    struct service *service = c->service;
    c->ws.echo = echo;
    c->ws.pinged = false;
    c->ws.heard = service->room.newest;
    c->ws.number = 0;
    if (echo) {
        websocket_begin(&c->ws.frames, true, ECHO_MAX);
    } else {
        c->ws.number = ++service->last_user;
        websocket_begin(&c->ws.frames, true, MESSAGE_MAX);
    }
    c->due_ns = conn_now(&c->conn) + service->settings.heartbeat_ms * INT64_C(1000000);
    c->mode = &mode;
    subscriber_join(c, seen);
    if (!echo && ++service->users <= ANNOUNCED_USERS)
        tell(c, "joined", (struct http_text){"", 0}, NULL);
}

void answer_websocket(struct connection *c, const struct http_request *request)
{
    struct http_text key = {NULL, 0}, since = http_parameter(request->query, "since");
    const char *why;
    int status = handshake_check(&request->head, &key, &why);
    char fields[100];
    struct http_out out = {fields, sizeof fields - 1, 0, false};
    if (status != 101) {
        handshake_put_refusal(&out);
        fields[out.length] = '\0';
        connection_refuse(c, status, why, fields);
        return;
    }
    log_line("%s: 101, a WebSocket", c->request);
    out = connection_out(c);
    handshake_put_answer(&out, key);
    connection_wrote(c, out.length);
    begin(c, http_is(request->path, "/ws/echo"), subscriber_position(c, since));
}

void websocket_chat_closed(struct connection *c)
{
    if (c->technique != WEBSOCKET || !c->subscribed)
        return;
    subscriber_leave(c);
    websocket_end(&c->ws.frames);
    if (!c->ws.echo && c->service->users-- <= ANNOUNCED_USERS)
        tell(c, "left", (struct http_text){"", 0}, c);
}
