// client.c: sends one request over TLS, to this lesson's server or to any other one, and prints
// what the client knows about the connection.
//
// Run:    ./client                        against ./server in another terminal
//         ./client /bytes?n=100
//         ./client --resume               two requests, the second in a resumed session
//         ./client --host ietf.org --port 443 --ca /etc/ssl/certs/ca-certificates.crt
// Watch:  the line "checked": it names the CA that has signed the server's certificate. The
//         answer goes to stdout, all other lines to stderr.
//
// Read main() from top to bottom. connect.c opens a connection and checks the server;
// parts/ask.c reads an answer. The scenes are another program: ./play.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "connect.h"
#include "context.h"
#include "facts.h"
#include "http.h"
#include "net.h"
#include "options.h"
#include "output.h"

#define HTTPS_PORT 443

static const char *host = "127.0.0.1", *path = "/", *version = "any", *keylog;
static const char *keys;
static int port = 8004;
static bool resume, early_data;
static struct connect_settings settings;

// ---- the command line ----------------------------------------------------------------------

static void check_options(void)
{
    static struct certificate_files lesson_ca;
    uint8_t pin[PIN_BYTES];
    if (strcmp(version, "1.2") && strcmp(version, "1.3") && strcmp(version, "any"))
        options_reject("--tls takes 1.2, 1.3 or any, not '%s'", version);
    if (settings.pin && !connect_read_pin(settings.pin, pin))
        options_reject("--pin takes 64 digits, in hex, not '%s'", settings.pin);
    if (!settings.cert != !settings.key_file)
        options_reject("--cert and --key-file are only taken together");
    if (settings.groups && !context_knows_groups(settings.groups))
        options_reject("--groups takes names of groups with ':' between them, not '%s'",
                       settings.groups);
    if (path[0] != '/' || path[strcspn(path, " \t\r\n#")])
        options_reject("a path begins with '/', and has no blanks and no '#': not '%s'", path);
    if (!strcmp(version, "1.2"))
        settings.version = TLS1_2_VERSION;
    if (!strcmp(version, "1.3"))
        settings.version = TLS1_3_VERSION;
    ask_keys(keys);
    lesson_ca = ask_files(CERTIFICATE_CA);
    if (!settings.ca)
        settings.ca = lesson_ca.chain;
    if (!settings.name)
        settings.name = host;
    resume = resume || early_data;
}

static void parse_options(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"servername", OPTION_TEXT, &settings.name,
         .help = "the name in its certificate; without it: --host"},
        {"ca", OPTION_TEXT, &settings.ca,
         .help = "FILE with CAs to trust; without it: the lesson's CA"},
        {"insecure", OPTION_FLAG, &settings.insecure, .help = "accept any certificate"},
        {"pin", OPTION_TEXT, &settings.pin,
         .help = "SHA-256 that its public key must have, in hex"},
        {"resume", OPTION_FLAG, &resume,
         .help = "ask twice: the second time in a resumed session"},
        {"early-data", OPTION_FLAG, &early_data,
         .help = "the same, and send the second request as early data"},
        {"tls", OPTION_TEXT, &version, .help = "1.2, 1.3 or any"},
        {"groups", OPTION_TEXT, &settings.groups,
         .help = "groups of the key exchange, as X25519:P-256"},
        {"alpn", OPTION_TEXT, &settings.alpn,
         .help = "protocols to offer, with ',' between them"},
        {"cert", OPTION_TEXT, &settings.cert, .help = "FILE with a certificate of the client"},
        {"key-file", OPTION_TEXT, &settings.key_file, .help = "FILE with its key"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE to write the secrets to, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    struct command command = {"[PATH]", "Lesson 04: GETs PATH (else /) over TLS.", options};
    keys = certificate_folder(CERTIFICATE_FOLDER);
    int first = options_parse(argc, argv, &command);
    if (argv[first])
        path = argv[first];
    check_options();
}

// ---- what the client knows about the connection --------------------------------------------

static void print_facts(const struct connection *c)
{
    char trusted[FACT_NAME_BYTES];
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(c->ssl, &protocol, &length);
    print_fact("%s, %s, %s", SSL_get_version(c->ssl), SSL_get_cipher_name(c->ssl),
               context_group_name(c->ssl));
    if (length)
        print_fact("protocol by ALPN: %.*s", (int)length, (const char *)protocol);
    print_fact("handshake: %zu bytes to the server, %zu bytes back, %.1f ms",
               c->recording.length[true], c->recording.length[false],
               (double)(c->established_ns - c->connected_ns) / 1e6);
    if (SSL_session_reused(c->ssl)) {
        print_fact("resumed: the server has shown its certificate in an earlier handshake");
        return;
    }
    print_fact("the server's certificates, in its order:");
    print_certificates(c->ssl);
    if (settings.insecure && settings.pin)
        print_fact("only its key was checked: it is the pinned one (--insecure --pin)");
    else if (settings.insecure)
        print_fact("WARNING: NOT CHECKED (--insecure): this may be any server");
    else
        print_fact("checked: it is %s, says %s (%s)", settings.name,
                   trusted_name(c->ssl, trusted), settings.ca);
}

// ---- a request and its answer --------------------------------------------------------------

static void show(const char *bytes, size_t length)
{
    output_bytes(bytes, length);
}

// Writes the GET: "Host: example.org", and with a port that is not the usual one,
// "Host: example.org:8004" (RFC 9110 §7.2).
static void write_request(char request[ASK_BYTES])
{
    char host_field[HTTP_HOST_BYTES];
    http_authority(settings.name, port, HTTPS_PORT, host_field);
    ask_text(request, "GET", host_field, path, NULL);
}

// Opens a connection, asks, and prints the answer. If there is a session in the settings, it is
// resumed. Dies if one side has refused the other, or if the answer is not whole.
static struct connection *get(const char *request)
{
    struct reply reply = {.show = show};
    struct connection *c = connection_open(&settings);
    if (!c->up)
        die("GET %s from %s, port %d: no answer: %s", path, host, port, c->why);
    print_facts(c);
    if (c->early_taken)
        print_fact(
            "early data: the request went with the first message, and the server took it");
    else if (settings.early)
        print_fact("early data: the server did not take it, so the request is sent again");
    if (c->early_taken || connection_send(c, request, strlen(request)))
        ask_read(c, &reply);
    output_flush();
    if (!reply.status)
        die("GET %s from %s, port %d: no answer: %s", path, host, port, c->why);
    if (!reply.whole)
        die("GET %s from %s, port %d: the answer is not whole: %s", path, host, port, c->why);
    return c;
}

int main(int argc, char **argv)
{
    char request[ASK_BYTES];
    output_begin();
    parse_options(argc, argv);
    connect_to(host, port);
    if (keylog)
        connect_keylog(keylog);
    write_request(request);

    struct connection *first = get(request);
    if (resume) { // the session came with the handshake (1.2) or behind it (1.3)
        if (!first->session)
            die("the server has given no session that could be resumed");
        settings.session = first->session;
        if (early_data)
            settings.early = request;
        connection_close(get(request));
    }
    connection_close(first);
    return 0;
}
