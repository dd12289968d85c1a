// settings.c: see settings.h.
#include "settings.h"

#include "options.h"

struct settings settings_read(int argc, char **argv)
{
    static struct settings settings = {.host = "127.0.0.1",
                                       .port = 8008,
                                       .max_sessions = 100,
                                       .login_timeout_ms = 10000,
                                       .cores = 4};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &settings.host, .help = "address to listen on"},
        {"port", OPTION_INT, &settings.port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"max-sessions", OPTION_INT, &settings.max_sessions, 1, CONNECTIONS_MAX,
         "sessions at once; others are refused"},
        {"login-ms", OPTION_INT, &settings.login_ms, 0, 60000, "ms that a login takes"},
        {"login-timeout-ms", OPTION_INT, &settings.login_timeout_ms, 1, 3600000,
         "ms until a login must have come"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 0, 3600000,
         "ms that a session may be idle; 0: for ever"},
        {"query-ms", OPTION_INT, &settings.query_ms, 0, 60000,
         "ms that a query keeps a core busy"},
        {"cores", OPTION_INT, &settings.cores, 1, 1000, "queries that run at the same time"},
        {"contention", OPTION_NUMBER, &settings.contention, 0, 1000,
         "percent by which each waiting query slows the others"},
        {"quiet", OPTION_FLAG, &settings.quiet, .help = "no line for each query"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Lesson 08: a small database.", options});
    return settings;
}
