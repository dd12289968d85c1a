// hang_up.c: a client asks for something that takes long, and hangs up. Does the server go on?
// First the eight models as they are; then with --look: the worker looks for its client each
// millisecond (client_has_gone() in handler.c).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "net.h"
#include "process_usage.h"
#include "scenes.h"
#include "story.h"

#define HEAVY_MS     160 // of CPU time for the client's request
#define BEGUN_MS     20  // the client hangs up when the server has used so much
#define MOST_OF_IT   80  // a server that uses more than that afterwards has gone on
#define LITTLE_OF_IT 40  // and one that uses no more than that has certainly not
#define PATIENCE_MS  60000
#define TRIES        4 // this program may be kept waiting between two looks at the server
#define WORKERS      2 // prefork: one for this client, one for the client that asks for /stats

static long figure(const struct fetch *f, const char *name)
{
    const char *found = strstr(f->bytes, name);
    if (!found)
        die("/stats has no '%s'", name);
    return strtol(found + strlen(name), NULL, 10);
}

// Waits until the server has done with the request of the client that has gone, and has closed
// its connection. (single answers this question only then.)
static void await_the_end(const struct sockaddr_storage *server)
{
    static struct fetch asker;
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    fetch_or_die(&asker, fetch_open(&asker, server, until_ns));
    for (long asked = 1;; asked++) {
        fetch_or_die(&asker, fetch_ask(&asker, "GET", "/stats", "", NULL));
        if (figure(&asker, "\nrequests: ") == asked && figure(&asker, "\nopen: ") == 1)
            break;
        sleep_ms(2);
    }
    fetch_close(&asker);
}

// Returns the milliseconds of CPU time that the server has used after the client was gone.
static long burnt_after(const char *model, const char *options)
{
    static struct fetch client;
    static const struct linger reset = {1, 0}; // close() resets the connection
    struct sockaddr_storage server;
    struct lab lab;
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    lab_start(&lab, model, "--workers %d %s", WORKERS, options);
    net_address("127.0.0.1", lab.port, SOCK_STREAM, &server);
    long used_ms, before_ms = process_usage_cpu_ms(lab.pid);
    fetch_or_die(&client, fetch_open(&client, &server, 0));
    fetch_or_die(&client, fetch_send(&client, "GET /cpu?ms=%d HTTP/1.1\r\n" FETCH_HOST "\r\n",
                                     HEAVY_MS));
    while ((used_ms = process_usage_cpu_ms(lab.pid)) < before_ms + BEGUN_MS)
        if (now_ns() > until_ns)
            die("%s does not begin with the request", model);
        else
            sleep_ms(1);
    setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    fetch_close(&client);
    await_the_end(&server);
    used_ms = process_usage_cpu_ms(lab.pid) - used_ms;
    lab_stop(&lab);
    return used_ms;
}

// The most that a server uses after that, in a few tries: it ends them when it has gone on.
static long most_burnt_after(const char *model)
{
    long most_ms = 0;
    for (int i = 0; i < TRIES && most_ms <= MOST_OF_IT; i++) {
        long ms = burnt_after(model, "");
        if (ms > most_ms)
            most_ms = ms;
    }
    return most_ms;
}

// The least that a server uses that looks for its client.
static long least_burnt_after(const char *model)
{
    long least_ms = HEAVY_MS;
    for (int i = 0; i < TRIES && least_ms > LITTLE_OF_IT; i++) {
        long ms = burnt_after(model, "--look");
        if (ms < least_ms)
            least_ms = ms;
    }
    return least_ms;
}

static const struct claim goes_on = {
    "6.41", "guide §5", "a client disconnects: the server might continue processing", HOLDS,
    NULL};

void scene_hang_up(void)
{
    long least_ms = HEAVY_MS, most_ms = 0; // without --look the least, with it the most
    bool stop = true;
    story_say("A client asks for /cpu?ms=%d, and resets its connection when the server has",
              HEAVY_MS);
    story_say("begun. CPU time that the server spends on the request after that:");
    story_head("|after the reset|with --look");
    for (int i = 0; i < model_count(); i++) {
        long plain_ms = most_burnt_after(models[i].name);
        long looking_ms = least_burnt_after(models[i].name);
        story_row("%s|%ld ms|%ld ms", models[i].name, plain_ms, looking_ms);
        if (plain_ms < least_ms)
            least_ms = plain_ms;
        if (looking_ms > most_ms)
            most_ms = looking_ms;
        // (To end a process costs something, too.)
        stop = stop && 2 * looking_ms <= plain_ms;
    }
    claim_report(
        &goes_on, holds_if(least_ms > MOST_OF_IT && stop),
        "all %d models go on for %ld ms or more, of %d; with --look, where the worker asks "
        "poll() about its client meanwhile, they stop within %ld",
        model_count(), least_ms, HEAVY_MS, most_ms);
}
