// server.c: HTTP/1.1 over one epoll loop. A request is a head and perhaps content; an answer
// has the same form. Both come in a stream of bytes, and only the head says where each one
// ends.
//
// Run:    ./server             then, in another terminal: ./client, or curl -v localhost:8002/
// Watch:  one read() may bring half a request or twenty of them. Whatever a connection waits
//         for (content, the end of a delay, room in the socket) is kept in its struct
//         connection, so that the loop never waits for one client while others have something
//         to do.
//
// Read `calls` first, then received(), then take_request(), where a head becomes an answer. How
// the answer is sent is in response.c, what it says in pages.c. Heads and content are read in
// ../common/http_head.c and http_framing.c; the loop is ../common/loop.c.
#include <stdio.h>

#include "log.h"
#include "net.h"
#include "options.h"
#include "response.h"

#define CONNECTIONS_MAX   10000
#define BACKLOG           4096
#define CONTENT_MAX_BYTES (1 << 20) // of a request, where the content is kept in memory
#define CONTENT_RATE_MIN  4096      // bytes a second that content has to come with

static int idle_ms = 15000; // without a request, or without more of its content
static int head_ms = 10000; // for a whole head, however slowly it comes
static long requests;

static void opened(struct conn *conn);
static size_t received(struct conn *conn, const char *bytes, size_t length);
static bool produce(struct conn *conn);
static void timeout(struct conn *conn);
static void woken(struct conn *conn);
static void stop(struct conn *conn);
static void closed(struct conn *conn);

// What the loop calls, always for one connection.
static const struct loop_server calls = {
    .conn_bytes = sizeof(struct connection), // the loop allocates it, all zero
    .conns_max = CONNECTIONS_MAX,
    .opened = opened,     // after accept()
    .received = received, // bytes have come: returns how many it has used; 0: it needs more
    .produce = produce,   // the kernel has taken all output: returns true if it makes more
    .timeout = timeout,   // the time of conn_deadline() has come
    .woken = woken,       // another connection has called conn_wake(): kept_content.c does
    .stop = stop,         // the program is to stop: the connection may end what it has begun
    .closed = closed,     // the connection is gone: frees what belongs to it
};

// The loop hands over its struct conn, which is the first member of our struct connection, so
// both have the same address.
static struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// ---- the request ---------------------------------------------------------------------------

// Sets the deadline for more content. Each byte that has come moves the deadline a little
// further, but never further than idle_ms from now. So a client that sends one byte from time
// to time still misses the deadline.
static void put_off_deadline(struct connection *c, size_t bytes)
{
    int64_t now_ns = conn_now(&c->conn), latest_ns = now_ns + idle_ms * INT64_C(1000000);
    c->content_due_ns += (int64_t)bytes * (1000000000 / CONTENT_RATE_MIN);
    if (c->content_due_ns > latest_ns)
        c->content_due_ns = latest_ns;
    conn_deadline(&c->conn, (c->content_due_ns - now_ns) / 1000000);
}

// The request has come as a whole, with its content if it has any: sends the answer.
static void finish_request(struct connection *c)
{
    if (c->upload.fd) {
        int status = upload_end(&c->upload, true);
        if (status) {
            send_refusal(c, status, c->upload.why);
            return;
        }
        c->answer.status = c->upload.created ? 201 : 204;
        c->answer.type = NULL;
    } else if (c->answer.echo) {
        c->answer.text = c->kept.bytes;
        c->answer.length = c->kept.length;
    }
    send_answer(c);
}

// Answers a request without reading its content: the content is too long, or the client waits
// for 100 (Continue) and gets an error instead. Then the server cannot know whether the content
// still comes, so the connection closes.
static void answer_without_content(struct connection *c)
{
    c->keep_alive = false;
    if (c->answer.status >= 400)
        send_answer(c);
    else
        send_refusal(c, 413, "at most 1048576 bytes of content are taken here");
}

