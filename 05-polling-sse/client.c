// client.c: follows the news of a server, prints each event with its id and its delay, and
// connects again when the connection is lost. --by chooses how the client asks.
//
// Run:    ./client                    beside ./server; or --by poll, wait or websocket
// Watch:  the delays; then stop the server, start it again, and see what the client is told.
//
// Read main() first, then the three ways. eventstream.c and websocket.c read the bytes that
// come.
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "eventstream.h"
#include "news.h"
#include "options.h"
#include "output.h"
#include "printer.h"
#include "websocket_client.h"

#define WAIT_MS     8000    // the server may hold a long poll for so long
#define SILENCE_MS  45000   // three heartbeats: after such a silence the connection is dead
#define RETRY_MS    1000    // the client connects again after this time, or after retry:
#define MESSAGE_MAX 1048576 // bytes of a WebSocket message

static const char *host = "127.0.0.1", *by = "sse";
static int port = 8005, interval_ms = 1000, count;

static struct fetch f;                  // the connection
static char authority[HTTP_HOST_BYTES]; // the value of the Host field
static char why[ANSWER_WHY];            // the reason for which the connection is lost
static char last_id[EVENT_NAME];        // the id of the last event; "": there was none yet
static int events;                      // how many events were shown
static struct event_stream stream;
static struct websocket frames;
static struct buffer answer; // the part of a poll's answer that has come

static void show(const char *id, struct http_text name, struct http_text data)
{
    print_event(id, name, data);
    if (++events == count)
        exit(0);
}

static void show_json(struct http_text json)
{
    static struct buffer text;
    struct news news;
    if (!news_read(json, &text, &news))
        die("%s: malformed: this is no event", f.about);
    if (f.head.status == 101 && http_is(news.name, "chat"))
        return; // a message of the chat: it is no event of the feed, and has another id
    snprintf(last_id, sizeof last_id, "%llu", (unsigned long long)news.id);
    show(last_id, news.name, news.data);
}

static void keep_answer(struct fetch *from, struct http_text part)
{
    if (!buffer_add(&answer, part.at, part.length))
        die("%s: no memory for the answer", from->about);
}

static bool ask(const char *target)
{
    uint64_t position;
    answer.length = 0;
    f.piece = keep_answer;
    enum fetch_result result =
        fetch_send(&f, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, authority);
    if (result == FETCH_OK)
        result = fetch_answer(&f);
    if (!answer_is_good(&f, result, why))
        return false;
    if (http_number(http_field(&f.head, "feed-position"), UINT64_MAX, &position))
        snprintf(last_id, sizeof last_id, "%llu", (unsigned long long)position);
    struct http_text lines = {answer.bytes, answer.length}, line;
    while (news_next_line(&lines, &line))
        show_json(line);
    return true;
}

// Short and long polling. In long polling the server holds the request until there is news.
static void follow_by_polling(void)
{
    char target[EVENT_NAME + 60];
    if (!*last_id && !ask("/wait?timeout=0")) // the answer has the newest event's id
        return;
    do {
        int before = events;
        int64_t next_ns = now_ns() + interval_ms * INT64_C(1000000);
        // "/poll?since=7" or "/wait?since=7"
        snprintf(target, sizeof target, "/%s?since=%s&timeout=%d", by, last_id, WAIT_MS);
        if (!ask(target))
            return;
        int64_t left_ns = next_ns - now_ns();
        if (left_ns > 0 && (*by == 'p' || events == before))
            sleep_ms((double)left_ns / 1e6);
    } while (f.head.keep_alive);
    snprintf(why, sizeof why, "the server closed the connection");
}

static void show_event(const struct stream_event *event)
{
    show(event->id, (struct http_text){event->name, strlen(event->name)}, event->data);
}

