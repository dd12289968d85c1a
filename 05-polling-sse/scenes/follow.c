// follow.c: see follow.h. Read ask() first: the request of each way. Then read the four
// take_...().
#include "follow.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "net.h"
#include "websocket_client.h"

#define MESSAGE_MAX 1048576
#define WAIT_MS     8000 // the server may hold a long poll for so long
#define LOST_RETRY_MS                                                                          \
    1000 // SSE connects again after this time if the server has sent no retry:

const char *const way_name[WAYS] = {"short polling", "long polling", "SSE", "WebSocket"};

int news_number(const struct news *news)
{
    int number = -1;
    for (size_t i = 0; i < news->data.length && i < 9; i++) {
        char digit = news->data.at[i];
        if (digit < '0' || digit > '9')
            break;
        if (number < 0)
            number = 0;
        number = number * 10 + (digit - '0');
    }
    return number;
}

// Takes an event from a line of a poll's answer or from a WebSocket message. A WebSocket also
// brings messages of the chat: they are no events of the feed, and have ids of their own.
static void tell_json(struct follower *f, struct http_text json)
{
    struct news news;
    if (!news_read(json, &f->text, &news))
        die("%s: this is no event", way_name[f->way]);
    if (f->way == WEB_SOCKET && http_is(news.name, "chat"))
        return;
    f->seen = news.id;
    f->told(f, &news);
}

// ---- asking --------------------------------------------------------------------------------

static void open_websocket(struct follower *f)
{
    char target[60], why[ANSWER_WHY];
    snprintf(target, sizeof target, "/ws?since=%llu", (unsigned long long)f->seen);
    if (websocket_open(&f->fetch, "workbench", target, why) != FETCH_OK)
        die("GET %s: %s", target, why);
    websocket_begin(&f->socket, false, MESSAGE_MAX);
    f->connected = true;
}

// Keeps a part of the answer to a poll.
static void take_part(struct fetch *fetch, struct http_text part)
{
    struct follower *f = (struct follower *)fetch;
    if (!buffer_add(&f->answer, part.at, part.length))
        die("%s: no memory for the answer", way_name[f->way]);
}

static void ask(struct follower *f)
{
    struct fetch *fetch = &f->fetch;
    enum fetch_result sent = FETCH_OK;
    unsigned long long seen = f->seen;
    if (fetch->fd < 0)
        ask_open(fetch);
    fetch->piece = take_part;
    fetch->head_only = f->way == SERVER_SENT; // take_stream() reads what follows the head
    f->requests++;
    f->asked = true;
    f->due_ns = now_ns() + f->interval_ms * INT64_C(1000000);
    switch (f->way) {
    case SHORT_POLLING:
        sent = fetch_send(fetch, "GET /poll?since=%llu HTTP/1.1\r\n" FETCH_HOST "\r\n", seen);
        break;
    case LONG_POLLING:
        sent =
            fetch_send(fetch, "GET /wait?since=%llu&timeout=%d HTTP/1.1\r\n" FETCH_HOST "\r\n",
                       seen, WAIT_MS);
        break;
    case SERVER_SENT: // the header is what EventSource sends when it comes back
        sent = fetch_send(fetch,
                          "GET /events HTTP/1.1\r\n" FETCH_HOST
                          "Accept: text/event-stream\r\nLast-Event-ID: %llu\r\n\r\n",
                          seen);
        break;
    default:
        open_websocket(f);
    }
    fetch_or_die(fetch, sent);
}

void follower_begin(struct follower *f, enum way way, uint64_t since, int interval_ms,
                    void (*told)(struct follower *, const struct news *))
{
    memset(f, 0, sizeof *f);
    f->way = way;
    f->seen = since;
    f->interval_ms = interval_ms;
    f->told = told;
    f->fetch.fd = -1;
    ask(f);
}

void follower_end(struct follower *f)
{
    fetch_close(&f->fetch);
    event_stream_cut(&f->stream);
    buffer_free(&f->answer);
    buffer_free(&f->text);
    if (f->way == WEB_SOCKET)
        websocket_end(&f->socket);
}

// ---- reading answers -----------------------------------------------------------------------

