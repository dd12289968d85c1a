// proxy.c: TLS ends here. This proxy stands in front of an HTTP server that knows nothing of
// TLS, as load balancers do. It tells the server behind it (the upstream) the client's address
// and that the client uses https, in the fields X-Forwarded-For and X-Forwarded-Proto.
//
// Run:    ./proxy              in one terminal, and in another one
//         ./client             which plays both ends: the client and the upstream; or, with
//                              ../../02-http1/server as the upstream:
//         ./proxy --upstream 127.0.0.1:8002
//         curl --cacert ../keys/ca.pem https://localhost:8404/
// Watch:  the two legs of each request: the first is encrypted, the second is plain. A machine
//         on the second leg can read everything.
//
// Read run() first: one poll() for all connections. relay.c serves one connection,
// ../../common/forward.c rewrites requests and answers.
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
#define TICK_MS         100                // how late a deadline may be noticed

static struct relay_settings settings = {.upstream = "127.0.0.1:8405",
                                         .proxy = {"workbench", true},
                                         .idle_ms = 30000,
                                         .head_ms = 10000};
static struct relay *relays[RELAYS_MAX];
static int count;

// The descriptors for poll(): the one that tells the proxy to stop, the listener, and those of
// all relays that wait for something. slots[] says where those of a relay stand; -1: they do
// not.
static struct pollfd polls[2 + 2 * RELAYS_MAX];
static int poll_count, slots[RELAYS_MAX][2];
static long accepted;

// Called when all places are taken. Slow clients must not lock out the others: the relay that
// has waited longest for its client is closed. False: all relays wait for the upstream.
static bool make_place(void)
{
    struct relay *slowest = NULL;
    for (int i = 0; i < count; i++) {
        bool waits = relay_waits_for_client(relays[i]);
        if (waits && (!slowest || relays[i]->stage_ns < slowest->stage_ns))
            slowest = relays[i];
    }
    if (slowest)
        relay_give_up(slowest);
    return slowest;
}

// Accepts a client. NULL: no descriptor or no memory is free; the client waits in the kernel's
// queue.
static struct relay *accept_client(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct relay *relay = NULL;
    if (fd >= 0)
        relay = relay_open(fd, &settings);
    accepted += relay != NULL;
    return relay;
}

static void watch(int i)
{
    struct pollfd both[2];
    relay_watch(relays[i], both);
    for (int side = 0; side < 2; side++) {
        slots[i][side] = -1;
        if (both[side].fd >= 0) {
            slots[i][side] = poll_count;
            polls[poll_count++] = both[side];
        }
    }
}

// Serves all relays. When a relay is closed, the last one moves to its place.
static void serve_all(void)
{
    for (int i = count - 1; i >= 0; i--) {
        short events[2] = {0, 0};
        for (int side = 0; side < 2; side++)
            if (slots[i][side] >= 0)
                events[side] = polls[slots[i][side]].revents;
        relay_serve(relays[i], events[0], events[1]);
        if (relays[i]->broken) {
            relay_close(relays[i]);
            relays[i] = relays[--count];
        }
    }
}

static void run(int stop_fd, int listener)
{
    int64_t retry_accept_ns = 0;
    for (;;) {
        int timeout_ms = TICK_MS;
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = (struct pollfd){listener, POLLIN, 0};
        if (now_ns() < retry_accept_ns)
            polls[1].fd = -1; // poll() leaves it out
        poll_count = 2;
        for (int i = 0; i < count; i++) {
            watch(i);
            if (relays[i]->again)
                timeout_ms = 0;
        }
        if (poll(polls, (nfds_t)poll_count, timeout_ms) < 0)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents)
            break;
        bool client_waits = polls[1].revents;
        if (client_waits && count == RELAYS_MAX && !make_place())
            client_waits = false;
        serve_all();
        if (!client_waits || count == RELAYS_MAX)
            continue;
        relays[count] = accept_client(listener);
        if (relays[count])
            count++;
        else
            retry_accept_ns = now_ns() + RETRY_ACCEPT_NS;
    }
    while (count)
        relay_close(relays[--count]);
}

static void parse_upstream(void)
{
    char host[NET_NAME];
    const char *upstream = settings.upstream, *colon = strrchr(upstream, ':');
    int port = 0;
    if (colon)
        port = atoi(colon + 1);
    if (port < 1 || port > 65535 || colon == upstream || colon - upstream >= NET_NAME)
        options_reject("--upstream takes HOST:PORT, not '%s'", upstream);
    snprintf(host, sizeof host, "%.*s", (int)(colon - upstream), upstream);
    settings.address_length = net_address(host, port, SOCK_STREAM, &settings.address);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8404;
    static bool quiet;
    static struct context_settings tls = {.version_min = TLS1_2_VERSION,
                                          .version_max = TLS1_3_VERSION,
                                          .rsa = true,
                                          .ecdsa = true,
                                          .anti_replay = true,
                                          .tickets = true};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"upstream", OPTION_TEXT, &settings.upstream, .help = "HOST:PORT of the HTTP server"},
        {"head-ms", OPTION_INT, &settings.head_ms, 1, 3600000,
         "ms for a handshake, and for a request's head"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "ms of silence of a client or of the upstream"},
        {"keys", OPTION_TEXT, &tls.folder, .help = "folder of the lesson's certificates"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    struct command command = {
        "", "Lesson 04: a proxy: TLS ends here, behind it goes plain HTTP.", options};
    tls.folder = certificate_folder("../" CERTIFICATE_FOLDER);
    options_parse(argc, argv, &command);
    parse_upstream();
    log_begin(quiet);
    struct context *context = context_new(&tls);
    settings.ctx = context_first(context);
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, BACKLOG);
    net_set_nonblocking(listener);
    net_ready(listener);
    run(stop_fd, listener);
    close(listener);
    close(stop_fd);
    context_free(context);
    log_end();
    printf("stopped: connections %ld, requests %ld\n", accepted, settings.requests);
    return 0;
}
