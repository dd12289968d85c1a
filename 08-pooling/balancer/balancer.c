// balancer.c: a load balancer: it stands in front of several servers (the backends) and decides
// which of them gets the next connection (--layer 4) or the next request (--layer 7).
//
// Run:    ./backend --port 9001 --name one      in one terminal, in a second one
//         ./backend --port 9002 --name two      and in a third one
//         ./balancer --backend localhost:9001 --backend localhost:9002
//         ./client                              in a fourth one: who has answered?
// Watch:  curl localhost:8108/balancer: what the balancer knows of each backend. End a backend
//         with ctrl-C, and run the client again.
//
// Read pick.c first: who gets the request? Then layer7.c, layer4.c and health.c. Here are the
// options.
#include <stdio.h>
#include <stdlib.h>

#include "balancer.h"
#include "log.h"
#include "measure.h"
#include "options.h"

#define BACKLOG     4096
#define SPARE_FILES 20 // that the program needs beside its connections

struct settings settings = {.layer = 7,
                            .retry = true,
                            .connect_ms = 1000,
                            .answer_ms = 30000,
                            .head_ms = 10000,
                            .idle_ms = 60000,
                            .keep_ms = 4000,
                            .tunnel_ms = 3600000,
                            .drain_ms = 10000,
                            .check_ms = 2000,
                            .check_timeout_ms = 1000,
                            .rise = 2,
                            .fall = 3,
                            .check_path = "/health",
                            .eject_after = 3,
                            .eject_ms = 5000,
                            .clients_max = 8000};

static void choose_algorithm(const char *name)
{
    settings.algorithm = pick_find(name);
    if (settings.algorithm)
        return;
    char names[400] = "";
    for (const struct pick_algorithm *a = pick_algorithms; a->name; a++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s", a->name);
    options_reject("--algorithm takes one of:%s; not '%s'", names, name);
}

// Each client may need a connection to a backend, and at layer 4 two pipes.
static void fit_to_file_limit(void)
{
    int files = settings.layer == 4 ? 4 : 2;
    long limit = raise_file_limit((long)settings.clients_max * files + SPARE_FILES);
    if (limit >= (long)settings.clients_max * 2 + SPARE_FILES)
        return;
    settings.clients_max = (int)(limit - SPARE_FILES) / 2;
    if (settings.clients_max < 1)
        settings.clients_max = 1;
    fprintf(stderr, "balancer: at most %d clients: this machine allows %ld open files\n",
            settings.clients_max, limit);
}

static void print_summary(long clients)
{
    log_end();
    printf("stopped: clients %ld\n", clients);
    for (struct backend *b = backends; b < backends + backend_count; b++)
        printf("  %-22s %s %ld, errors %ld, connections %ld\n", b->name,
               settings.layer == 7 ? "requests" : "clients", b->requests, b->errors,
               b->connections);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8108;
    static bool quiet, no_retry;
    static option_call add = backends_add, begin_group = backends_begin_group,
                       algorithm = choose_algorithm;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"layer", OPTION_INT, &settings.layer, 4, 7,
         "4: connections of bytes; 7: requests of HTTP"},
        {"backend", OPTION_CALL, &add,
         .help = "HOST:PORT[,WEIGHT] (default 127.0.0.1:9001, 9002, 9003)"},
        {"for", OPTION_CALL, &begin_group,
         .help = "[HOST]/PATH: the backends behind it are for these requests"},
        {"algorithm", OPTION_CALL, &algorithm,
         .help = "who is next (default round-robin); a wrong one lists all"},
        {"sticky", OPTION_FLAG, &settings.sticky,
         .help = "a cookie binds a client to a backend"},
        {"no-retry", OPTION_FLAG, &no_retry, .help = "no second try with another backend"},
        {"proxy-protocol", OPTION_FLAG, &settings.proxy_protocol,
         .help = "layer 4: tells the backend the client's address"},
        {"check-ms", OPTION_INT, &settings.check_ms, 0, 3600000,
         "ms from check to check of a backend; 0: none"},
        {"check-timeout-ms", OPTION_INT, &settings.check_timeout_ms, 1, 60000,
         "ms that a check may take"},
        {"check-path", OPTION_TEXT, &settings.check_path,
         .help = "what it asks for at layer 7"},
        {"fall", OPTION_INT, &settings.fall, 1, 100, "bad checks until a backend is down"},
        {"rise", OPTION_INT, &settings.rise, 1, 100, "good checks until it is up again"},
        {"eject-after", OPTION_INT, &settings.eject_after, 0, 1000,
         "failed requests in a row that take it out; 0: none do"},
        {"eject-ms", OPTION_INT, &settings.eject_ms, 1, 3600000, "for how long"},
        {"connect-ms", OPTION_INT, &settings.connect_ms, 1, 60000,
         "ms to connect to a backend"},
        {"answer-ms", OPTION_INT, &settings.answer_ms, 1, 3600000,
         "ms of a backend's silence before and in an answer"},
        {"keep-ms", OPTION_INT, &settings.keep_ms, 0, 3600000,
         "ms that a connection to a backend waits for a request"},
        {"head-ms", OPTION_INT, &settings.head_ms, 1, 3600000, "ms for a request's head"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "ms that a client's connection waits for a request"},
        {"tunnel-ms", OPTION_INT, &settings.tunnel_ms, 1, 86400000,
         "ms of silence at layer 4, and of a WebSocket"},
        {"drain-ms", OPTION_INT, &settings.drain_ms, 1, 3600000,
         "ms that connections may go on when it is to stop"},
        {"clients", OPTION_INT, &settings.clients_max, 1, 100000, "that may be connected"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    settings.algorithm = &pick_algorithms[0];
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 08, balancer: who gets the request?", options});
    if (settings.layer != 4 && settings.layer != 7)
        options_reject("--layer takes 4 or 7, not %d", settings.layer);
    if (backend_count == 0 && http_is((struct http_text){"/", 1}, groups[0].path)) {
        backends_add("127.0.0.1:9001");
        backends_add("127.0.0.1:9002");
        backends_add("127.0.0.1:9003");
    }
    backends_check_options();
    settings.retry = !no_retry;
    fit_to_file_limit();
    log_begin(quiet);
    bool four = settings.layer == 4;
    struct leg_program program = {.client = four ? &layer4_client : &layer7_client,
                                  .legs_max = 2 * settings.clients_max + 2 * BACKENDS_MAX,
                                  .clients_max = settings.clients_max,
                                  .drain_ms = settings.drain_ms,
                                  .opened = four ? layer4_opened : layer7_opened,
                                  .make_place = four ? NULL : layer7_make_place,
                                  .tick = health_tick,
                                  .stop = four ? NULL : layer7_stop};
    print_summary(leg_run(net_listen(host, port, BACKLOG), &program));
    return 0;
}
