// over_tcp.c: see over_tcp.h.
#include "over_tcp.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "connection.h"
#include "loop.h"
#include "net.h"
#include "resource.h"
#include "smaller.h"

#define CLIENTS_MAX 2000

struct answer {
    struct resource resource;
    uint64_t sent;
    bool active, missing;
};

struct session {
    struct conn conn; // first
    struct answer answers[STREAMS_MAX];
    int count, turn;
};

// Writes one piece of an answer, if there is anything to say. False: there is not.
static bool write_piece(struct session *session, int number, int64_t now, int64_t *more_ns)
{
    struct answer *answer = &session->answers[number];
    struct conn *conn = &session->conn;
    int64_t more;
    if (!answer->active)
        return false;
    size_t here = resource_here(&answer->resource, now, &more) - answer->sent;
    *more_ns = earlier(*more_ns, more);
    size_t length = smaller(here, PIECE_BYTES);
    int ends = answer->sent + length == answer->resource.length;
    if (answer->missing)
        ends = 2;
    if (length == 0 && !ends)
        return false;
    uint8_t *out = (uint8_t *)conn_space(conn);
    out[0] = (uint8_t)number;
    out[1] = (uint8_t)ends;
    out[2] = (uint8_t)(length >> 8);
    out[3] = (uint8_t)length;
    resource_fill(&answer->resource, answer->sent, out + PIECE_HEAD, length);
    conn_wrote(conn, PIECE_HEAD + length);
    answer->sent += length;
    answer->active = !ends;
    return true;
}

// One piece of each answer in turn, while there is room. True: something was written.
static bool produce(struct conn *conn)
{
    struct session *session = (struct session *)conn;
    int64_t now = now_ns(), more_ns = NEVER;
    bool any = false;
    for (int idle = 0; idle < session->count;) {
        if (conn_room(conn) < PIECE_HEAD + PIECE_BYTES)
            return true;
        int number = session->turn;
        session->turn = (session->turn + 1) % session->count;
        if (write_piece(session, number, now, &more_ns)) {
            any = true;
            idle = 0;
        } else {
            idle++;
        }
    }
    if (more_ns == NEVER)
        conn_deadline(conn, NEVER);
    else
        conn_deadline(conn, (more_ns - now) / 1000000 + 1);
    return any;
}

static void take_line(struct session *session, const char *line, size_t length)
{
    char path[PATH_MAX_BYTES + 1];
    struct answer *answer = &session->answers[session->count++];
    memcpy(path, line, length);
    path[length] = '\0';
    answer->active = true;
    answer->missing = !resource_find(path, now_ns(), &answer->resource);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct session *session = (struct session *)conn;
    size_t used = 0;
    const char *end;
    while ((end = memchr(bytes + used, '\n', length - used))) {
        size_t line = (size_t)(end - bytes) - used;
        if (line > PATH_MAX_BYTES || session->count == STREAMS_MAX)
            break;
        take_line(session, bytes + used, line);
        used += line + 1;
    }
    if (end || length - used > PATH_MAX_BYTES) {
        conn_close(conn);
        return length;
    }
    produce(conn);
    if (conn->ended) // the client asks for nothing more: it gets its answers, and that is all
        conn_close(conn);
    return used;
}

static void timeout(struct conn *conn)
{
    produce(conn);
}

static const struct loop_server server = {.conn_bytes = sizeof(struct session),
                                          .conns_max = CLIENTS_MAX,
                                          .received = received,
                                          .produce = produce,
                                          .timeout = timeout};
static pthread_t thread;
static int served_listener, stop_fd; // an eventfd
static long connections;

static void *serve(void *unused)
{
    (void)unused;
    connections = loop_serve(served_listener, stop_fd, &server);
    return NULL;
}

void over_tcp_begin(int listener)
{
    served_listener = listener;
    stop_fd = eventfd(0, EFD_CLOEXEC);
    if (stop_fd < 0)
        die("cannot make an eventfd: %s", strerror(errno));
    int error = pthread_create(&thread, NULL, serve, NULL);
    if (error)
        die("cannot start a thread: %s", strerror(error));
}

long over_tcp_end(void)
{
    eventfd_write(stop_fd, 1);
    pthread_join(thread, NULL);
    close(stop_fd);
    return connections;
}
