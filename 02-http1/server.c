// server.c: HTTP/1.1 over one epoll loop: a request is a head and perhaps content, an answer is
// the same, and both are a stream of bytes in which only the head says where they end.
//
// Run:    ./server             then, in another terminal: ./client, or curl -v localhost:8002/
// Watch:  that one read() may bring half a request or twenty of them; that all a connection
//         waits for (content, a moment, room in the socket) is kept in its struct session, so
//         that the loop never waits for anybody.
//
// Read received() first, then take_request(), where a head becomes an answer. How that is sent
// is in session.c, what it says in answer.c. Heads and content are read in ../common/http.c and
// body.c; the loop is ../common/loop.c.
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "files.h"
#include "http.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "session.h"
#include "log.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096
#define CONTENT_MAX     (1 << 20) // bytes of a request's content that is kept in memory

static int idle_ms = 15000; // without a request, or without more of its content
static int head_ms = 10000; // for a whole head, however slowly it comes
static long requests;

// ---- the request ---------------------------------------------------------------------------

// The content is whole.
static void end_content(struct session *s)
{
    if (s->upload.fd) {
        int status = upload_end(&s->upload, true);
        if (status) {
            session_refuse(s, status);
            return;
        }
        s->answer.status = s->upload.created ? 201 : 204;
        s->answer.type = NULL;
    } else if (s->answer.echo) {
        s->answer.text = s->kept;
        s->answer.length = s->kept_length;
    }
    session_answer(s);
}

// Ends an exchange whose content we do not read: it is too much, or may not come at all.
static void answer_without_content(struct session *s)
{
    s->keep_alive = false;
    if (s->answer.status >= 400)
        session_answer(s);
    else
        session_refuse(s, 413);
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct session *s, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&s->body, bytes, length, &content);
    conn_deadline(&s->conn, idle_ms);
    s->content_length += content.length;
    int status = used < 0 ? (int)-used : 0;
    if (!status && s->upload.fd)
        status = upload_write(&s->upload, content);
    else if (!status && s->answer.echo && s->content_length <= CONTENT_MAX &&
             !session_keep(s, content))
        status = 503;
    if (status)
        session_refuse(s, status);
    else if (!s->upload.fd && s->content_length > CONTENT_MAX)
        answer_without_content(s);
    else if (s->body.done)
        end_content(s);
    return used < 0 ? length : (size_t)used;
}

// A whole head is here: decides on the answer, and on what becomes of the content.
static void take_request(struct session *s, const struct http_head *head)
{
    s->keep_alive = head->keep_alive && !s->conn.told_to_stop;
    s->head_only = http_is(head->method, "HEAD");
    s->minor = head->minor;
    s->head_began = false;
    s->phase = READ_CONTENT;
    s->content_length = 0;
    requests++;
    s->answer = (struct answer){0};
    answer_request(head, &s->answer, &s->upload);
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    http_body_of_request(&s->body, head);
    if (s->body.done) {
        end_content(s);
    } else if ((!s->upload.fd && head->content_length > CONTENT_MAX) ||
               (head->expects_continue && s->answer.status >= 400)) {
        answer_without_content(s);
    } else if (head->expects_continue) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(conn_space(&s->conn), go_on, sizeof go_on - 1);
        conn_wrote(&s->conn, sizeof go_on - 1);
    }
}

// Of a head that is wrong the method may be known, and HEAD means no content, always.
static void refuse_head(struct session *s, const struct http_head *head, int status)
{
    s->head_only = http_is(head->method, "HEAD");
    session_refuse(s, status);
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    conn_deadline(conn, idle_ms);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    static struct http_head head;
    struct session *s = (struct session *)conn;
    size_t used = 0, part = 1;
    while (part && used < length && !conn->closing && conn_room(conn) >= HEAD_ROOM &&
           s->phase <= READ_CONTENT) {
        if (s->phase == READ_CONTENT) {
            part = take_content(s, bytes + used, length - used);
            used += part;
            continue;
        }
        int result = http_read_request(bytes + used, length - used, &head);
        part = result > 0 ? head.length : result < 0 ? length - used : 0; // refused: all of it
        used += part;
        if (result > 0)
            take_request(s, &head);
        else if (result < 0)
            refuse_head(s, &head, -result);
        else if (!s->head_began)
            conn_deadline(conn, head_ms); // for all of it: bytes that trickle in change nothing
        s->head_began = result == 0;
    }
    return used;
}

static bool produce(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    if (s->phase == READ_HEAD && !s->head_began)
        conn_deadline(conn, idle_ms);
    return s->phase == SEND && session_send_content(s);
}

static void timeout(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    if (s->phase == WAIT)
        session_go_on(s);
    else if (s->phase == READ_CONTENT || s->head_began)
        session_refuse(s, 408);
    else
        conn_close(conn);
}

static void stop(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    s->keep_alive = false;
    if (s->phase == READ_HEAD)
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    session_forget((struct session *)conn);
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
    static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .produce = produce,
                                              .timeout = timeout,
                                              .stop = stop,
                                              .closed = closed};
    options_parse(argc, argv, &(struct command){"", "Lesson 02: an HTTP/1.1 server.", options});
    log_begin(quiet);
    int listener = net_listen(host, port, BACKLOG);
    files_begin(); // not before: where we cannot listen, nothing is to be left behind
    long connections = loop_run(listener, &server);
    files_end();
    printf("stopped: connections %ld, requests %ld\n", connections, requests);
    return 0;
}
