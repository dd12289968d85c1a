// settings.c: see settings.h.
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "net.h"
#include "options.h"
#include "passwords.h"

static void parse_store_at(const char *text, struct remote *remote)
{
    static char host[NET_NAME];
    const char *colon = strrchr(text, ':');
    if (colon)
        remote->port = atoi(colon + 1);
    if (remote->port < 1 || remote->port > 65535 || colon == text || colon - text >= NET_NAME)
        options_reject("--store-at takes HOST:PORT, not '%s'", text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    remote->host = host;
}

void settings_parse(int argc, char **argv, struct settings *s)
{
    static char path[CERTIFICATE_PATH + 40];
    static struct settings set = {
        .host = "127.0.0.1",
        .port = 8204,
        .token_s = 300,
        .refresh_s = 1209600,
        .idle_s = 1800,
        .absolute_s = 43200,
        .scrypt_n = 16384,
        .audience = "workbench",
        .tls = {.version_min = TLS1_2_VERSION,
                .version_max = TLS1_3_VERSION,
                .rsa = true,
                .ecdsa = true,
                .tickets = true},
    };
    static const char *const auths[] = {"session", "jwt", "hybrid", NULL}; // as in enum auth
    static const char *const algorithms[] = {"HS256", "ES256", NULL}; // as in enum algorithm
    static const char *auth = "session", *alg = "ES256", *store_at;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &set.host, .help = "address to listen on"},
        {"port", OPTION_INT, &set.port, 0, 65535, "TCP port; 0: any free one"},
        {"auth", OPTION_TEXT, &auth, .help = "session, jwt, or hybrid"},
        {"alg", OPTION_TEXT, &alg, .help = "of tokens: HS256 or ES256"},
        {"store", OPTION_TEXT, &set.store, .help = "FILE that keeps sessions across a restart"},
        {"store-at", OPTION_TEXT, &store_at, .help = "HOST:PORT of ./store, which keeps them"},
        {"idle-s", OPTION_INT, &set.idle_s, 1, 100000000, "a session unused so long is over"},
        {"absolute-s", OPTION_INT, &set.absolute_s, 1, 100000000, "and one begun so long ago"},
        {"token-s", OPTION_INT, &set.token_s, 1, 100000000, "seconds that a token is good"},
        {"refresh-s", OPTION_INT, &set.refresh_s, 1, 100000000,
         "seconds that refresh tokens are good after a log-in"},
        {"audience", OPTION_TEXT, &set.audience, .help = "whom tokens have to be for"},
        {"token-keys", OPTION_TEXT, &set.key_file, .help = "FILE of the keys for tokens"},
        {"new-key", OPTION_FLAG, &set.new_key, .help = "sign with a new key from now on"},
        {"trust", OPTION_TEXT, &set.trust,
         .help = "FILE with public keys (JWKS): only check tokens"},
        {"scrypt-n", OPTION_INT, &set.scrypt_n, 2, SCRYPT_N_MAX,
         "work for a password: N of scrypt, a power of 2"},
        {"keys", OPTION_TEXT, &set.tls.folder, .help = "folder of certificates and keys"},
        {"quiet", OPTION_FLAG, &set.quiet, .help = "no line for each request"},
        {0}};
    set.tls.folder = certificate_folder("../" CERTIFICATE_FOLDER);
    options_parse(
        argc, argv,
        &(struct command){"", "Lesson 04, login: who is this? Sessions, or tokens.", options});
    set.auth = (enum auth)options_choice("auth", auth, auths);
    set.algorithm = (enum algorithm)options_choice("alg", alg, algorithms);
    if (set.scrypt_n & (set.scrypt_n - 1))
        options_reject("--scrypt-n takes a power of 2, not %d", set.scrypt_n);
    if (set.store && store_at)
        options_reject("--store and --store-at do not go together");
    if (store_at)
        parse_store_at(store_at, &set.remote);
    if (set.trust && set.auth != AUTH_JWT)
        options_reject("--trust goes with --auth jwt");
    if (strspn(set.audience, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(set.audience) ||
        strlen(set.audience) > 100)
        options_reject("--audience takes small letters, digits and '-'");
    keys_path(set.tls.folder, set.algorithm, path, sizeof path);
    if (!set.key_file)
        set.key_file = path;
    *s = set;
}
