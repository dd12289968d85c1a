// session.c: see session.h. Read received() first.
#include "session.h"

#include "handler.h"

static _Thread_local struct worker *me;

void session_begin(struct worker *worker)
{
    me = worker;
}

static void put(struct session *s, const struct answer *answer, const struct request *request)
{
    struct http_out out = {conn_space(&s->conn), conn_room(&s->conn), 0, false};
    bool keep_alive = request->keep_alive && !s->conn.told_to_stop;
    answer_put(&out, answer, request, keep_alive);
    conn_wrote(&s->conn, out.length);
    if (!keep_alive)
        conn_close(&s->conn);
}

// The answer has to wait, and we do not: the loop's timer will call timeout(). What the client
// sends meanwhile waits as well: answers keep the order of the requests.
static void postpone(struct session *s, const struct answer *answer,
                     const struct request *request)
{
    s->request = *request;
    s->text = answer->text;
    s->length = answer->length;
    s->waiting = s->conn.paused = true;
    conn_deadline(&s->conn, answer->wait_ms);
}

static void opened(struct conn *conn)
{
    conn_deadline(conn, me->crew->settings.idle_ms);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct session *s = (struct session *)conn;
    struct request request;
    struct answer answer;
    size_t used = 0, part = 1;
    while (used < length && !conn->closing && !conn->paused && conn_room(conn) >= ANSWER_ROOM &&
           (part = request_read(bytes + used, length - used, &request)) > 0) {
        used += part;
        s->head_began = false;
        handle(&request, me, &answer);
        if (answer.wait_ms)
            postpone(s, &answer, &request);
        else
            put(s, &answer, &request);
    }
    if (s->waiting)
        return used;
    if (part)
        conn_deadline(conn, me->crew->settings.idle_ms);
    else if (!s->head_began)
        conn_deadline(conn, me->crew->settings.head_ms); // for all of it, however it trickles
    s->head_began = !part;
    return used;
}

static void timeout(struct conn *conn)
{
    static const struct request late = {.status = 408};
    struct session *s = (struct session *)conn;
    struct answer answer;
    if (s->waiting) {
        s->waiting = conn->paused = false;
        answer.status = 200;
        answer.text = s->text;
        answer.length = s->length;
        put(s, &answer, &s->request);
        conn_deadline(conn, me->crew->settings.idle_ms);
    } else if (s->head_began) {
        handle(&late, me, &answer);
        put(s, &answer, &late);
    } else {
        conn_close(conn);
    }
}

static void stop(struct conn *conn)
{
    if (!((struct session *)conn)->waiting)
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    if (!((struct session *)conn)->refused)
        crew_leave(me->crew);
}

void session_refuse(struct conn *conn)
{
    struct http_out out = {conn_space(conn), conn_room(conn), 0, false};
    ((struct session *)conn)->refused = true;
    crew_leave(me->crew); // while it lingers it takes no room that others could have
    atomic_fetch_add(&me->crew->refused, 1);
    answer_put_busy(&out, &(struct request){0}, false);
    conn_wrote(conn, out.length);
    conn_close(conn);
}

struct loop_server session_server(int conns_max)
{
    return (struct loop_server){.conn_bytes = sizeof(struct session),
                                .conns_max = conns_max,
                                .opened = opened,
                                .received = received,
                                .timeout = timeout,
                                .stop = stop,
                                .closed = closed};
}
