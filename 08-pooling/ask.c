// ask.c: a terminal for this lesson's database: one session, and what you type.
//
// Run:    ./ask 'get user 7' 'posts of user 7' 'show stats'
//         ./ask                       then a query in each line; ctrl-D ends
// Watch:  that a wrong query is an error and no end: the session goes on. Stop the server
//         while this one waits for a line, and ask again.
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "net.h"
#include "options.h"
#include "text.h"

#define LOGIN_MS    10000
#define QUERY_MS    65000 // "slow" may take a minute
#define INPUT_BYTES 8192

// Text of the server's, in which nothing commands the terminal.
static void show(const char *text, const char *end)
{
    char line[FRAME_MAX_BYTES + 1];
    snprintf(line, sizeof line, "%s", text);
    make_printable(line);
    printf("%s%s", line, end);
}

static bool ask(struct db *db, const char *query)
{
    if (!db_query(db, query, QUERY_MS)) {
        printf("error %s: ", db->error.code);
        show(db->error.text, "\n");
        return false;
    }
    for (int row = 0; row < db->rows; row++)
        for (int column = 0; column < db->columns; column++)
            show(db_value(db, row, column), column + 1 < db->columns ? " | " : "\n");
    printf("%d row%s\n", db->rows, db->rows == 1 ? "" : "s");
    return true;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *user = DEFAULT_USER, *password = DEFAULT_PASSWORD;
    static int port = 8008;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"user", OPTION_TEXT, &user, .help = "who asks"},
        {"password", OPTION_TEXT, &password, .help = "of that user"},
        {0}};
    static char line[INPUT_BYTES];
    struct db_error error;
    bool good = true;
    int first = options_parse(
        argc, argv,
        &(struct command){"QUERY...", "Lesson 08: a terminal for the database.", options});
    text_begin();
    struct db_config config = {.user = user, .password = password};
    config.address_length = net_address(host, port, SOCK_STREAM, &config.address);
    struct db *db = db_open(&config, LOGIN_MS, &error);
    make_printable(error.text);
    if (!db)
        die("%s (%s)%s", error.text, error.code,
            strcmp(error.code, CODE_UNREACHABLE) ? "" : " (is the server running?)");
    for (int i = first; i < argc && !db->broken; i++)
        good = ask(db, argv[i]);
    while (first == argc && !db->broken && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        good = ask(db, line);
    }
    db_close(db);
    return good ? 0 : 1;
}