static void take_answer(struct follower *f)
{
    if (!fetch_or_die(&f->fetch, fetch_take(&f->fetch)))
        return;
    f->asked = false;
    f->empty += f->answer.length == 0;
    struct http_text lines = {f->answer.bytes, f->answer.length}, line;
    while (news_next_line(&lines, &line))
        tell_json(f, line);
    f->answer.length = 0;
    if (f->way == LONG_POLLING)
        f->due_ns = 0; // the next request is due at once
}

static void take_stream(struct follower *f)
{
    struct fetch *fetch = &f->fetch;
    struct stream_event got;
    ssize_t used = 1;
    if (!f->connected) {
        if (!fetch_or_die(fetch, fetch_take(fetch)))
            return;
        if (fetch->head.status != 200)
            die("no events: the server says %d", fetch->head.status);
        f->connected = true;
    }
    while (fetch->rest.length && used > 0) {
        used = event_stream_read(&f->stream, fetch->rest.at, fetch->rest.length, &got);
        if (used < 0)
            die("an event is too long");
        fetch_use(fetch, (size_t)used);
        if (!got.name)
            continue;
        f->seen = strtoull(got.id, NULL, 10);
        struct news news = {f->seen, {got.name, strlen(got.name)}, got.data};
        f->told(f, &news);
    }
}

static void take_frames(struct follower *f)
{
    struct fetch *fetch = &f->fetch;
    struct ws_message got;
    ssize_t used = 1;
    while (fetch->rest.length && used > 0) {
        used = websocket_read(&f->socket, fetch->rest.at, fetch->rest.length, &got);
        if (used < 0 || (used > 0 && got.opcode == WS_CLOSE))
            die("the WebSocket is closed");
        fetch_use(fetch, (size_t)used);
        if (used > 0 && got.opcode == WS_TEXT)
            tell_json(f, (struct http_text){got.bytes, got.length});
        if (used > 0 && got.opcode == WS_PING)
            fetch_or_die(fetch, websocket_send(fetch, WS_PONG, got.bytes, got.length));
    }
}

// The connection is lost. The follower connects again after a while, as EventSource does.
static void lost(struct follower *f)
{
    if (f->way != SERVER_SENT)
        die("%s: the server closed the connection", way_name[f->way]);
    uint64_t retry_ms = LOST_RETRY_MS;
    if (f->stream.has_retry)
        retry_ms = f->stream.retry_ms;
    fetch_close(&f->fetch);
    event_stream_cut(&f->stream); // half of an event is no event
    f->connected = f->asked = false;
    f->due_ns = now_ns() + (int64_t)retry_ms * 1000000;
}

void follower_cut(struct follower *f)
{
    lost(f);
}

void follower_look(struct follower *f, bool readable)
{
    enum fetch_result result = FETCH_MORE;
    if (readable)
        result = fetch_read(&f->fetch);
    if (result == FETCH_CLOSED || result == FETCH_RESET) {
        lost(f);
    } else if (fetch_or_die(&f->fetch, result)) {
        if (f->way == SERVER_SENT)
            take_stream(f);
        else if (f->way == WEB_SOCKET)
            take_frames(f);
        else
            take_answer(f);
    }
    if (!f->asked && now_ns() >= f->due_ns)
        ask(f);
}

void follow(struct follower *const *followers, int count,
            bool (*step)(int64_t now_ns, int64_t *wake_ns))
{
    struct pollfd polls[WAYS];
    int64_t wake_ns = 0;
    for (int i = 0; i < count; i++) // frames may have come with the answer to a handshake
        if (followers[i]->way == WEB_SOCKET)
            take_frames(followers[i]);
    for (;;) {
        int64_t now = now_ns();
        wake_ns = now + FETCH_PATIENCE_MS * INT64_C(1000000);
        if (!step(now, &wake_ns))
            return;
        for (int i = 0; i < count; i++) {
            const struct follower *f = followers[i];
            polls[i] = (struct pollfd){f->fetch.fd, POLLIN, 0};
            if (!f->asked && f->due_ns < wake_ns)
                wake_ns = f->due_ns;
        }
        int64_t left = wake_ns - now;
        if (left < 0)
            left = 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        if (ppoll(polls, (nfds_t)count, &wait, NULL) < 0)
            die("cannot wait for news");
        for (int i = 0; i < count; i++)
            follower_look(followers[i], polls[i].revents);
    }
}
