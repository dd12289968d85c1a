// http_client.c: a variation: the same pool, but it holds HTTP/1.1 connections; one pool for
// each host.
//
// Run:    ./http_client http://127.0.0.1:8080/                against any HTTP server
//         ./http_client --threads 20 --connections 2 URL      20 threads share 2 connections
//         ./http_client --connections 1 --pause-ms 2000 --blind URL
// Watch:  how many connections were opened for how many requests. When the server closes an
//         idle connection, the client opens another one, and no request fails.
//
// pool.c knows nothing about HTTP, and http_client.c nothing about the threads in the pool's
// line. Read open_connection(), look() and get().
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"
#include "net.h"
#include "options.h"
#include "pool.h"
#include "smaller.h"

#define HOSTS_MAX   16
#define URLS_MAX    100
#define THREADS_MAX 1000
#define OPEN_MS     5000

struct host {
    char name[256];
    char field[270]; // the value of the Host field: the port stands there if it is not 80
    int port;
    struct sockaddr_storage address;
    struct pool *pool;
    atomic_long retried; // requests that were sent again
};

struct url {
    struct host *host;
    const char *target;
};

struct connection {
    struct fetch fetch;
    long answers; // that have come over this connection
    struct host *host;
};

static int threads = 10, requests = 100, connections = 4, pause_ms, timeout_ms = 10000;
static int idle_ms = 30000;
static bool blind;
static struct host hosts[HOSTS_MAX];
static struct url urls[URLS_MAX];
static int host_count, url_count;
static atomic_long next_request, good, failed, bytes;
static atomic_long statuses[6]; // by their first digit

// ---- the pool's three functions------------------------------------------------------------

static void discard(struct fetch *f, struct http_text part)
{
    (void)f;
    bytes += (long)part.length;
}

static int64_t deadline_in(int ms)
{
    return now_ns() + ms * INT64_C(1000000);
}

static bool connect_to_host(struct connection *c, int ms)
{
    c->answers = 0;
    enum fetch_result result = fetch_open(&c->fetch, &c->host->address, deadline_in(ms));
    c->fetch.piece = discard;
    return result == FETCH_OK;
}

static void *open_connection(void *context, int ms, char why[POOL_ERROR])
{
    struct connection *c = malloc(sizeof *c);
    if (c) {
        c->host = context;
        if (connect_to_host(c, ms))
            return c;
    }
    snprintf(why, POOL_ERROR, "%s", strerror(errno));
    free(c);
    return NULL;
}

static void close_connection(void *connection)
{
    struct connection *c = connection;
    fetch_close(&c->fetch);
    free(c);
}

// An idle connection is silent. If there is something to read, the server has closed the
// connection, or it has sent something that we did not ask for.
static bool look(void *connection, int ms)
{
    char byte;
    (void)ms;
    return recv(((struct connection *)connection)->fetch.fd, &byte, 1,
                MSG_PEEK | MSG_DONTWAIT) < 0 &&
           errno == EAGAIN;
}

// ---- a request -----------------------------------------------------------------------------

static enum fetch_result ask(struct connection *c, const char *target)
{
    c->fetch.deadline_ns = deadline_in(timeout_ms);
    enum fetch_result result =
        fetch_send(&c->fetch, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: workbench\r\n\r\n",
                   target, c->host->field);
    if (result != FETCH_OK)
        return result;
    return fetch_answer(&c->fetch);
}

// A server may close an idle connection at any time, even while a request is on its way. The
// client may then send a GET again without asking the user (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
// We do so once, on a new connection, if the old connection had worked before and no byte of
// the answer had come.
static bool is_worth_another_try(const struct connection *c, enum fetch_result result)
{
    return c->answers > 0 && (result == FETCH_CLOSED || result == FETCH_RESET) &&
           !c->fetch.in_answer && c->fetch.rest.length == 0;
}

// False: no complete answer has come, and `why` says why.
static bool get(const struct url *url, char why[POOL_ERROR])
{
    struct lease lease;
    if (!pool_acquire(url->host->pool, url->target, &lease)) {
        snprintf(why, POOL_ERROR, "%s", lease.error);
        return false;
    }
    struct connection *c = lease.resource;
    enum fetch_result result = ask(c, url->target);
    if (is_worth_another_try(c, result)) {
        url->host->retried++;
        fetch_close(&c->fetch); // the new connection takes its place in the pool
        result = FETCH_REFUSED;
        if (connect_to_host(c, OPEN_MS))
            result = ask(c, url->target);
    }
    fetch_why(&c->fetch, result, why);
    bool whole = result == FETCH_OK;
    c->answers++;
    if (whole)
        statuses[smaller((size_t)c->fetch.head.status / 100, 5)]++; // 600 counts as 500
    pool_release(&lease, whole && c->fetch.head.keep_alive && c->fetch.head.status != 101 &&
                             c->fetch.rest.length == 0);
    return whole;
}

static void *work(void *unused)
{
    (void)unused;
    for (long number; (number = next_request++) < requests;) {
        char why[POOL_ERROR];
        const struct url *url = &urls[number % url_count];
        if (get(url, why))
            good++;
        else if (failed++ == 0) // the others are counted
            fprintf(stderr, "http_client: http://%s%s: %s\n", url->host->field, url->target,
                    why);
        if (pause_ms)
            sleep_ms(pause_ms);
    }
    return NULL;
}

// ---- hosts and URLs ------------------------------------------------------------------------

