// client.c: sends queries to the database. Each query has a thread of its own, and all threads
// share one pool of connections.
//
// Run:    ./client                                    against ./server in another terminal
//         ./client 'get user 7' 'posts of user 3'     any queries; 'show stats' is one too
//         ./client --connections 1 'slow 500' ping    one connection for two queries
//         ./client -                                  a query in each line that you type
// Watch:  "waited" is the time in the pool's line. Each connection has one session: its number
//         shows which connection carried the query. With '-', stop the server between two lines
//         and start it again: the pool notices, and opens another connection.
//
// Read ask() first: it borrows a connection, asks, and returns the connection. Then read
// pool_acquire() in pool.c.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "pool.h"
#include "sessions.h"

#define QUERY_MS    65000 // a query may take so long: "slow" may take a minute
#define ACQUIRE_MS  70000 // a thread may wait so long for a connection
#define QUERIES_MAX 100
#define INPUT_BYTES 8192

struct query {
    struct pool *pool;
    const char *server; // the server's address, for messages
    const char *text;   // the query itself
    pthread_t thread;   // the thread that asks it
    bool good;          // the answer was no error
    double waited_ms;   // in the pool's line, and for the login of a new connection
    double took_ms;     // from the query to the end of its answer
    char session[12];   // the server's number for the session
    char *answer;       // lines to print; malloc'd
};

// Writes the answer's rows, or the error, as lines.
static char *describe(const struct db *db, bool good)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        die("no memory for an answer");
    if (!good)
        fprintf(out, "error %s: %s\n", db->error.code, db->error.text);
    for (int row = 0; good && row < db->rows; row++) {
        for (int column = 0; column < db->columns; column++) {
            if (column > 0)
                fputs(" | ", out);
            fputs(db_value(db, row, column), out);
        }
        fputc('\n', out);
    }
    if (good)
        fprintf(out, "%d row%s", db->rows, db->rows == 1 ? "" : "s");
    if (fclose(out))
        die("no memory for an answer");
    return text;
}

// Borrows a connection, asks, and returns the connection.
static void ask(struct query *query)
{
    struct lease lease;
    int64_t start_ns = now_ns();
    if (!pool_acquire(query->pool, query->text, &lease)) {
        const char *hint = "";
        if (strstr(lease.error, "cannot connect"))
            hint = " (is the server running?)";
        if (asprintf(&query->answer, "no connection to %s: %s%s", query->server, lease.error,
                     hint) < 0)
            query->answer = NULL;
        return;
    }
    int64_t borrowed_ns = now_ns();
    struct db *db = lease.resource;
    query->good = db_query(db, query->text, QUERY_MS);
    query->waited_ms = ms_between(start_ns, borrowed_ns);
    query->took_ms = ms_since(borrowed_ns);
    snprintf(query->session, sizeof query->session, "%s", db->session);
    query->answer = describe(db, query->good);
    session_release(&lease);
}

static void *run(void *query)
{
    ask(query);
    return NULL;
}

static void print(const struct query *query)
{
    if (!query->answer)
        die("no memory for an answer");
    printf("> ");
    output_bytes(query->text, strlen(query->text));
    putchar('\n');
    output_bytes(query->answer, strlen(query->answer));
    if (query->good)
        printf("   "); // behind the number of rows
    if (query->session[0])
        printf("session %s, waited %.1f ms, answered in %.1f ms", query->session,
               query->waited_ms, query->took_ms);
    putchar('\n');
    output_flush();
}

// Asks all queries at once, each in a thread of its own. True if no answer was an error.
static bool ask_all(struct pool *pool, const char *server, char **texts, int count)
{
    static struct query queries[QUERIES_MAX];
    bool good = true;
    for (int i = 0; i < count; i++) {
        queries[i] = (struct query){.pool = pool, .server = server, .text = texts[i]};
        if (pthread_create(&queries[i].thread, NULL, run, &queries[i]))
            die("cannot start a thread for query %d of %d", i + 1, count);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(queries[i].thread, NULL);
        print(&queries[i]);
        good = good && queries[i].good;
        free(queries[i].answer);
    }
    return good;
}

// Reads a query from each line of stdin and asks it. True if the last answer was no error.
static bool ask_lines(struct pool *pool, const char *server)
{
    static char line[INPUT_BYTES];
    bool good = true;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        struct query query = {.pool = pool, .server = server, .text = line};
        ask(&query);
        print(&query);
        good = query.good;
        free(query.answer);
    }
    return good;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *user = DEFAULT_USER, *password = DEFAULT_PASSWORD;
    static int port = 8008, connections = 4;
    static char *one_query[] = {"get user 7"};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "port of the server"},
        {"connections", OPTION_INT, &connections, 1, 1000, "connections in the pool, at most"},
        {"user", OPTION_TEXT, &user, .help = "user name of the login"},
        {"password", OPTION_TEXT, &password, .help = "password of that user"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[QUERY...]",
                          "Asks the database, through a pool of connections. Without QUERY:\n"
                          "'get user 7'. With '-': a query in each line of the input.",
                          options});
    char name[NET_NAME];
    output_begin();
    struct db_config server = {.user = user, .password = password};
    server.address_length = net_address(host, port, SOCK_STREAM, &server.address);
    net_name(&server.address, name);
    struct pool_config config = session_pool(&server);
    config.max = connections;
    config.acquire_ms = ACQUIRE_MS;
    struct pool *pool = pool_create(&config);
    if (!pool)
        die("cannot make a pool of %d connections", connections);

    bool good;
    if (argc - first > QUERIES_MAX)
        options_reject("at most %d queries at once, not %d", QUERIES_MAX, argc - first);
    else if (first == argc)
        good = ask_all(pool, name, one_query, 1);
    else if (argc - first == 1 && !strcmp(argv[first], "-"))
        good = ask_lines(pool, name);
    else
        good = ask_all(pool, name, argv + first, argc - first);
    pool_close(pool, QUERY_MS);
    return !good;
}
