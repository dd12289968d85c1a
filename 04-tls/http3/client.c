// client.c: asks for several pages at once over HTTP/3, each on a stream of its own.
//
// Run:    ./client                            against ./server in another terminal
//         ./client /img/1?size=20000          one page: its content goes to stdout
//         ./client /slow /img/1 /img/2        several: a table
//         ./client --host ietf.org --port 443 --ca /etc/ssl/certs/ca-certificates.crt /
// Watch:  an answer that is slow holds up no other: each has its own stream.
//
// Read main() from top to bottom. parts/h3_client.c asks and reads answers; h3_connection.c is
// what both sides have in common.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "h3_client.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"

#define PATHS_MAX   100
#define PATIENCE_MS 10000 // without any progress
#define NS_PER_MS   INT64_C(1000000)

static const char *host = "127.0.0.1", *name, *ca, *keys, *keylog;
static int port = 8304;
static bool insecure, include;

static const char *standard[] = {"/img/1?size=200000", "/slow?ms=200", "/img/2?size=20000", "/",
                                 NULL};

// ---- the command line ----------------------------------------------------------------------

static const char **parse_options(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its UDP port"},
        {"servername", OPTION_TEXT, &name,
         .help = "the name in its certificate; without it: --host"},
        {"ca", OPTION_TEXT, &ca, .help = "FILE with CAs to trust; without it: the lesson's CA"},
        {"insecure", OPTION_FLAG, &insecure, .help = "accept any certificate"},
        {"include", OPTION_FLAG, &include, .help = "print the fields of the answer, too"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE to write the secrets to, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    static struct certificate_files lesson_ca;
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    int first = options_parse(
        argc, argv,
        &(struct command){"[PATH...]",
                          "Lesson 04: GETs each PATH over HTTP/3, without PATH a few of them.",
                          options});
    for (int i = first; i < argc; i++)
        if (argv[i][0] != '/' || argv[i][strcspn(argv[i], " \t\r\n#")])
            options_reject("a path begins with '/', and has no blanks and no '#': not '%s'",
                           argv[i]);
    if (argc - first > PATHS_MAX)
        options_reject("at most %d paths", PATHS_MAX);
    lesson_ca = certificate_files(keys, CERTIFICATE_CA);
    if (!ca)
        ca = lesson_ca.chain;
    if (insecure)
        ca = NULL;
    if (!name)
        name = host;
    if (first == argc)
        return standard;
    return (const char **)argv + first;
}

// ---- answers -------------------------------------------------------------------------------

static void show(struct answer *answer, const uint8_t *bytes, size_t length)
{
    (void)answer;
    output_bytes(bytes, length);
}

static void show_field(const struct http_field *field)
{
    output_bytes(field->name.at, field->name.length);
    fputs(": ", stdout);
    output_bytes(field->value.at, field->value.length);
    putchar('\n');
}

static void print_row(const struct h3_client *client, const struct answer *answer,
                      const char *path)
{
    char result[40] = "no answer";
    double first_ms = 0;
    if (answer->status) {
        snprintf(result, sizeof result, "%d", answer->status);
        first_ms = ms_between(client->established_ns, answer->first_ns);
    }
    printf("%6llu  %-28.28s %9s %9llu %9.1f %9.1f\n", (unsigned long long)answer->id, path,
           result, (unsigned long long)answer->length, first_ms,
           ms_between(client->established_ns, answer->last_ns));
}

static void print_table(const struct h3_client *client, const struct answer *answers,
                        const char **paths)
{
    printf("stream  %-28s %9s %9s %9s %9s\n", "path", "status", "bytes", "first ms", "last ms");
    for (int i = 0; paths[i]; i++)
        print_row(client, &answers[i], paths[i]);
}

// Asks for what was not asked yet, as far as the server allows.
static void ask(struct h3_client *client, struct answer *answers, const char **paths)
{
    for (int i = 0; paths[i]; i++)
        if (answers[i].state == ANSWER_NONE && !h3_ask(client, &answers[i], "GET", paths[i]))
            return;
}

int main(int argc, char **argv)
{
    static struct h3_client client;
    static struct answer answers[PATHS_MAX];
    int status = 0;
    output_begin();
    const char **paths = parse_options(argc, argv);
    bool one = !paths[1];
    SSL_CTX *ctx = quic_client_context(ca, keylog);

    h3_open(&client, ctx, host, port, name);
    if (!h3_handshake(&client, now_ns() + PATIENCE_MS * NS_PER_MS))
        die("no connection to %s, UDP port %d: %s", host, port, client.connection.why);
    fprintf(stderr, "* %s, %s, %.1f ms: %s\n", SSL_get_version(client.connection.ssl),
            SSL_get_cipher_name(client.connection.ssl),
            ms_between(client.opened_ns, client.established_ns),
            insecure ? "WARNING: the server was NOT CHECKED" : "the server is the right one");
    if (one)
        answers[0].show = show;
    if (one && include)
        answers[0].field = show_field;
    do {
        ask(&client, answers, paths);
        output_flush();
    } while (client.pending && h3_step(&client, now_ns() + PATIENCE_MS * NS_PER_MS));
    h3_close(&client);
    if (!one)
        print_table(&client, answers, paths);
    output_flush();
    for (int i = 0; paths[i]; i++) {
        if (answers[i].state == ANSWER_WHOLE)
            continue;
        fprintf(stderr, "client: GET %s: %llu bytes, then: %s\n", paths[i],
                (unsigned long long)answers[i].length, answers[i].why);
        status = 1;
    }
    SSL_CTX_free(ctx);
    return status;
}
