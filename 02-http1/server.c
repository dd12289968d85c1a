// server.c: HTTP/1.1 over one epoll loop. A request is a head and perhaps content; an answer
// has the same form. Both travel in a stream of bytes, and only the head says where each one
// ends.
//
// Run:    ./server             then, in another terminal: ./client, or curl -v localhost:8002/
// Watch:  one read() may bring half a request or twenty of them. Whatever a connection waits
//         for (content, the end of a delay, room in the socket) is kept in its struct
//         connection (connection.h), so that the loop never waits for one client while others
//         have something to do.
//
// Read the table `calls` first, above main(); then received(); then take_request(), where a
// head becomes an answer. content.c reads the content of a request, pages.c decides what the
// answer says, response.c sends it. The bytes of a head are read in ../common/http_head.c, and
// ../common/http_framing.c finds the end of a message. The loop is ../common/loop.c.
#include <stdio.h>

#include "content.h"
#include "folder.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "response.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096

static int idle_ms = 15000; // that a client may send nothing
static int head_ms = 10000; // that a whole head may take, from its first byte to its last
static long requests;

// The loop hands over its struct conn, which is the first member of our struct connection, so
// both have the same address.
static struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// ---- the request ---------------------------------------------------------------------------

// A whole head is here: decides on the answer, and on what becomes of the content behind it.
static void take_request(struct connection *c, const struct http_head *head)
{
    c->keep_alive = head->keep_alive && !c->conn.told_to_stop;
    c->head_only = http_is(head->method, "HEAD");
    c->minor = head->minor;
    c->phase = READ_CONTENT;
    c->answer = (struct answer){0};
    requests++;
    // The texts of a head do not end with '\0': "%.*s" also takes the length of each.
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    answer_request(head, &c->answer, &c->upload); // fills in c->answer: nothing is sent yet
    http_body_of_request(&c->body, head);
    if (c->body.done)
        finish_request(c); // the request has no content: its answer is sent
    else
        begin_content(c, head, idle_ms); // take_content() then reads it
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

// Reads a head at the start of bytes, and takes its request. Returns how many bytes it has
// used; 0: more bytes of the head have to come.
static size_t take_head(struct connection *c, const char *bytes, size_t length)
{
    static struct http_head head; // valid during this call: its texts point into bytes
    int result = http_read_request(bytes, length, &head);
    if (result > 0) {
        c->head_began = false;
        take_request(c, &head);
        return head.length;
    }
    if (result < 0) {
        c->head_only = http_is(head.method, "HEAD");
        send_refusal(c, -result, head.why);
        return length; // the server does not know where the next request begins
    }
    if (!c->head_began && is_begun(bytes, length)) {
        c->head_began = true;
        conn_deadline(&c->conn, head_ms); // for the whole head: further bytes do not move it
    }
    return 0;
}

// Uses the bytes step by step: a whole head, or a part of the content. Ends when a head is not
// whole, when the connection waits for something else than the client, when it is to close, or
// when there is no room for another answer. The loop keeps the bytes that were not used.
static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = connection_of(conn);
    size_t used = 0, part = 1; // part: what one step has used; 0 ends the loop
    while (part && used < length && !conn->closing && conn_room(conn) >= HEAD_ROOM_BYTES) {
        part = 0;
        if (c->phase == READ_HEAD)
            part = take_head(c, bytes + used, length - used);
        else if (c->phase == READ_CONTENT)
            part = take_content(c, bytes + used, length - used);
        used += part;
    }
    return used;
}

// ---- the rest of what the loop calls -------------------------------------------------------

static void opened(struct conn *conn)
{
    conn_deadline(conn, idle_ms);
}

// Between two requests: the client has idle_ms, from now on, to begin the next one. While an
// answer is under way: more of its content is sent, since there is room now.
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

// What the loop calls, always for one connection.
static const struct loop_server calls = {
    .conn_bytes = sizeof(struct connection), // the loop allocates it, all zero
    .conns_max = CONNECTIONS_MAX,
    .opened = opened,     // after accept()
    .received = received, // bytes have come: returns how many it has used; 0: it needs more
    .produce = produce,   // no older output waits: true if there may be more to send
    .timeout = timeout,   // the time of conn_deadline() has come
    .woken = woken,       // another connection has called conn_wake(): kept_content.c does
    .stop = stop,         // the program is to stop: the connection may end what it has begun
    .closed = closed,     // the connection is gone: frees what belongs to it
};

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8002;
    static bool quiet;
    static option_call files = folder_begin;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"idle-ms", OPTION_INT, &idle_ms, 1, 3600000, "ms until a silent client is closed"},
        {"head-ms", OPTION_INT, &head_ms, 1, 3600000, "ms that a request's head may take"},
        {"files", OPTION_CALL, &files, .help = "folder whose files /file/NAME sends"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no lines about requests and answers"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Lesson 02: an HTTP/1.1 server.", options});
    log_begin(quiet);
    int listener = net_listen(host, port, BACKLOG);
    files_begin(); // after net_listen(), which ends the program if the port is taken
    long connections = loop_run(listener, &calls);
    files_end();
    log_end();
    printf("stopped: connections %ld, requests %ld\n", connections, requests);
    return 0;
}
