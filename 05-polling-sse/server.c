// server.c: one feed of events, and four ways to get it: short polling, long polling,
// server-sent events, WebSocket. The same events, so that their price can be compared.
//
// Run:    ./server              then http://localhost:8005/ in a browser, ./client, or
//         curl 'localhost:8005/poll?since=0'       curl -d hello localhost:8005/publish
//         curl -N localhost:8005/events            curl localhost:8005/stats
// Watch:  which client asks, and which one is only told. A published event goes into a ring
//         (parts/feed.c). For a subscriber the server keeps only its position in this ring.
//
// Read the loop's calls, just below, and the routes; then polling.c and sse.c. A connection is
// in one mode at a time (parts/connection.h): it reads requests, or it waits for news, or it is
// a stream, or it is a WebSocket. Each call of the loop calls a function of this mode.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "assistant.h"
#include "exchange.h"
#include "fan_out.h"
#include "jobs.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "page.h"
#include "polling.h"
#include "publisher.h"
#include "sse.h"
#include "stats.h"
#include "log.h"
#include "subscriber.h"
#include "utf8.h"
#include "websocket_chat.h"

#define CONNECTIONS_MAX 10500 // 10,000 subscribers, and some publishers
#define BACKLOG         4096
#define ROOM_EVENTS     1000 // events of the chat that are kept for slow subscribers
#define NAME_MAX_BYTES  32   // the longest name of an event

static void opened(struct conn *conn);
static size_t received(struct conn *conn, const char *bytes, size_t length);
static bool produce(struct conn *conn);
static bool round_ends(void);
static void timeout(struct conn *conn);
static void woken(struct conn *conn);
static void stop(struct conn *conn);
static void closed(struct conn *conn);

// What the loop (../common/loop.h) calls, each time for one connection.
static struct loop_server server = {
    .conn_bytes = sizeof(struct connection),
    .conns_max = CONNECTIONS_MAX,
    .stall_ms = LOOP_STALL_MS,
    .opened = opened,     // a client was accepted
    .received = received, // bytes have come; returns how many were used; 0 means wait for more
    .produce = produce,   // the kernel has taken all output; returns true if it wrote more
    .timeout = timeout,   // the deadline of the connection has passed; produce() is called next
    .woken = woken,       // another connection has woken this one; produce() is called next
    .stop = stop,         // the program is to stop; the connection closes when it is ready to
    .closed = closed,     // the connection is gone; what belongs to it is freed
    .round = round_ends,  // all that has come is served; returns true to be called again soon
};

static struct service service = {
    .settings = {.heartbeat_ms = 15000,
                 .retry_ms = 1000,
                 .queue = 500,
                 .token_ms = 50,
                 .rate = 1,
                 .burst = 1,
                 .origins = ""},
    .tick_ns = INT64_MAX,
};

// ---- POST /publish, POST /cut --------------------------------------------------------------

// Names that have a meaning of their own: "reset" and "chat" are the server's words, and
// EventSource calls its own events "open" and "error" (HTML standard §9.2.2).
static bool is_reserved(struct http_text name)
{
    static const char *const names[] = {"reset", "chat", "open", "error"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (http_is(name, names[i]))
            return true;
    return false;
}

// A name stands in a line of its own, so it must not contain a line end.
static bool is_name(struct http_text name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!memchr("-_.", name.at[i], 3) && !(name.at[i] >= '0' && name.at[i] <= '9') &&
            !((name.at[i] | 0x20) >= 'a' && (name.at[i] | 0x20) <= 'z'))
            return false;
    return name.length <= NAME_MAX_BYTES && !is_reserved(name);
}

static void answer_publish(struct connection *c, const struct http_request *request)
{
    struct http_text name = http_parameter(request->query, "event"), data = request->content;
    char text[40];
    if (!is_name(name)) {
        connection_refuse(c, 400,
                          "this event name is reserved, too long, or has other characters", "");
        return;
    }
    if (!utf8_is_valid(data.at, data.length)) {
        connection_refuse(c, 400, "the text of an event is UTF-8", "");
        return;
    }
    uint64_t id = publisher_publish(c, &service.news, name, data, NULL);
    if (!id) {
        connection_refuse(c, 503, "no memory for this event", "");
        return;
    }
    int length = snprintf(text, sizeof text, "{\"id\":%llu}\n", (unsigned long long)id);
    connection_answer(c, 200, "application/json", (struct http_text){text, (size_t)length}, "");
}

// Closes the connections of all subscribers without a word, as a broken network does.
static void answer_cut(struct connection *c, const struct http_request *request)
{
    (void)request;
    service.cuts++;
    subscribers_wake(&service);
    connection_answer(c, 200, "text/plain", (struct http_text){"cut\n", 4}, "");
}

