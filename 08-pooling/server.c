// server.c: a small database. Its sessions cost what those of real ones cost: a login, a place
// among --max-sessions, and one query at a time.
//
// Run:    ./server             then, in another terminal: ./client 'get user 7'
// Watch:  what one session is doing is its state (below). It rests only between two queries; in
//         all other states what the client sends waits in the socket (conn.paused). Work begins
//         when there is a core for it (cpu_slots.c), and ends when its time has passed.
//
// Read protocol.h for the frames, then take_login() and take_query() here, query.c for what can
// be asked. No call blocks: thousands of sessions wait at the same time, in one thread.
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cpu_slots.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "protocol.h"
#include "query.h"
#include "log.h"

// Further limits are named where they act: FRAME_MAX_BYTES (protocol.h), QUERY_MAX_BYTES,
// IDS_MAX, ANSWER_MAX_BYTES (query.h), LOOP_IN_BYTES and LOOP_STALL_MS (loop.h).
#define CONNECTIONS_MAX 10000 // logged in or not
#define BACKLOG         1024
#define LOG_BYTES       70 // of a query, at most

enum state {
    NOT_LOGGED_IN,  // has not logged in
    AUTHENTICATING, // has, and waits until --login-ms have passed
    RESTING,        // may ask
    WAITING,        // has asked, and there is no core for it
    WORKING,        // until its query's time has passed
    GONE,           // its session is over; the connection may linger
};

struct session {
    struct conn conn; // the loop's part
    enum state state;
    bool stopping; // this query is the last one
    long number;
    uint32_t query_id;  // or the login's
    struct query query; // that is worked on, or waits
    struct worker worker;
};

static int sessions_max = 100, login_ms, query_ms, idle_ms, login_timeout_ms = 10000;
static double contention;
static struct cpu_slots cores = {.count = 4};
static struct tables tables;
static long sessions, most_sessions, logins, refused, queries, errors;

// ---- what a session is told ----------------------------------------------------------------

static void tell(struct session *s, enum kind kind, uint32_t id, const char *const fields[],
                 int count)
{
    conn_wrote(&s->conn,
               frame_write(conn_space(&s->conn), conn_room(&s->conn), kind, id, fields, count));
}

// The session is over; its connection ends when all is sent.
static void part(struct session *s)
{
    cpu_slots_leave(&cores, &s->worker);
    sessions -= s->state != NOT_LOGGED_IN && s->state != GONE;
    s->state = GONE;
    conn_close(&s->conn);
}

// Ends the session with a last word, if the client has left room for it.
static void end(struct session *s, uint32_t id, const char *code, const char *text)
{
    if (s->number)
        log_line("session %ld ends: %s", s->number, text);
    else
        log_line("refused: %s", text);
    tell(s, FATAL, id, (const char *const[]){code, text}, 2);
    part(s);
}

// The server stops. The loop would wait until the client closes, so that bytes on their way do
// not cost the client our last words. If there are none, the loop need not wait.
static void dismiss(struct session *s)
{
    int unread;
    s->conn.ended = !ioctl(s->conn.fd, FIONREAD, &unread) && unread == 0;
    end(s, 0, CODE_SHUTDOWN, "terminating connection due to administrator command");
}

// ---- the login -----------------------------------------------------------------------------

static void rest(struct session *s)
{
    s->state = RESTING;
    s->conn.paused = false;
    conn_deadline(&s->conn, idle_ms ? idle_ms : NEVER);
    if (s->stopping)
        dismiss(s);
}

static void welcome(struct session *s)
{
    char number[24];
    snprintf(number, sizeof number, "%ld", s->number);
    tell(s, READY, s->query_id, (const char *const[]){number}, 1);
    rest(s);
}

// A place comes first: the price of a login is not paid for a session that cannot stay.
static bool may_log_in(struct session *s, const struct frame *frame)
{
    if (frame->count != 2)
        end(s, frame->id, CODE_VIOLATION, "a login has a user and a password");
    else if (sessions >= sessions_max)
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
    conn_deadline(&s->conn, login_ms);
    if (login_ms == 0)
        welcome(s);
}

// ---- a query -------------------------------------------------------------------------------

static void answer(struct session *s)
{
    const struct figure figures[] = {{"sessions", sessions},
                                     {"most_sessions", most_sessions},
                                     {"max_sessions", sessions_max},
                                     {"logins", logins},
                                     {"refused", refused},
                                     {"queries", ++queries},
                                     {"errors", errors},
                                     {"cores", cores.count},
                                     {"busy_cores", cores.busy},
                                     {"query_ms", query_ms},
                                     {"waiting", cores.waiting},
                                     {0}};
    conn_wrote(&s->conn, query_answer(&s->query, &tables, figures, s->query_id,
                                      conn_space(&s->conn), conn_room(&s->conn)));
}

