// server.c: a small database. A session costs what it costs in a real one: a login, one of
// --max-sessions places, and it carries one query at a time.
//
// Run:    ./server             then, in another terminal: ./client 'get user 7'
// Watch:  the state of a session (below). A session reads its next query only while it is IDLE;
//         in all other states the client's bytes wait in the socket (conn.paused). A query
//         starts when it gets a core (parts/cpu_slots.c), and ends when its time has passed.
//
// Read protocol.h for the frames, then take_login() and take_query() here, then parts/query.c
// for the queries. No call blocks: one thread serves thousands of sessions.
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cpu_slots.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "protocol.h"
#include "query.h"
#include "replies.h"
#include "settings.h"

// Further limits are named where they act: CONNECTIONS_MAX (settings.h), FRAME_MAX_BYTES
// (protocol.h), QUERY_MAX_BYTES, IDS_MAX, ANSWER_MAX_BYTES (query.h), LOOP_IN_BYTES and
// LOOP_SLOWEST_RATE (loop.h).
#define BACKLOG   1024
#define LOG_BYTES 70 // the log shows so much of a query

enum state {
    NOT_LOGGED_IN,
    AUTHENTICATING, // the login takes --login-ms
    IDLE,           // the client may ask
    WAITING,        // the query waits for a core
    WORKING,        // the query runs
    GONE,           // the session is over; the connection may still send its last bytes
};

struct session {
    struct conn conn; // the loop's part; it has to be the first member
    enum state state;
    bool stopping;            // the server stops: this query is the last one
    long number;              // 0 before the login
    uint32_t query_id;        // of the login or query that is not answered yet
    struct query query;       // that query
    char text[LOG_BYTES + 1]; // and its text, for the log
    struct worker worker;     // the session's place in the queue for a core
};

static struct settings settings;
static struct cpu_slots cores;
static struct tables tables;
static long sessions, most_sessions, logins, refused, queries, errors;

// ---- the end of a session ------------------------------------------------------------------

// The session is over; the loop closes its connection when all output is sent.
static void leave(struct session *s)
{
    cpu_slots_leave(&cores, &s->worker);
    sessions -= s->state != NOT_LOGGED_IN && s->state != GONE;
    s->state = GONE;
    conn_close(&s->conn);
}

// Ends a session, or refuses a login, with a FATAL frame that says why.
static void end(struct session *s, uint32_t id, const char *code, const char *text)
{
    reply_fatal(&s->conn, s->number, id, code, text);
    leave(s);
}

// The server stops. The loop reads until the client closes, because a close() with unread bytes
// would make the client's kernel throw the FATAL frame away. Else it need not.
static void end_at_stop(struct session *s)
{
    int unread;
    s->conn.ended = !ioctl(s->conn.fd, FIONREAD, &unread) && unread == 0;
    end(s, 0, CODE_SHUTDOWN, "terminating connection due to administrator command");
}

// ---- the login -----------------------------------------------------------------------------

// The session waits for its next query.
static void become_idle(struct session *s)
{
    s->state = IDLE;
    s->conn.paused = false;
    conn_deadline(&s->conn, NEVER);
    if (settings.idle_ms)
        conn_deadline(&s->conn, settings.idle_ms);
    if (s->stopping)
        end_at_stop(s);
}

static void finish_login(struct session *s)
{
    reply_ready(&s->conn, s->number, s->query_id);
    become_idle(s);
}

// The number of sessions is checked first: a session that cannot stay pays nothing for a login.
static bool may_log_in(struct session *s, const struct frame *frame)
{
    if (frame->count != 2)
        end(s, frame->id, CODE_VIOLATION, "a login has a user and a password");
    else if (sessions >= settings.max_sessions)
        end(s, frame->id, CODE_TOO_MANY, "too many connections");
    else if (!field_is(&frame->fields[1], DEFAULT_PASSWORD))
        end(s, frame->id, CODE_PASSWORD, "wrong password");
    refused += s->state == GONE;
    return s->state != GONE;
}

static void take_login(struct session *s, const struct frame *frame)
{
    if (!may_log_in(s, frame))
        return;
    s->state = AUTHENTICATING;
    s->number = ++logins;
    s->query_id = frame->id;
    if (++sessions > most_sessions)
        most_sessions = sessions;
    log_line("session %ld: %.*s logs in", s->number, (int)frame->fields[0].length,
             frame->fields[0].at);
    s->conn.paused = true;
    conn_deadline(&s->conn, settings.login_ms);
    if (settings.login_ms == 0)
        finish_login(s);
}

// ---- a query -------------------------------------------------------------------------------

