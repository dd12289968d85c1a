// settings.h: the command line of this variation's server.
#ifndef SETTINGS_H
#define SETTINGS_H

#include "context.h"
#include "jwt.h"
#include "remote.h"

enum auth { AUTH_SESSION, AUTH_JWT, AUTH_HYBRID };

struct settings {
    const char *host;
    int port;
    bool quiet;
    enum auth auth;
    enum algorithm algorithm;
    const char *store;    // FILE of the sessions; NULL: in memory only
    struct remote remote; // the store to ask; host NULL: none
    const char *key_file; // FILE of the keys that sign tokens
    const char *trust;    // FILE with public keys: this server only checks tokens
    bool new_key;
    int token_s, refresh_s, idle_s, absolute_s;
    int scrypt_n;
    const char *audience;
    struct context_settings tls;
};

// Reads the command line. If something is wrong, prints what is accepted and exits with status
// 2, as options_parse() does.
void settings_parse(int argc, char **argv, struct settings *settings);

#endif
