// settings.h: the command line of lesson 04's server.
#ifndef SETTINGS_H
#define SETTINGS_H

#include "context.h"

struct settings {
    const char *host;
    int port, handshake_ms;
    bool quiet;
    const char *alternative; // the value of Alt-Svc; NULL: no such field
    struct context_settings tls;
};

// Reads the command line. If something is wrong, prints what is accepted and exits with status
// 2, as options_parse() does.
void settings_parse(int argc, char **argv, struct settings *settings);

#endif
