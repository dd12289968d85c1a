// settings.c: see settings.h.
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "options.h"

static bool is(const char *value, const char *word)
{
    return !strcmp(value, word);
}

static bool on_or_off(const char *option, const char *value)
{
    if (!is(value, "on") && !is(value, "off"))
        options_reject("--%s takes on or off, not '%s'", option, value);
    return is(value, "on");
}

void settings_parse(int argc, char **argv, struct settings *settings)
{
    static const char *version = "any", *key = "both", *tickets = "on", *anti_replay = "on";
    struct context_settings *tls = &settings->tls;
    *settings = (struct settings){
        "127.0.0.1", 8004, 10000,
        false,       NULL, {.folder = certificate_folder(CERTIFICATE_FOLDER), .echo = true}};
    const struct option_spec options[] = {
        {"host", OPTION_TEXT, &settings->host, .help = "address to listen on"},
        {"port", OPTION_INT, &settings->port, 0, 65535, "TCP port; 0: any free one"},
        {"tls", OPTION_TEXT, &version, .help = "1.2, 1.3 or any"},
        {"ciphers", OPTION_TEXT, &tls->ciphers,
         .help = "of TLS 1.2, as OpenSSL has them, or of 1.3: TLS_..."},
        {"groups", OPTION_TEXT, &tls->groups,
         .help = "groups of the key exchange, as X25519:P-256"},
        {"key", OPTION_TEXT, &key, .help = "which certificates: rsa, ecdsa or both"},
        {"require-client-cert", OPTION_FLAG, &tls->require_client_cert,
         .help = "ask each client for a certificate"},
        {"early-data", OPTION_FLAG, &tls->early_data, .help = "accept 0-RTT data"},
        {"anti-replay", OPTION_TEXT, &anti_replay, .help = "on, or off: replays are possible"},
        {"tickets", OPTION_TEXT, &tickets, .help = "on, or off: the server keeps sessions"},
        {"keylog", OPTION_TEXT, &tls->keylog,
         .help = "FILE to write the secrets to, for Wireshark"},
        {"cert", OPTION_TEXT, &tls->chain, .help = "FILE with another certificate"},
        {"key-file", OPTION_TEXT, &tls->key, .help = "FILE with its key"},
        {"keys", OPTION_TEXT, &tls->folder, .help = "folder of the lesson's certificates"},
        {"alt-svc", OPTION_TEXT, &settings->alternative,
         .help = "say that the same is served there, as h3=\":8304\""},
        {"handshake-ms", OPTION_INT, &settings->handshake_ms, 1, 3600000, "ms for a handshake"},
        {"quiet", OPTION_FLAG, &settings->quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Lesson 04: an HTTPS server.", options});
    if (!is(version, "1.2") && !is(version, "1.3") && !is(version, "any"))
        options_reject("--tls takes 1.2, 1.3 or any, not '%s'", version);
    if (!is(key, "rsa") && !is(key, "ecdsa") && !is(key, "both"))
        options_reject("--key takes rsa, ecdsa or both, not '%s'", key);
    if (tls->ciphers && !context_knows_ciphers(tls->ciphers))
        options_reject("--ciphers takes names of ciphers with ':' between them, not '%s'",
                       tls->ciphers);
    if (tls->groups && !context_knows_groups(tls->groups))
        options_reject("--groups takes names of groups with ':' between them, not '%s'",
                       tls->groups);
    if (!tls->chain != !tls->key)
        options_reject("--cert and --key-file are only taken together");
    tls->version_min = TLS1_2_VERSION;
    if (is(version, "1.3"))
        tls->version_min = TLS1_3_VERSION;
    tls->version_max = TLS1_3_VERSION;
    if (is(version, "1.2"))
        tls->version_max = TLS1_2_VERSION;
    tls->rsa = !is(key, "ecdsa");
    tls->ecdsa = !is(key, "rsa");
    tls->tickets = on_or_off("tickets", tickets);
    tls->anti_replay = on_or_off("anti-replay", anti_replay);
}