static _Noreturn void refuse(const char *url, const char *why)
{
    fprintf(stderr, "http_client: '%s': %s\n", url, why);
    exit(2);
}

static struct host *find_host(const char *name, int port)
{
    for (int i = 0; i < host_count; i++)
        if (!strcmp(hosts[i].name, name) && hosts[i].port == port)
            return &hosts[i];
    if (host_count == HOSTS_MAX)
        refuse(name, "too many hosts");
    struct host *host = &hosts[host_count++];
    snprintf(host->name, sizeof host->name, "%s", name);
    snprintf(host->field, sizeof host->field, "%s", name);
    if (strchr(name, ':')) // an IPv6 address
        snprintf(host->field, sizeof host->field, "[%s]", name);
    if (port != 80)
        snprintf(host->field + strlen(host->field), 8, ":%d", port);
    host->port = port;
    net_address(name, port, SOCK_STREAM, &host->address);
    struct pool_config config = {.max = connections,
                                 .acquire_ms = timeout_ms,
                                 .open_ms = OPEN_MS,
                                 .retry_ms = 100,
                                 .idle_ms = idle_ms,
                                 .open = open_connection,
                                 .close = close_connection,
                                 .context = host};
    if (!blind)
        config.validate = look;
    host->pool = pool_create(&config);
    if (!host->pool)
        die("cannot make a pool: %s", strerror(errno));
    return host;
}

// http://HOST[:PORT][/TARGET]
static void add_url(const char *text)
{
    char name[256], *end;
    long port = 80;
    if (strncmp(text, "http://", 7))
        refuse(text, "a URL begins with http:// (there is no TLS in this lesson)");
    if (url_count == URLS_MAX)
        refuse(text, "too many URLs");
    const char *at = text + 7;
    for (const char *c = at; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '#')
            refuse(text, "a URL that can be sent has no spaces, no #, and nothing but ASCII");
    bool bracket = *at == '[';
    const char *host_ends = ":/?#";
    if (bracket)
        host_ends = "]";
    size_t length = strcspn(at += bracket, host_ends);
    if (length == 0 || length >= sizeof name || (bracket && at[length] != ']'))
        refuse(text, "there is no host in it");
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length + bracket;
    if (*at == ':') {
        port = strtol(at + 1, &end, 10);
        if (at[1] < '0' || at[1] > '9' || port < 1 || port > 65535)
            refuse(text, "a port is a number from 1 to 65535");
        at = end;
    }
    if (*at && *at != '/')
        refuse(text, "after the host comes /");
    if (!*at)
        at = "/";
    urls[url_count++] = (struct url){find_host(name, (int)port), at};
}

// --------------------------------------------------------------------------------------------

static void report(double seconds)
{
    for (int i = 0; i < host_count; i++) {
        struct pool_stats stats;
        pool_stats(hosts[i].pool, &stats);
        long retried = hosts[i].retried, opened = (long)stats.created + retried;
        printf("%s: %ld connections, %ld requests on one that was there, %ld sent again\n",
               hosts[i].field, opened, (long)stats.acquired - (long)stats.created - retried,
               retried);
        printf("  at most %d at once; waited for one: half of them at most %.1f ms, 99%% %.1f "
               "ms\n",
               stats.most, pool_wait_ms(&stats, 0.5), pool_wait_ms(&stats, 0.99));
        for (int reason = 0; reason < POOL_REASONS; reason++)
            if (stats.closed[reason])
                printf("  %llu closed: %s\n", (unsigned long long)stats.closed[reason],
                       pool_reason_name[reason]);
        pool_close(hosts[i].pool, 1000);
    }
    printf("%ld answers", (long)good);
    for (int i = 1; i < 6; i++)
        if (statuses[i])
            printf(", %dxx: %ld", i, (long)statuses[i]);
    printf("; %ld failed; %ld bytes; %.2f s\n", (long)failed, (long)bytes, seconds);
}

int main(int argc, char **argv)
{
    static pthread_t all[THREADS_MAX];
    static const struct option_spec options[] = {
        {"threads", OPTION_INT, &threads, 1, THREADS_MAX, "that send requests"},
        {"requests", OPTION_INT, &requests, 1, 100000000, "all in all, to all URLs in turn"},
        {"connections", OPTION_INT, &connections, 1, POOL_MAX_RESOURCES, "at most, to a host"},
        {"timeout-ms", OPTION_INT, &timeout_ms, 1, 3600000,
         "ms to wait for a connection, or for an answer"},
        {"idle-ms", OPTION_INT, &idle_ms, 0, 3600000,
         "ms until an idle connection ends; 0: never"},
        {"pause-ms", OPTION_INT, &pause_ms, 0, 3600000,
         "ms that a thread pauses after a request"},
        {"blind", OPTION_FLAG, &blind, .help = "do not look at a connection before it is used"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"URL...", "Lesson 08: GET over HTTP/1.1 connections out of a pool.",
                          options});
    if (first == argc)
        refuse("", "which URL?");
    for (int i = first; i < argc; i++)
        add_url(argv[i]);
    int64_t start_ns = now_ns();
    for (int i = 0; i < threads; i++)
        if ((errno = pthread_create(&all[i], NULL, work, NULL)))
            die("cannot start thread %d: %s", i + 1, strerror(errno));
    for (int i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
    report((double)(now_ns() - start_ns) / 1e9);
    return failed > 0;
}
