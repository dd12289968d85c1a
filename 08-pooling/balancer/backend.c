// backend.c: one of the servers behind the balancer. It says which one it is, and can be slow,
// fail, or hold connections.
//
// Run:    ./backend --port 9001 --name one
// Watch:  curl -i localhost:9001/          who is it, and how many has it served?
//         curl localhost:9001/served       how many requests has it carried out?
//         curl localhost:9001/bytes/1000   so many bytes
//         curl -i localhost:9001/who       what does it know of the client?
//         curl localhost:9001/health       what the balancer's checks ask
//         A request to change to "websocket" is accepted; then it holds the connection.
//
// Read handle() first.
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

#define CLIENTS_MAX  12000
#define BACKLOG      4096
#define CONTENT_MAX  60000
#define WORKERS_MAX  64
#define ANSWER_ROOM  1000
#define WEBSOCKET_ID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 §1.3

static const char *name = "one";
static int delay_ms, workers, fail_every, drop_every;
static bool sick;
static long served, posts;
static int64_t free_ns[WORKERS_MAX]; // when each worker has done what it was given

struct request {
    struct conn conn;
    struct http_server http;
    int status;
    uint64_t bytes_left; // of /bytes/N
    char content[200], accept[40];
    char seen[200]; // further fields: what it has seen of the client
    bool waits, drops, held;
};

static struct request *request_of(struct conn *conn)
{
    return (struct request *)conn; // it begins with it
}

static void opened(struct conn *conn)
{
    request_of(conn)->http.content_max = CONTENT_MAX;
}

// A request takes delay_ms of a worker's time; where all are busy it waits for one of them.
static int64_t work_ms(const struct conn *conn)
{
    int first = 0;
    int64_t now = conn_now(conn), begin = now;
    for (int i = 1; i < workers; i++)
        if (free_ns[i] < free_ns[first])
            first = i;
    if (workers > 0 && free_ns[first] > now)
        begin = free_ns[first];
    free_ns[first] = begin + delay_ms * INT64_C(1000000);
    return (free_ns[first] - now + 999999) / 1000000;
}

static void accept_websocket(struct request *r, struct http_text key)
{
    char text[128];
    uint8_t digest[SHA1_BYTES];
    snprintf(text, sizeof text, "%.*s" WEBSOCKET_ID, (int)key.length, key.at);
    sha1(text, strlen(text), digest);
    base64(digest, SHA1_BYTES, r->accept);
    r->status = 101;
}

// What this server knows of its client: who has connected, and what the request says. The
// answer tells it, for /who.
static void tell_who(struct request *r, const struct http_request *request)
{
    char peer[NET_NAME];
    struct http_text forwarded = http_field(&request->head, "x-forwarded-for");
    snprintf(r->seen, sizeof r->seen,
             "X-Client: %s\r\nX-Forwarded: %.*s\r\nX-Request-Bytes: %zu\r\n",
             net_peer_name(r->conn.fd, peer), (int)forwarded.length % 60,
             forwarded.length ? forwarded.at : "", request->head.length);
}

// Says what the answer is; it is written when it is time.
static void handle(struct request *r, const struct http_request *request)
{
    struct http_text key = http_field(&request->head, "sec-websocket-key");
    bool post = http_is(request->head.method, "POST");
    uint64_t bytes = 0;
    r->status = 200;
    r->bytes_left = 0;
    *r->seen = '\0';
    if (request->path.length > 7 && !memcmp(request->path.at, "/bytes/", 7))
        http_number((struct http_text){request->path.at + 7, request->path.length - 7},
                    UINT64_C(1) << 40, &bytes);
    snprintf(r->content, sizeof r->content, "%s\n", name);
    if (http_is(request->path, "/health")) {
        if (sick)
            r->status = 503;
        return;
    }
    if (http_is(request->path, "/served")) {
        snprintf(r->content, sizeof r->content, "%ld\n", served);
        return;
    }
    served++;
    posts += post;
    if (fail_every > 0 && served % fail_every == 0)
        r->status = 500;
    if (key.length > 0 && key.length < 40)
        accept_websocket(r, key);
    if (http_is(request->path, "/who"))
        tell_who(r, request);
    r->bytes_left = bytes;
    r->drops = drop_every > 0 && served % drop_every == 0;
    if (delay_ms > 0) {
        r->waits = r->conn.paused = true;
        conn_deadline(&r->conn, work_ms(&r->conn));
    }
}

