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

// Says goodbye. The connection is closed when that is sent (RFC 6455 §7.1.1: the server first).
static void close_with(struct connection *c, int code, const char *reason)
{
    if (conn_room(&c->conn) >= REPLY_ROOM)
        connection_wrote(c, websocket_put_close(conn_space(&c->conn), code, reason, NULL));
    if (code != WS_NORMAL && code != WS_GOING_AWAY && code != WS_NO_CODE)
        log_line("user %u: closed with %d %s", c->ws.number, code, reason);
    conn_close(&c->conn);
}

// Tells everybody else, or everybody, in the chat.
static void tell(struct connection *c, const char *what, struct http_text text, bool everybody)
{
    struct buffer line = {0};
    char begin[40];
    int length = snprintf(begin, sizeof begin, "user %u %s", c->ws.number, what);
    if (buffer_add(&line, begin, (size_t)length) && buffer_add(&line, text.at, text.length))
        publisher_publish(c, &c->service->room, (struct http_text){"chat", 4},
                          (struct http_text){line.bytes, line.length}, everybody ? NULL : c);
    buffer_free(&line);
}

// ---- receiving -----------------------------------------------------------------------------

static void take_message(struct connection *c, const struct ws_message *got)
{
    struct http_text text = {got->length ? got->bytes : "", got->length};
    if (c->ws.echo) {
        char *to = conn_space(&c->conn);
        enum ws_opcode opcode = (enum ws_opcode)got->opcode;
        connection_wrote(c, websocket_put_header(to, opcode, true, text.length, NULL));
        connection_send_from(c, text, NULL);
        connection_send(c);
    } else if (got->opcode == WS_BINARY) {
        close_with(c, WS_UNSUPPORTED, "this chat is text only");
    } else {
        tell(c, "says: ", text, false);
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
    case WS_CLOSE: // the same code back (§5.5.1)
        close_with(c, got->code, "");
        break;
    default: // a pong has done its work by coming
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

// ---- what time brings ----------------------------------------------------------------------

// The heartbeat is due. True: there is a ping to be sent. A client that has not answered the
// last one is gone, whatever TCP believes.
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

// A user who reads too slowly is told how many lines of the chat are missing.
static void tell_of_gap(struct connection *c)
{
    const struct feed *room = &c->service->room;
    char text[60];
    int length = snprintf(text, sizeof text, "(%llu lines are missing here)",
                          (unsigned long long)(room->oldest - 1 - c->ws.heard));
    struct event *event = event_make(room->oldest - 1, (struct http_text){"chat", 4},
                                     (struct http_text){text, (size_t)length});
    if (!event)
        return; // there is no memory: it is told when there is
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
        publisher_pause(c); // its turn has not come yet
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
    c->ws.number = echo ? 0 : ++service->last_user;
    websocket_begin(&c->ws.frames, true, echo ? ECHO_MAX : MESSAGE_MAX);
    c->due_ns = conn_now(&c->conn) + service->settings.heartbeat_ms * INT64_C(1000000);
    c->mode = &mode;
    subscriber_join(c, seen);
    if (!echo && ++service->users <= ANNOUNCED_USERS)
        tell(c, "joined", (struct http_text){"", 0}, true);
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
        tell(c, "left", (struct http_text){"", 0}, false);
}
