// room.c: see room.h. Read answer_websocket() first, then received() and produce().
#include "room.h"

#include <stdio.h>
#include <string.h>

#include "handshake.h"
#include "reader.h"
#include "story.h"

#define REPLY_ROOM (WS_HEADER_BYTES + WS_CONTROL_BYTES) // for a pong or a close

// ---- sending -------------------------------------------------------------------------------

static void send_frame(struct session *s, enum ws_opcode opcode, const char *bytes,
                       size_t length)
{
    char *to = conn_space(&s->conn);
    size_t header = websocket_put_header(to, opcode, true, length, NULL);
    memcpy(to + header, bytes, length);
    session_wrote(s, header + length);
}

// Says goodbye. The connection is closed when that is sent (RFC 6455 §7.1.1: the server first).
static void close_with(struct session *s, int code, const char *reason)
{
    if (conn_room(&s->conn) >= REPLY_ROOM)
        session_wrote(s, websocket_put_close(conn_space(&s->conn), code, reason, NULL));
    if (code != WS_NORMAL && code != WS_GOING_AWAY && code != WS_NO_CODE)
        story_event("user %u: closed with %d %s", s->ws.number, code, reason);
    conn_close(&s->conn);
}

// Tells everybody else, or everybody, in the chat.
static void tell(struct session *s, const char *what, struct http_text text, bool everybody)
{
    struct buffer line = {0};
    char begin[40];
    int length = snprintf(begin, sizeof begin, "user %u %s", s->ws.number, what);
    if (buffer_add(&line, begin, (size_t)length) && buffer_add(&line, text.at, text.length))
        reader_publish(s, &s->service->room, (struct http_text){"chat", 4},
                       (struct http_text){line.bytes, line.length}, everybody ? NULL : s);
    buffer_free(&line);
}

// ---- receiving -----------------------------------------------------------------------------

static void take_message(struct session *s, const struct ws_message *got)
{
    struct http_text text = {got->length ? got->bytes : "", got->length};
    if (s->ws.echo) {
        char *to = conn_space(&s->conn);
        enum ws_opcode opcode = (enum ws_opcode)got->opcode;
        session_wrote(s, websocket_put_header(to, opcode, true, text.length, NULL));
        session_send_from(s, text, NULL);
        session_send(s);
    } else if (got->opcode == WS_BINARY) {
        close_with(s, WS_UNSUPPORTED, "this chat is text only");
    } else {
        tell(s, "says: ", text, false);
    }
}

static void take(struct session *s, const struct ws_message *got)
{
    switch (got->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        take_message(s, got);
        break;
    case WS_PING:
        send_frame(s, WS_PONG, got->bytes, got->length);
        break;
    case WS_CLOSE: // the same code back (§5.5.1)
        close_with(s, got->code, "");
        break;
    default: // a pong has done its work by coming
        break;
    }
}

static const char *reason_of(int code)
{
    return code == WS_TOO_BIG     ? "message too big"
           : code == WS_NOT_UTF8  ? "text is not UTF-8"
           : code == WS_TRY_LATER ? "no memory for this message"
                                  : "not a frame of RFC 6455";
}

static size_t received(struct session *s, const char *bytes, size_t length)
{
    struct ws_message got;
    size_t used = 0;
    ssize_t part = 1;
    while (part > 0 && used < length && !s->conn.closing && !s->content.left &&
           !s->conn.paused && conn_room(&s->conn) >= REPLY_ROOM) {
        part = websocket_read(&s->ws.reader, bytes + used, length - used, &got);
        if (part < 0) {
            close_with(s, (int)-part, reason_of((int)-part));
            return length;
        }
        used += (size_t)part;
        take(s, &got);
        if (!s->content.left)
            websocket_forget(&s->ws.reader);
        if (reader_turn_is_over(s))
            reader_pause(s);
    }
    s->ws.pinged = s->ws.pinged && !used;
    s->service->traffic[s->technique].bytes_in += used;
    return used;
}

// ---- what time brings ----------------------------------------------------------------------

