// settings.h: the options of the server.
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

#define CONNECTIONS_MAX 10000 // with those that have not logged in

struct settings {
    const char *host;
    int port;
    int max_sessions;     // a further login is refused
    int login_ms;         // a login takes so long
    int login_timeout_ms; // a connection without a login is closed after this time
    int idle_ms;          // a session without a query is closed after this time; 0: never
    int query_ms;         // a query that reads tables keeps a core busy for so long
    int cores;            // the server works on so many queries at the same time
    double contention;    // each query that waits makes the others so many percent slower
    bool quiet;           // the server logs nothing
};

// Reads the command line. Exits where it is wrong, or asks for --help.
struct settings settings_read(int argc, char **argv);

#endif