static void take_stream(struct fetch *from, struct http_text part)
{
    if (from->head.status != 200)
        return;
    if (!event_stream_is(&from->head))
        die("%s: the answer is not of the type text/event-stream", from->about);
    if (!event_stream_take(&stream, part, show_event))
        die("%s: malformed: an event is longer than %d bytes", from->about, EVENT_MAX);
}

static void follow_by_sse(void)
{
    char since[EVENT_NAME + 30] = "";
    if (*stream.last_id)
        snprintf(since, sizeof since, "Last-Event-ID: %s\r\n", stream.last_id);
    enum fetch_result result = fetch_send(
        &f, "GET /events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n",
        authority, since);
    f.piece = take_stream;
    while (result == FETCH_OK && (result = fetch_take(&f)) == FETCH_MORE)
        result = answer_read(&f, SILENCE_MS, why);
    if (result == FETCH_CLOSED && f.in_answer)
        result = FETCH_OK; // such an answer ends with its connection
    if (answer_is_good(&f, result, why))
        snprintf(why, sizeof why, "the server ended the stream");
    event_stream_cut(&stream); // half of an event is no event
}

static void follow_by_websocket(void)
{
    char target[EVENT_NAME + 20] = "/ws";
    struct ws_message got = {.opcode = -1};
    if (*last_id)
        snprintf(target, sizeof target, "/ws?since=%s", last_id);
    enum fetch_result result = websocket_open(&f, authority, target, why);
    if (result == FETCH_MALFORMED)
        die("GET %s: %s", target, why);
    websocket_begin(&frames, false, MESSAGE_MAX);
    for (bool closed = false; result == FETCH_OK && !closed;) {
        ssize_t used = websocket_read(&frames, f.rest.at, f.rest.length, &got);
        if (used < 0) {
            websocket_send_close(&f, (int)-used);
            die("GET %s: malformed frames: closed with code %d", target, (int)-used);
        }
        fetch_use(&f, (size_t)used);
        if (got.opcode == WS_TEXT)
            show_json((struct http_text){got.bytes, got.length});
        else if (got.opcode == WS_PING)
            result = websocket_send(&f, WS_PONG, got.bytes, got.length);
        else if (got.opcode == WS_CLOSE)
            closed = websocket_send_close(&f, got.code) == FETCH_OK;
        else if (used == 0)
            result = answer_read(&f, SILENCE_MS, why);
    }
    if (got.opcode == WS_CLOSE)
        snprintf(why, sizeof why, "the server closed the WebSocket with code %d", got.code);
    websocket_end(&frames);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"by", OPTION_TEXT, &by, .help = "how to ask: poll, wait, sse or websocket"},
        {"interval-ms", OPTION_INT, &interval_ms, 1, 60000, "ms between two polls"},
        {"count", OPTION_INT, &count, 0, 1000000, "end after N events; 0: never"},
        {0}};
    struct sockaddr_storage server;
    void (*follow)(void) = follow_by_polling;
    options_parse(argc, argv, &(struct command){"", "Prints the news of a server.", options});
    if (!strcmp(by, "sse"))
        follow = follow_by_sse;
    else if (!strcmp(by, "websocket"))
        follow = follow_by_websocket;
    else if (strcmp(by, "poll") && strcmp(by, "wait"))
        options_reject("--by takes poll, wait, sse or websocket, not '%s'", by);
    output_begin();
    net_address(host, port, SOCK_STREAM, &server);
    http_authority(host, port, 80, authority);
    for (bool first = true;; first = false) {
        enum fetch_result result = fetch_open(&f, &server, 0);
        if (first)
            fetch_or_die(&f, result);
        if (answer_is_good(&f, result, why))
            follow();
        fetch_close(&f);
        uint64_t retry_ms = stream.retry_ms;
        if (!stream.has_retry || (result != FETCH_OK && retry_ms < RETRY_MS))
            retry_ms = RETRY_MS;
        printf("-- %s; %d events so far; back in %d ms\n", why, events, (int)retry_ms);
        output_flush();
        sleep_ms((double)retry_ms);
    }
}
