// proxy.c: a proxy for HTTP/1.1 with a shared cache.
//
// Run:    ./proxy --upstream 127.0.0.1:8218      a reverse proxy in front of ./origin
//         ./proxy                                a forward proxy: curl -x http://127.0.0.1:8208
//         ...
//         ./client, or any browser; ./proxy --help shows the options
// Watch:  X-Cache in the answers, and the lines that the proxy writes.
//
// Read first: take_request() and consult_cache() in requests.c; freshness.c, which is RFC 9111;
// begin_answer() in exchange.c. One thread and one loop serve all connections: those of clients
// and those to servers. This file says which of the two a call of the loop is about.
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "conn.h"
#include "log.h"
#include "options.h"
#include "requests.h"
#include "resolve.h"
#include "settings.h"
#include "upstream.h"

#define BACKLOG 4096 // clients that may wait for accept()

struct settings settings = {.answer_ms = 30000,
                            .tunnel_idle_ms = 60000,
                            .idle_ms = 60000,
                            .collapse_ms = 5000,
                            .connect_ports = "443",
                            .self = {"workbench", false}};

// What the loop allocates for a connection, whatever it is.
union side {
    struct conn conn;
    struct client client; // `kind` stands at the same place in all of them
    struct upstream upstream;
};

static struct loop *loop; // the only one
static int clients;
static long accepted;      // clients, since the start
static int lookups = -1;   // the socket of the look-ups
static bool opens_lookups; // opened() is about it

static enum kind kind_of(struct conn *c)
{
    return ((union side *)c)->client.kind;
}

static void opened(struct conn *c)
{
    loop = c->loop;
    if (upstream_opened(&((union side *)c)->upstream))
        return;
    if (opens_lookups) {
        ((union side *)c)->client.kind = LOOKUPS;
    } else {
        client_opened(&((union side *)c)->client);
        clients++;
        accepted++;
    }
}

static size_t received(struct conn *c, const char *bytes, size_t length)
{
    switch (kind_of(c)) {
    case CLIENT:
        return client_received(&((union side *)c)->client, bytes, length);
    case UPSTREAM:
        return upstream_received(&((union side *)c)->upstream, bytes, length);
    case LOOKUPS:
        return resolve_received(bytes, length);
    }
    return length;
}

static bool produce(struct conn *c)
{
    if (kind_of(c) == CLIENT)
        return client_produce(&((union side *)c)->client);
    return kind_of(c) == UPSTREAM && upstream_produce(&((union side *)c)->upstream);
}

static void timeout(struct conn *c)
{
    if (kind_of(c) == CLIENT)
        client_timeout(&((union side *)c)->client);
    else if (kind_of(c) == UPSTREAM)
        upstream_timeout(&((union side *)c)->upstream);
}

static void woken(struct conn *c)
{
    if (kind_of(c) == CLIENT)
        client_woken(&((union side *)c)->client);
    else if (kind_of(c) == UPSTREAM)
        upstream_woken(&((union side *)c)->upstream);
}

static void stop(struct conn *c)
{
    if (kind_of(c) == CLIENT)
        client_stop(&((union side *)c)->client);
    else if (kind_of(c) == LOOKUPS || !((union side *)c)->upstream.exchange)
        c->broken = true; // an idle server; or look-ups: their clients end with the loop
}

static void closed(struct conn *c)
{
    if (kind_of(c) == CLIENT)
        clients--;
    if (kind_of(c) == CLIENT)
        client_closed(&((union side *)c)->client);
    else if (kind_of(c) == UPSTREAM)
        upstream_closed(&((union side *)c)->upstream);
}

// Behind each round of the loop: opens the connections that the round has asked for.
static bool end_of_round(void)
{
    if (lookups != resolve_socket()) { // the first look-up has begun
        lookups = resolve_socket();
        opens_lookups = true;
        conn_open(loop, lookups);
        opens_lookups = false;
    }
    upstream_open_all(loop);
    return false;
}