static const struct route routes[] = {{"GET", "/", OTHER, answer_page},
                                      {"GET", "/poll", POLL, answer_poll},
                                      {"GET", "/wait", WAIT, answer_wait},
                                      {"GET", "/events", SSE, answer_events},
                                      {"GET", "/ws", WEBSOCKET, answer_websocket},
                                      {"GET", "/ws/echo", WEBSOCKET, answer_websocket},
                                      {"POST", "/publish", OTHER, answer_publish},
                                      {"POST", "/cut", OTHER, answer_cut},
                                      {"POST", "/jobs", OTHER, answer_submit},
                                      {"GET", "/jobs/", OTHER, answer_job},
                                      {"POST", "/chat", OTHER, answer_chat},
                                      {"GET", "/stats", OTHER, answer_stats},
                                      {0}};

// ---- what the loop calls -------------------------------------------------------------------

// A connection begins with the loop's conn, so both have the same address.
static struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

static void opened(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->service = &service;
    service.traffic[c->technique].clients++;
    exchange_open(c);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = connection_of(conn);
    publisher_tick(&service, conn_now(conn));
    if (!c->mode->received)
        return 0; // this mode reads nothing now: the bytes wait
    return c->mode->received(c, bytes, length);
}

static bool produce(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    return c->mode->produce && c->mode->produce(c);
}

static void timeout(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    publisher_tick(&service, conn_now(conn));
    if (c->mode->timeout)
        c->mode->timeout(c);
}

static void woken(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    // A subscriber may have left since it was woken: then there is nothing to do.
    if ((c->subscribed || c->evicted) && c->mode->timeout)
        c->mode->timeout(c);
}

static void stop(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->mode->stop(c);
}

static void closed(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    // The loop closes a connection whose client takes its output too slowly (loop.h).
    if (c->subscribed && conn->events & EPOLLOUT && !conn->broken)
        service.dropped_stalled++;
    websocket_chat_closed(c);
    subscriber_leave(c);
    connection_closed(c);
}

static bool round_ends(void)
{
    if (service.has_news)
        fan_out(&service);
    service.has_news = false;
    return false;
}

// ---- the program ---------------------------------------------------------------------------

// The time of day in microseconds: the first id of this run. All ids of this run are then above
// those of an earlier run, unless that run published a million events a second. JavaScript
// holds such a number exactly: 2^53 microseconds is the year 2255.
static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void begin(int ring, int first_id, const char *fan_out_by)
{
    if (!strcmp(fan_out_by, "uring"))
        fan_out_begin(&service);
    else if (strcmp(fan_out_by, "send"))
        options_reject("--fan-out takes send or uring, not '%s'", fan_out_by);
    uint64_t first = (uint64_t)first_id;
    if (first == 0)
        first = clock_us();
    service.routes = routes;
    service.jobs = jobs_begin(first);
    service.page = page_begin("index.html");
    if (!service.jobs || !feed_begin(&service.news, (uint32_t)ring, first) ||
        !feed_begin(&service.room, ROOM_EVENTS, 1))
        die("no memory for a feed of %d events", ring);
    if (service.settings.rate > 0)
        service.tick_ns = now_ns() + (int64_t)(1e9 / service.settings.rate);
}

static void end(void)
{
    feed_end(&service.news);
    feed_end(&service.room);
    jobs_end(service.jobs);
    page_end(service.page);
    fan_out_end(&service);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *fan_out_by = "send";
    static int port = 8005, ring = 1000, first_id;
    static bool quiet;
    struct settings *set = &service.settings;
    const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"rate", OPTION_NUMBER, &set->rate, 0, 10000, "bursts of events a second"},
        {"burst", OPTION_INT, &set->burst, 1, 1000, "events in a burst"},
        {"ring", OPTION_INT, &ring, 1, 1000000, "events that it keeps"},
        {"first-id", OPTION_INT, &first_id, 0, INT_MAX, "first id; 0: from the clock"},
        {"queue", OPTION_INT, &set->queue, 1, 1000000, "unread events at most"},
        {"heartbeat-ms", OPTION_INT, &set->heartbeat_ms, 10, 3600000,
         "ms between two heartbeats"},
        {"stall-ms", OPTION_INT, &server.stall_ms, 100, 3600000,
         "ms in which a slow reader has to take 500 bytes a second"},
        {"retry-ms", OPTION_INT, &set->retry_ms, 0, 3600000, "ms until it connects again"},
        {"token-ms", OPTION_INT, &set->token_ms, 0, 10000, "ms between two words of /chat"},
        {"origin", OPTION_TEXT, &set->origins,
         .help = "allowed origins, with spaces between; \"*\": any"},
        {"fan-out", OPTION_TEXT, &fan_out_by,
         .help = "send: a system call for each reader; uring: for hundreds"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 05: the news, in four ways.", options});
    log_begin(quiet);
    begin(ring, first_id, fan_out_by);
    long connections = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, events %llu\n", connections,
           (unsigned long long)(service.news.newest + 1 - service.news.first));
    end();
    return 0;
}