static void answer(struct request *r)
{
    struct http_out out = {conn_space(&r->conn), conn_room(&r->conn), 0, false};
    struct http_text content = {r->content, strlen(r->content)};
    char fields[300];
    snprintf(fields, sizeof fields, "X-Backend: %.60s\r\n%s", name, r->seen);
    if (r->status == 101) {
        http_put_text(&out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                            "Upgrade: websocket\r\n");
        http_put_field(&out, "X-Backend", name);
        http_put_field(&out, "Sec-WebSocket-Accept", r->accept);
        http_put_text(&out, "\r\n");
        r->held = true;
    } else if (r->bytes_left > 0) {
        http_server_head(&r->http, &out, r->status, (int64_t)r->bytes_left);
        http_put_text(&out, fields);
        http_put_text(&out, "\r\n");
        if (r->http.head_only)
            r->bytes_left = 0;
    } else {
        http_server_answer(&r->http, &out, r->status, "text/plain", fields, content);
    }
    conn_wrote(&r->conn, out.length);
    log_line("answers %d", r->status);
    http_server_done(&r->http);
    if (!r->http.keep_alive && r->bytes_left == 0 && !r->held)
        conn_close(&r->conn);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct request *r = request_of(conn);
    struct http_request request;
    size_t used = 0;
    if (r->held || r->drops)
        return length;
    while (used < length && !conn->paused && r->bytes_left == 0 &&
           conn_room(conn) >= ANSWER_ROOM) {
        struct http_out out = {conn_space(conn), conn_room(conn), 0, false};
        size_t part = http_server_take(&r->http, bytes + used, length - used, &request, &out);
        conn_wrote(conn, out.length);
        used += part;
        if (request.status == HTTP_MORE && part == 0)
            break;
        if (request.status > 0) {
            snprintf(r->content, sizeof r->content, "%d\n", request.status);
            r->status = request.status;
            answer(r);
        } else if (request.status == HTTP_WHOLE) {
            handle(r, &request);
            if (r->drops)
                conn_close(conn); // it has done the work, and says nothing
            else if (!r->waits)
                answer(r);
        }
    }
    return used;
}

// The bytes of /bytes/N, when the kernel has room.
static bool produce(struct conn *conn)
{
    struct request *r = request_of(conn);
    size_t part = conn_room(conn);
    if (r->bytes_left == 0 || r->waits)
        return false;
    if (part > r->bytes_left)
        part = (size_t)r->bytes_left;
    memset(conn_space(conn), 'x', part);
    conn_wrote(conn, part);
    r->bytes_left -= part;
    if (r->bytes_left == 0 && !r->http.keep_alive)
        conn_close(conn);
    return true;
}

static void timeout(struct conn *conn)
{
    request_of(conn)->waits = conn->paused = false;
    answer(request_of(conn));
}

static void closed(struct conn *conn)
{
    http_server_done(&request_of(conn)->http);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct request),
                                              .conns_max = CLIENTS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .timeout = timeout,
                                              .closed = closed};
    static const char *host = "127.0.0.1";
    static int port = 9001;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"name", OPTION_TEXT, &name, .help = "what it calls itself"},
        {"delay-ms", OPTION_INT, &delay_ms, 0, 60000, "ms of work for each request"},
        {"workers", OPTION_INT, &workers, 0, WORKERS_MAX,
         "requests that it works on at once; 0: all"},
        {"fail-every", OPTION_INT, &fail_every, 0, 1000000, "every Nth answer is a 500"},
        {"drop-every", OPTION_INT, &drop_every, 0, 1000000,
         "every Nth request is carried out, and not answered"},
        {"sick", OPTION_FLAG, &sick, .help = "/health answers 503"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 08, balancer: a server behind it.", options});
    log_begin(quiet);
    long connections = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: %s: connections %ld, requests %ld, POSTs %ld\n", name, connections, served,
           posts);
    return 0;
}
