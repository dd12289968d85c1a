// client.c: sends a hundred requests, and counts how many each server has answered.
//
// Run:    ./client                                   through ./proxy or ./relay
//         ./client --backend 127.0.0.1:9001 --backend 127.0.0.1:9002    it balances itself
//         ./client --lookaside 127.0.0.1:8213        a service names the backend
//         ./client --connections 3                   three connections, for a relay
// Watch:  the shares. Behind a relay this client cannot tell which server answers: look at the
//         last lines of the servers. A proxy with --tell says it.
//
// Read parts/spread.c: which connection gets the next request?
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "spread.h"
#include "story.h"
#include "text.h"

#define NAMES_MAX 32

static const uint8_t to_do[] = {0, 0, 0, 0, 4, 0x12, 2, 'h', 'i'}; // createToDo({text: "hi"})

static struct spread spread;
static struct {
    char name[80];
    int answers;
} names[NAMES_MAX];

static void add_backend(const char *text)
{
    char host[256];
    int port;
    if (!backend_split(text, host, &port) || spread_add(&spread, host, port) < 0)
        options_reject("--backend takes HOST:PORT, at most %d times, not '%s'", SPREAD_SESSIONS,
                       text);
}

static void count(struct ask *ask)
{
    int i = 0;
    if (ask->failed)
        return;
    while (i < NAMES_MAX - 1 && *names[i].name && strcmp(names[i].name, ask->backend))
        i++;
    make_printable(ask->backend);
    snprintf(names[i].name, sizeof names[i].name, "%s", ask->backend);
    names[i].answers++;
}

static void print_counts(const struct load *load, double ms)
{
    printf("%d requests in %.0f ms, connections: %d, errors: %d; answered by:\n",
           load->requests, ms, spread.opened, load->errors);
    for (int i = 0; i < NAMES_MAX && *names[i].name; i++)
        story_bar(names[i].name, names[i].answers, load->requests, "%d", names[i].answers);
}

int main(int argc, char **argv)
{
    static struct load load = {
        .like = {.method = "GET", .path = "/"}, .requests = 100, .at_once = 10, .ended = count};
    static const char *host = "127.0.0.1";
    static int port = 8203, connections = 1;
    static bool grpc;
    static option_call add = add_backend;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the proxy or relay"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"requests", OPTION_INT, &load.requests, 1, 1000000, "how many"},
        {"at-once", OPTION_INT, &load.at_once, 1, 1000, "that are under way at the same time"},
        {"connections", OPTION_INT, &connections, 1, SPREAD_SESSIONS, "to use in turn"},
        {"backend", OPTION_CALL, &add, .help = "HOST:PORT, for each server: use them in turn"},
        {"lookaside", OPTION_TEXT, &spread.lookaside,
         .help = "HOST:PORT of a service that names the server"},
        {"grpc", OPTION_FLAG, &grpc, .help = "calls createToDo of ../grpc/server"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[PATH]", "Lesson 03, fanout: who answers my requests?", options});
    if (first < argc)
        load.like.path = argv[first];
    if (*load.like.path != '/')
        options_reject("a path begins with '/', not as '%s'", load.like.path);
    if (grpc)
        load.like = session_call("/toDo.ToDo/createToDo", to_do, sizeof to_do);
    story_begin();
    output_begin();
    bool own_list = spread.count > 0 || spread.lookaside;
    for (int i = 0; i < connections && !own_list; i++)
        spread_add(&spread, host, port);
    if (!spread_next(&spread)) {
        if (spread.lookaside)
            die("no backend from the service at %s (is it running? are its backends?)",
                spread.lookaside);
        if (own_list)
            die("cannot connect to any --backend (are they running?)");
        die("cannot connect to %s:%d (is the server running?)", host, port);
    }
    int64_t begun_ns = now_ns();
    spread_run(&spread, &load);
    print_counts(&load, ms_since(begun_ns));
    spread_close(&spread);
    output_flush();
    return load.errors > 0;
}