// The work on the query begins now, and is done when its time has passed. Sessions that want a
// core and have none are not for free: they cost the others --contention percent each.
static void work(struct session *s)
{
    bool sleeps = s->query.kind == SLOW;
    double ms = sleeps ? s->query.ms : query_ms * (1 + contention / 100 * cores.waiting);
    s->state = WORKING;
    conn_deadline(&s->conn, (int64_t)(ms + 0.5));
}

// False: it shall come again when what was written before is sent. A client that does not
// take its answers gets no core.
static bool take_query(struct session *s, const struct frame *frame)
{
    struct query_error error;
    if (frame->count != 1) {
        end(s, frame->id, CODE_VIOLATION, "a query has one text");
        return true;
    }
    const struct field *text = &frame->fields[0];
    if (!query_parse(text->at, text->length, &s->query, &error)) {
        errors++;
        tell(s, ERROR, frame->id, (const char *const[]){error.code, error.text}, 2);
        rest(s);
        return true;
    }
    bool takes_time = query_ms > 0 && query_reads_tables(&s->query);
    if (s->query.kind == SLOW)
        takes_time = s->query.ms > 0;
    if (takes_time && conn_room(&s->conn) < LOOP_OUT_BYTES)
        return false;
    log_line("session %ld: %.*s", s->number,
             (int)(text->length < LOG_BYTES ? text->length : LOG_BYTES), text->at);
    s->query_id = frame->id;
    if (!takes_time) {
        answer(s);
        rest(s);
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
    conn_deadline(conn, login_timeout_ms);
}

// False: the frame shall come again later.
static bool take(struct session *s, const struct frame *frame)
{
    bool logged_in = s->state == RESTING;
    if (frame->kind == QUERY && logged_in)
        return take_query(s, frame);
    if (frame->kind == LOGIN && !logged_in)
        take_login(s, frame);
    else if (frame->kind == TERMINATE)
        part(s);
    else if (frame->kind == LOGIN)
        end(s, frame->id, CODE_VIOLATION, "already logged in");
    else if (frame->kind == QUERY)
        end(s, frame->id, CODE_VIOLATION, "not logged in");
    else
        end(s, frame->id, CODE_VIOLATION, "no frame that a client sends");
    return true;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct session *s = (struct session *)conn;
    struct frame frame;
    size_t used = 0;
    // Answers are collected as long as there is room for the longest one.
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
        welcome(s);
        break;
    case RESTING:
        end(s, 0, CODE_IDLE, "the session was idle for too long");
        break;
    case WAITING: // for a core: it is woken when it gets one
        break;
    case WORKING:
        cpu_slots_leave(&cores, &s->worker);
        answer(s);
        rest(s);
        break;
    case GONE:
        break;
    }
}

// A core has become free for this session's query.
static void woken(struct conn *conn)
{
    work((struct session *)conn);
}

// A query that is under way is answered before its session ends.
static void stop(struct conn *conn)
{
    struct session *s = (struct session *)conn;
    s->stopping = true;
    if (s->state != WAITING && s->state != WORKING)
        dismiss(s);
}

static void closed(struct conn *conn)
{
    part((struct session *)conn);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8008;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"max-sessions", OPTION_INT, &sessions_max, 1, CONNECTIONS_MAX,
         "sessions at once; others are refused"},
        {"login-ms", OPTION_INT, &login_ms, 0, 60000, "ms that a login takes"},
        {"login-timeout-ms", OPTION_INT, &login_timeout_ms, 1, 3600000,
         "ms until a login must have come"},
        {"idle-ms", OPTION_INT, &idle_ms, 0, 3600000, "ms a session may idle; 0: for ever"},
        {"query-ms", OPTION_INT, &query_ms, 0, 60000, "ms of a core that a query takes"},
        {"cores", OPTION_INT, &cores.count, 1, 1000, "queries that are worked on at once"},
        {"contention", OPTION_NUMBER, &contention, 0, 1000,
         "percent that each query that waits slows the others"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each query"},
        {0}};
    static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .timeout = timeout,
                                              .woken = woken,
                                              .stop = stop,
                                              .closed = closed};
    options_parse(argc, argv, &(struct command){"", "Lesson 08: a small database.", options});
    log_begin(quiet);
    tables_fill(&tables);
    loop_run(net_listen(host, port, BACKLOG), &server);
    printf("stopped: sessions %ld, queries %ld, refused %ld\n", logins, queries, refused);
    return 0;
}
