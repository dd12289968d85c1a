// price.c: scene price: the CPU time of a server with QUIC, beside that of one with TLS over
// TCP.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "stage.h"
#include "story.h"

#define BULK_BYTES 12000000 // of one download
#define REQUESTS   300      // small ones on one connection

struct price {
    double bulk_us, request_us; // for a megabyte; for a request
    bool whole;
};

static struct price measure_tls(void)
{
    struct price price = {.whole = true};
    pid_t pid;
    const char *arguments[] = {"../server", "--port",     "0", "--quiet",
                               "--keys",    ask_folder(), NULL};
    int port = spawn_server(&pid, arguments);
    if (!port)
        die("cannot start ../server");
    struct connect_settings settings = ask_settings();
    connect_to("127.0.0.1", port);
    struct connection *c = connection_open(&settings);
    struct reply reply = {0};
    char path[40];
    snprintf(path, sizeof path, "/bytes?n=%d", BULK_BYTES);
    double before_us = process_cpu_us(pid);
    price.whole &= ask(c, "GET", path, NULL, &reply) && reply.length == BULK_BYTES;
    price.bulk_us = (process_cpu_us(pid) - before_us) / (BULK_BYTES / 1e6);
    before_us = process_cpu_us(pid);
    for (int i = 0; i < REQUESTS; i++)
        price.whole &= ask(c, "GET", "/transfers", NULL, &reply) && reply.status == 200;
    price.request_us = (process_cpu_us(pid) - before_us) / REQUESTS;
    connection_close(c);
    spawn_stop(pid);
    return price;
}

static struct price measure_quic(void)
{
    static struct h3_client client;
    struct price price = {.whole = true};
    pid_t pid;
    const char *arguments[] = {"./server", "--port",     "0", "--quiet",
                               "--keys",   ask_folder(), NULL};
    int port = spawn_server(&pid, arguments);
    if (!port)
        die("cannot start ./server");
    SSL_CTX *ctx = stage_context();
    struct answer answer = {0};
    stage_connect(&client, ctx, "127.0.0.1", port);
    double before_us = process_cpu_us(pid);
    stage_ask(&client, &answer, "/img/1?size=%d", BULK_BYTES);
    price.whole &= stage_await(&client) && answer.length == BULK_BYTES;
    price.bulk_us = (process_cpu_us(pid) - before_us) / (BULK_BYTES / 1e6);
    before_us = process_cpu_us(pid);
    for (int i = 0; i < REQUESTS; i++) {
        answer = (struct answer){0};
        stage_ask(&client, &answer, "/");
        price.whole &= stage_await(&client) && answer.status == 200;
    }
    price.request_us = (process_cpu_us(pid) - before_us) / REQUESTS;
    h3_close(&client);
    SSL_CTX_free(ctx);
    spawn_stop(pid);
    return price;
}

static const struct claim more_cpu = {
    "4.42", "guide §3.4", "QUIC works in user space, and takes more CPU than TCP", HOLDS, NULL};

void scene_price(void)
{
    story_say(
        "One download of %d MB, then %d small requests one after the other, on one connection "
        "each. The CPU time of the server, also of its part in the kernel:",
        BULK_BYTES / 1000000, REQUESTS);
    struct price tls = measure_tls(), quic = measure_quic();
    story_head("|a megabyte|a request");
    story_row("HTTP/1.1, TLS 1.3 over TCP|%.0f us|%.0f us", tls.bulk_us, tls.request_us);
    story_row("HTTP/3|%.0f us|%.0f us", quic.bulk_us, quic.request_us);
    story_say("");
    story_bar("TLS over TCP", tls.bulk_us, quic.bulk_us, "a megabyte: %.0f us", tls.bulk_us);
    story_bar("QUIC", quic.bulk_us, quic.bulk_us, "%.0f us", quic.bulk_us);
    story_say("");
    story_say(
        "With TCP, one system call hands the kernel 64 KB, and the kernel makes packets of "
        "it. With QUIC each packet of 1,200 bytes is made, encrypted and acknowledged here.");
    claim_report(&more_cpu,
                 holds_if(tls.whole && quic.whole && quic.bulk_us > 1.5 * tls.bulk_us),
                 "a megabyte takes %.1f times as much, a small request %.1f times",
                 quic.bulk_us / tls.bulk_us, quic.request_us / tls.request_us);
}