// Leaves clients in the kernel's queue while there are CLIENTS_MAX: connections to servers have
// places of their own.
static int accept_client(int listener)
{
    errno = EMFILE;
    if (clients >= CLIENTS_MAX)
        return -1;
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// --upstream HOST:PORT. The name is looked up once.
static void set_upstream(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(text) >= HTTP_HOST_BYTES)
        options_reject("--upstream takes HOST:PORT, not '%s'", text);
    int error = resolve_now(text, 0, &settings.upstream_address);
    if (error)
        options_reject("--upstream %s: %s", text, gai_strerror(error));
    settings.upstream = text;
}

static const struct loop_server server = {
    .conn_bytes = sizeof(union side),
    .conns_max = CLIENTS_MAX + UPSTREAMS_MAX + 1,
    .opened = opened,        // says which kind of connection it is
    .received = received,    // requests, answers, or addresses that were looked up
    .produce = produce,      // answers to a client, a request to a server
    .timeout = timeout,      // a client or a server is too slow, or idle for too long
    .woken = woken,          // the other side of its exchange has moved
    .stop = stop,            // idle connections end; an exchange may finish
    .closed = closed,        // its exchange fails, is tried again, or ends with it
    .round = end_of_round,   // connects to the servers that requests wait for
    .accept = accept_client, // not while there are CLIENTS_MAX
};

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8208, cache_mb = 64, object_kb = 4096;
    static bool quiet;
    static option_call upstream = set_upstream, resolve_name = resolve_fixed;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "port to listen on; 0: the kernel chooses"},
        {"upstream", OPTION_CALL, &upstream,
         .help = "HOST:PORT of the one server behind a reverse proxy"},
        {"forward", OPTION_FLAG, &settings.forwards,
         .help = "be a forward proxy as well (without --upstream: always)"},
        {"connect-ports", OPTION_TEXT, &settings.connect_ports,
         .help = "ports that CONNECT may reach"},
        {"allow-private", OPTION_FLAG, &settings.allow_private,
         .help = "forward also to loopback, private and own addresses"},
        {"tell-client", OPTION_FLAG, &settings.tell_client,
         .help = "forward with the client's address in X-Forwarded-For"},
        {"resolve", OPTION_CALL, &resolve_name,
         .help = "NAME=ADDRESS,...: a name that needs no look-up"},
        {"cache-mb", OPTION_INT, &cache_mb, 0, 65536, "size of the store; 0: none"},
        {"object-kb", OPTION_INT, &object_kb, 1, 1048576, "of one stored content, at most"},
        {"no-collapse", OPTION_FLAG, &settings.no_collapse,
         .help = "each miss asks the server, also beside another one"},
        {"no-upgrade", OPTION_FLAG, &settings.no_upgrade,
         .help = "drop Upgrade and Connection: no WebSocket"},
        {"upstream-http10", OPTION_FLAG, &settings.upstream_http10,
         .help = "speak HTTP/1.0 to the server"},
        {"answer-ms", OPTION_INT, &settings.answer_ms, 1, 3600000,
         "that a server may be silent"},
        {"tunnel-idle-ms", OPTION_INT, &settings.tunnel_idle_ms, 1, 86400000,
         "that a tunnel may be silent"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "that a client's connection may wait for its next request"},
        {"collapse-ms", OPTION_INT, &settings.collapse_ms, 1, 3600000,
         "that a client waits for another one's request"},
        {"quiet", OPTION_FLAG, &quiet, .help = "print no line for each request"},
        {0}};
    options_parse(
        argc, argv,
        &(struct command){"", "Lesson 08, proxy: forward, reverse, caching.", options});
    log_begin(quiet);
    settings.forwards = settings.forwards || !settings.upstream;
    settings.no_cache = cache_mb == 0;
    cache_begin(&(struct cache_limits){(size_t)cache_mb << 20, (size_t)object_kb << 10});
    loop_run(net_listen(host, port, BACKLOG), &server);
    const struct cache_figures *figures = cache_figures();
    log_end();
    printf("stopped: %ld connections; %ld answers stored, %ld evicted, %zu in the store\n",
           accepted, figures->stored, figures->evicted, figures->entries);
    cache_end();
    return 0;
}