static void answer(struct session *s)
{
    const struct figure figures[] = {{"sessions", sessions},
                                     {"most_sessions", most_sessions},
                                     {"max_sessions", settings.max_sessions},
                                     {"logins", logins},
                                     {"refused", refused},
                                     {"queries", ++queries},
                                     {"errors", errors},
                                     {"cores", cores.count},
                                     {"busy_cores", cores.busy},
                                     {"query_ms", settings.query_ms},
                                     {"waiting", cores.waiting},
                                     {0}};
    reply_answer(&s->conn, s->number, s->query_id, s->text, &s->query, &tables, figures);
    become_idle(s);
}

// The query starts; timeout() will answer it. Queries that wait for a core are not free: each
// of them makes the others --contention percent slower.
static void work(struct session *s)
{
    double ms = settings.query_ms * (1 + settings.contention / 100 * cores.waiting);
    if (s->query.kind == SLOW)
        ms = s->query.ms;
    s->state = WORKING;
    conn_deadline(&s->conn, (int64_t)(ms + 0.5));
}

// Returns false if the query cannot start before earlier answers are sent: then the loop brings
// the frame again. So a client that does not take its answers gets no core.
static bool take_query(struct session *s, const struct frame *frame)
{
    struct query_error error;
    if (frame->count != 1) {
        end(s, frame->id, CODE_VIOLATION, "a query has one text");
        return true;
    }
    const struct field *text = &frame->fields[0];
    snprintf(s->text, sizeof s->text, "%.*s", (int)text->length, text->at);
    if (!query_parse(text->at, text->length, &s->query, &error)) {
        errors++;
        reply_error(&s->conn, s->number, frame->id, s->text, &error);
        become_idle(s);
        return true;
    }
    bool waits = query_takes_time(&s->query, settings.query_ms);
    if (waits && conn_room(&s->conn) < LOOP_OUT_BYTES)
        return false;
    s->query_id = frame->id;
    if (!waits) {
        answer(s);
        return true;
    }
    s->conn.paused = true;
    s->state = WAITING;
    conn_deadline(&s->conn, NEVER);
    if (s->query.kind == SLOW || cpu_slots_take(&cores, &s->worker, &s->conn))
        work(s);
    return true;
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    conn_deadline(conn, settings.login_timeout_ms);
}

// Returns false if the loop has to bring the frame again later.
static bool take(struct session *s, const struct frame *frame)
{
    bool logged_in = s->state == IDLE;
    if (frame->kind == QUERY && logged_in)
        return take_query(s, frame);
    if (frame->kind == LOGIN && !logged_in)
        take_login(s, frame);
    else if (frame->kind == TERMINATE)
        leave(s);
    else if (frame->kind == LOGIN)
        end(s, frame->id, CODE_VIOLATION, "already logged in");
    else if (frame->kind == QUERY)
        end(s, frame->id, CODE_VIOLATION, "not logged in");
    else
        end(s, frame->id, CODE_VIOLATION, "a client does not send this kind of frame");
    return true;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct session *s = (struct session *)conn;
    struct frame frame;
    size_t used = 0;
    // Several queries may have come at once. Their answers are sent together, as long as there
    // is room for the longest one.
    while (!conn->paused && !conn->closing && conn_room(conn) >= ANSWER_MAX_BYTES) {
        ssize_t size = frame_read(bytes + used, length - used, &frame);
        if (size < 0)
            end(s, 0, CODE_VIOLATION, "a frame's length is out of bounds");
        if (size <= 0 || !take(s, &frame))
            break;
        used += (size_t)size;
    }
    return used;
}

static void timeout(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    switch (s->state) {
    case NOT_LOGGED_IN:
        end(s, 0, CODE_CANCELED, "no login came in time");
        break;
    case AUTHENTICATING:
        finish_login(s);
        break;
    case IDLE:
        end(s, 0, CODE_IDLE, "the session was idle for too long");
        break;
    case WORKING:
        cpu_slots_leave(&cores, &s->worker);
        answer(s);
        break;
    case WAITING: // until woken()
    case GONE:
        break;
    }
}

// cpu_slots.c has given a core to this session's query.
static void woken(struct conn *conn)
{
    work((struct session *)conn);
}

// The server stops. A query that waits or runs is answered before its session ends.
static void stop(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    s->stopping = true;
    if (s->state != WAITING && s->state != WORKING)
        end_at_stop(s);
}

static void closed(struct conn *conn)
{
    leave((struct session *)conn);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .timeout = timeout,
                                              .woken = woken,
                                              .stop = stop,
                                              .closed = closed};
    settings = settings_read(argc, argv);
    cores.count = settings.cores;
    log_begin(settings.quiet);
    tables_fill(&tables);
    loop_run(net_listen(settings.host, settings.port, BACKLOG), &server);
    log_end();
    printf("stopped: sessions %ld, queries %ld, refused %ld\n", logins, queries, refused);
    return 0;
}