// A whole head is here: decides on the answer, and on what becomes of the content behind it.
static void take_request(struct connection *c, const struct http_head *head)
{
    c->keep_alive = head->keep_alive && !c->conn.told_to_stop;
    c->head_only = http_is(head->method, "HEAD");
    c->minor = head->minor;
    c->phase = READ_CONTENT;
    c->content_bytes = 0;
    c->answer = (struct answer){0};
    requests++;
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    answer_request(head, &c->answer, &c->upload);
    http_body_of_request(&c->body, head);
    if (c->body.done) {
        finish_request(c);
        return;
    }
    bool too_long = !c->upload.fd && head->content_length > CONTENT_MAX_BYTES;
    if (too_long || (head->expects_continue && c->answer.status >= 400)) {
        answer_without_content(c);
        return;
    }
    c->content_due_ns = INT64_MAX / 2; // put_off_deadline() limits it to idle_ms from now
    put_off_deadline(c, 0);
    if (head->expects_continue) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(conn_space(&c->conn), go_on, sizeof go_on - 1);
        conn_wrote(&c->conn, sizeof go_on - 1);
    }
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct connection *c, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&c->body, bytes, length, &content);
    int status = 0;
    const char *why = NULL;
    if (used < 0) {
        send_refusal(c, (int)-used, c->body.why);
        return length; // the bytes are thrown away
    }
    put_off_deadline(c, content.length);
    c->content_bytes += content.length;
    if (c->upload.fd) {
        status = upload_write(&c->upload, content);
        why = c->upload.why;
    } else if (c->content_bytes > CONTENT_MAX_BYTES) {
        answer_without_content(c);
        return (size_t)used;
    } else if (c->answer.echo && !kept_add(&c->kept, &c->conn, content)) {
        status = 503;
        why = "too much content waits to be echoed; try again later";
    }
    if (status)
        send_refusal(c, status, why);
    else if (c->body.done)
        finish_request(c);
    return (size_t)used;
}

// True if a head has begun. Empty lines alone do not begin one: some clients send an empty line
// behind the content of a request.
static bool is_begun(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n')
            return true;
    return false;
}

// Uses the bytes step by step: a whole head, or a part of the content. Ends when a head is not
// whole, when the connection waits for something else than the client, when it is to close, or
// when there is no room for another answer. The loop keeps the bytes that were not used.
static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    static struct http_head head; // valid during this call: its texts point into bytes
    struct connection *c = connection_of(conn);
    size_t used = 0, part = 1; // part: bytes that the last step used; 0: more have to come
    while (part && used < length && !conn->closing && conn_room(conn) >= HEAD_ROOM_BYTES &&
           (c->phase == READ_HEAD || c->phase == READ_CONTENT)) {
        if (c->phase == READ_CONTENT) {
            part = take_content(c, bytes + used, length - used);
            used += part;
            continue;
        }
        int result = http_read_request(bytes + used, length - used, &head);
        if (result > 0) {
            part = head.length;
            used += part;
            c->head_began = false;
            take_request(c, &head);
        } else if (result < 0) {
            used = length; // nothing is known about the bytes behind it
            c->head_only = http_is(head.method, "HEAD");
            send_refusal(c, -result, head.why);
        } else {
            part = 0;
            if (!c->head_began && is_begun(bytes + used, length - used)) {
                c->head_began = true;
                conn_deadline(conn, head_ms); // for all of it: further bytes change nothing
            }
        }
    }
    return used;
}

// ---- the rest of what the loop calls -------------------------------------------------------

static void opened(struct conn *conn)
{
    conn_deadline(conn, idle_ms);
}

static bool produce(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->phase == READ_HEAD && !c->head_began)
        conn_deadline(conn, idle_ms);
    return c->phase == SEND && send_content(c);
}

static void timeout(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->phase == WAIT)
        send_delayed(c);
    else if (c->phase == READ_CONTENT)
        send_refusal(c, 408, "the content has to come faster");
    else if (c->head_began)
        send_refusal(c, 408, "the head has to come faster");
    else
        conn_close(conn);
}

// The memory for content is full, and kept_add() has taken the content of this connection away,
// because its client is the slowest. If the answer is already under way, the loop calls
// produce() next, and send_content() ends the answer.
static void woken(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->phase == READ_CONTENT && c->kept.lost)
        send_refusal(c, 503, "this content came so slowly that others needed its room");
}

static void stop(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->keep_alive = false;
    if (c->phase == READ_HEAD)
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    end_exchange(connection_of(conn));
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8002;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"idle-ms", OPTION_INT, &idle_ms, 1, 3600000, "ms until a silent client is closed"},
        {"head-ms", OPTION_INT, &head_ms, 1, 3600000, "ms that a request's head may take"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Lesson 02: an HTTP/1.1 server.", options});
    log_begin(quiet);
    int listener = net_listen(host, port, BACKLOG);
    files_begin(); // after net_listen(), which ends the program if the port is taken
    long connections = loop_run(listener, &calls);
    files_end();
    printf("stopped: connections %ld, requests %ld\n", connections, requests);
    return 0;
}
