// load.c: many requests on one connection of HTTP/3, some of them at once: for bench.sh.
//
// Run:    build/load --port 8304 --requests 1000 --at-once 10 --path /
// Prints: how many were answered, and the milliseconds from the handshake's end to the last
// answer.
#include <stdio.h>
#include <stdlib.h>

#include "certificates.h"
#include "h3_client.h"
#include "measure.h"
#include "net.h"
#include "options.h"

#define AT_ONCE_MAX 100
#define PATIENCE_NS INT64_C(20000000000)

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *name = "localhost", *path = "/", *keys;
    static int port = 8304, requests = 1000, at_once = 10;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its UDP port"},
        {"servername", OPTION_TEXT, &name, .help = "the name in its certificate"},
        {"path", OPTION_TEXT, &path, .help = "what to ask for"},
        {"requests", OPTION_INT, &requests, 1, 1000000, "how often"},
        {"at-once", OPTION_INT, &at_once, 1, AT_ONCE_MAX, "requests at once"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    static struct h3_client client;
    static struct answer answers[AT_ONCE_MAX];
    int asked = 0, answered = 0;
    keys = certificate_folder("../../" CERTIFICATE_FOLDER);
    options_parse(argc, argv, &(struct command){"", "Requests over HTTP/3.", options});
    struct certificate_files ca = certificate_files(keys, CERTIFICATE_CA);
    h3_open(&client, quic_client_context(ca.chain, NULL), host, port, name);
    if (!h3_handshake(&client, now_ns() + PATIENCE_NS))
        die("no connection: %s", client.connection.why);
    do {
        for (int i = 0; i < at_once; i++) {
            struct answer *answer = &answers[i];
            if (answer->state == ANSWER_PENDING)
                continue;
            answered += answer->state == ANSWER_WHOLE && answer->status == 200;
            *answer = (struct answer){0};
            if (asked < requests && h3_ask(&client, answer, "GET", path))
                asked++;
        }
    } while (client.pending && h3_step(&client, now_ns() + PATIENCE_NS));
    for (int i = 0; i < at_once; i++)
        answered += answers[i].state == ANSWER_WHOLE && answers[i].status == 200;
    printf("%d %.1f\n", answered, ms_since(client.established_ns));
    h3_close(&client);
    return answered != requests;
}
