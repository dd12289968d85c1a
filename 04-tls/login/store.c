// store.c: one place for the sessions of many servers, as Redis is in many companies. It takes
// lines, and answers each with a line; what they mean is in parts/session_text.c.
//
// Run:    ./store                          in one terminal, in others
//         ./server --store-at 127.0.0.1:8205
//         ./server --store-at 127.0.0.1:8205 --port 8206
// Watch:  a session that one server has begun is good on the other one. Each request of a
//         client costs a question here.
//
// Whoever reaches this port can end all sessions, and begin new ones: it belongs into a network
// that only the servers have. It listens on the loopback address.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "sessions.h"

#define CONNECTIONS_MAX 1000
#define BACKLOG         512

static struct sessions *sessions;

// Answers one line. False: it is no question; nothing behind it is taken any more.
static bool answer(struct conn *conn, const char *line)
{
    struct session_request request;
    struct session_reply reply;
    if (!session_read_request(line, &request))
        return false;
    sessions_do(sessions, &request, &reply, time(NULL));
    log_line("%s: %s", session_operations[request.operation], session_results[reply.result]);
    int length = session_write_reply(&reply, conn_space(conn));
    conn_space(conn)[length] = '\n';
    conn_wrote(conn, (size_t)length + 1);
    return true;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    size_t used = 0;
    char line[SESSION_LINE];
    while (!conn->closing && conn_room(conn) > SESSION_LINE) {
        const char *end = memchr(bytes + used, '\n', length - used);
        size_t part = length - used;
        if (end)
            part = (size_t)(end - bytes) - used;
        if (part >= sizeof line) {
            conn_close(conn); // no question is so long
            return length;
        }
        if (!end)
            break;
        memcpy(line, bytes + used, part);
        line[part] = '\0';
        used += part + 1;
        if (strlen(line) != part || !answer(conn, line)) {
            log_line("a line that is no question: the connection is closed");
            conn_close(conn);
        }
    }
    return used;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *file;
    static int port = 8205;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"store", OPTION_TEXT, &file, .help = "FILE that keeps the sessions across a restart"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each question"},
        {0}};
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct conn), .conns_max = CONNECTIONS_MAX, .received = received};
    options_parse(argc, argv,
                  &(struct command){
                      "", "Lesson 04, login: a store of sessions for many servers.", options});
    log_begin(quiet);
    sessions = sessions_open(file, time(NULL));
    long connections = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, lookups %ld, sessions %d\n", connections,
           sessions_lookups(sessions), sessions_count(sessions));
    sessions_close(sessions);
    return 0;
}
