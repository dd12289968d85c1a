// terminate.c: TLS ends here: a proxy in front of an HTTP server that knows nothing of TLS.
// This is what a load balancer does, and why the server behind it has to be told, in fields of
// its own (X-Forwarded-For, X-Forwarded-Proto), who the client is and that it came by https.
//
// Run:    ../02-http1/server          in one terminal,
//         ./terminate --upstream 127.0.0.1:8002     in another one, and then
//         curl --cacert keys/ca.pem https://localhost:8004/
// Watch:  the two legs of each request: encrypted, and plain. Who can read the second one can
//         read everything.
//
// One poll() for all connections. Each way holds one buffer: while it is full, nothing more is
// read from the side that fills it. What happens to a connection is in relay.c, what happens to
// a request in forward.c.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificates.h"
#include "context.h"
#include "net.h"
#include "options.h"
#include "relay.h"
#include "log.h"

#define RELAYS_MAX      500
#define BACKLOG         512
#define RETRY_ACCEPT_NS INT64_C(500000000) // after accept() found no free descriptor
#define TICK_MS         500

static struct relay_settings settings = {.upstream = "127.0.0.1:8002", .idle_ms = 30000};
static long accepted;

// NULL: no descriptor or no memory is free, and the client waits in the kernel's queue.
static struct relay *accept_client(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct relay *relay = fd >= 0 ? relay_open(fd, &settings) : NULL;
    accepted += relay != NULL;
    return relay;
}

static void run(int stop_fd, int listener)
{
    static struct pollfd polls[2 + 2 * RELAYS_MAX];
    static struct relay *relays[RELAYS_MAX];
    int count = 0;
    int64_t retry_accept_ns = 0;
    for (;;) {
        bool accepting = count < RELAYS_MAX && now_ns() >= retry_accept_ns;
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = (struct pollfd){accepting ? listener : -1, POLLIN, 0};
        bool again = false;
        for (int i = 0; i < count; i++) {
            relay_watch(relays[i], &polls[2 + 2 * i]);
            again = again || relays[i]->again;
        }
        if (poll(polls, (nfds_t)(2 + 2 * count), again ? 0 : TICK_MS) < 0)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents)
            break;
        for (int i = count - 1; i >= 0; i--) { // closing one puts the last into its place
            relay_serve(relays[i], &polls[2 + 2 * i]);
            if (relays[i]->broken) {
                relay_close(relays[i]);
                relays[i] = relays[--count];
            }
        }
        if (polls[1].revents && (relays[count] = accept_client(listener)))
            count++;
        else if (polls[1].revents)
            retry_accept_ns = now_ns() + RETRY_ACCEPT_NS;
    }
    while (count)
        relay_close(relays[--count]);
}

static void parse_upstream(void)
{
    char host[NET_NAME];
    const char *upstream = settings.upstream, *colon = strrchr(upstream, ':');
    int port = colon ? atoi(colon + 1) : 0;
    if (port < 1 || port > 65535 || colon == upstream || colon - upstream >= NET_NAME)
        options_reject("--upstream takes HOST:PORT, not '%s'", upstream);
    snprintf(host, sizeof host, "%.*s", (int)(colon - upstream), upstream);
    settings.address_length = net_address(host, port, SOCK_STREAM, &settings.address);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8004;
    static struct context_settings tls = {.version_min = TLS1_2_VERSION,
                                          .version_max = TLS1_3_VERSION,
                                          .rsa = true,
                                          .ecdsa = true,
                                          .anti_replay = true,
                                          .tickets = true};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"upstream", OPTION_TEXT, &settings.upstream, .help = "HOST:PORT of the HTTP server"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "ms until a silent connection is closed"},
        {"keys", OPTION_TEXT, &tls.folder, .help = "folder of the lesson's certificates"},
        {0}};
    tls.folder = certificate_folder();
    options_parse(
        argc, argv,
        &(struct command){"", "Lesson 04: TLS ends here, plain HTTP goes on.", options});
    parse_upstream();
    log_begin(false);
    struct context *context = context_new(&tls);
    settings.ctx = context_first(context);
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, BACKLOG);
    net_set_nonblocking(listener);
    net_ready(listener);
    run(stop_fd, listener);
    close(listener);
    close(stop_fd);
    context_free(context);
    printf("stopped: connections %ld, requests %ld\n", accepted, settings.requests);
    return 0;
}