// The heartbeat is due. True: there is a ping to be sent. A client that has not answered the
// last one is gone, whatever TCP believes.
static bool beat(struct session *s)
{
    s->due_ns = conn_now(&s->conn) + s->service->settings.heartbeat_ms * INT64_C(1000000);
    if (s->ws.pinged) {
        s->service->dropped_silent++;
        close_with(s, WS_POLICY, "no pong");
        return false;
    }
    s->ws.pinged = true;
    send_frame(s, WS_PING, "", 0);
    return true;
}

// A user who reads too slowly is told how many lines of the chat are missing.
static void tell_of_gap(struct session *s)
{
    const struct feed *room = &s->service->room;
    char text[60];
    int length = snprintf(text, sizeof text, "(%llu lines are missing here)",
                          (unsigned long long)(room->oldest - 1 - s->ws.heard));
    struct event *event = event_make(room->oldest - 1, (struct http_text){"chat", 4},
                                     (struct http_text){text, (size_t)length});
    if (!event)
        return; // there is no memory: it is told when there is
    s->ws.heard = event->id;
    session_send_from(s, event_text(event, FEED_FRAME), event);
}

static bool send_news(struct session *s)
{
    struct service *service = s->service;
    bool any = reader_catch_up(s, &service->news, &s->seen, FEED_FRAME);
    if (!s->content.left && feed_has_moved_on(&service->room, s->ws.heard))
        tell_of_gap(s);
    return reader_catch_up(s, &service->room, &s->ws.heard, FEED_FRAME) || any;
}

static bool produce(struct session *s)
{
    bool any = session_send(s);
    if (s->content.left)
        return any;
    if (any)
        websocket_forget(&s->ws.reader);
    if (reader_is_cut(s)) {
        conn_close(&s->conn);
        return false;
    }
    if (reader_is_too_slow(s) && !s->ws.echo) {
        s->service->dropped_slow++;
        close_with(s, WS_TRY_LATER, "too slow: come back with ?since=");
        return false;
    }
    if (!s->ws.echo)
        any = send_news(s) || any;
    if (conn_now(&s->conn) >= s->due_ns && conn_room(&s->conn) >= REPLY_ROOM &&
        !s->content.left)
        any = beat(s) || any;
    if (s->conn.paused)
        reader_pause(s); // its turn has not come yet
    else
        reader_sleep(s);
    return any;
}

static void timeout(struct session *s)
{
    if (s->conn.paused && reader_may_publish(s))
        s->conn.paused = false;
}

static void stop(struct session *s)
{
    if (!s->content.left)
        close_with(s, WS_GOING_AWAY, "the server stops");
    else
        conn_close(&s->conn);
}

// ---- coming and going ----------------------------------------------------------------------

static void begin(struct session *s, bool echo, uint64_t seen)
{
    static const struct mode mode = {received, produce, timeout, stop};
    struct service *service = s->service;
    s->ws.echo = echo;
    s->ws.pinged = false;
    s->ws.heard = service->room.newest;
    s->ws.number = echo ? 0 : ++service->last_user;
    websocket_begin(&s->ws.reader, true, echo ? ECHO_MAX : MESSAGE_MAX);
    s->due_ns = conn_now(&s->conn) + service->settings.heartbeat_ms * INT64_C(1000000);
    s->mode = &mode;
    reader_join(s, seen);
    if (!echo && ++service->users <= ANNOUNCED_USERS)
        tell(s, "joined", (struct http_text){"", 0}, true);
}

void answer_websocket(struct session *s, const struct request *request)
{
    struct http_text key = {NULL, 0}, since = http_parameter(request->query, "since");
    int status = handshake_check(request->head, &key);
    char fields[100];
    struct http_out out = {fields, sizeof fields - 1, 0, false};
    if (status != 101) {
        handshake_put_refusal(&out);
        fields[out.length] = '\0';
        session_refuse(s, status, fields);
        return;
    }
    out = session_out(s);
    handshake_put_answer(&out, key);
    session_wrote(s, out.length);
    begin(s, http_is(request->path, "/ws/echo"), reader_position(s, since));
}

void room_closed(struct session *s)
{
    if (s->technique != WEBSOCKET || !s->reading)
        return;
    reader_leave(s);
    websocket_end(&s->ws.reader);
    if (!s->ws.echo && s->service->users-- <= ANNOUNCED_USERS)
        tell(s, "left", (struct http_text){"", 0}, false);
}
