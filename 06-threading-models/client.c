// client.c: a load generator. It has many connections; each asks, waits for the answer, and
// asks again. The client shows how many answers a second there were, and how long they took.
//
// Run:    ./client                                        against ./server in another terminal
//         ./client --url '/io?ms=10' --connections 64     or any other server (--host, --port)
// Watch:  p50 and p99: half of the answers came within p50, 99 % of them within p99. Then start
//         the server with another --model.
//
// Read main() first, then take_answer(): this is the whole loop. A connection that waits does
// not ask ("closed loop"). So a slow server is asked less often, and looks better than it is.
// exchange.c reads an answer; histogram.c remembers how long a million of them took.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "exchange.h"
#include "histogram.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"

#define CONNECTIONS_MAX 16384
#define EVENTS          128 // one epoll_wait() reports at most so many
#define SPARE_FILES     20  // descriptors that the client needs beside its connections
#define RETRY_MS        10  // after this time a connection that had an error is opened anew

struct connection {
    int fd;
    bool connecting, served;
    int64_t asked_ns; // when it asked
    struct exchange exchange;
};

static const char *host = "127.0.0.1", *url = "/cheap";
static int port = 8006, connections = 64, requests;
static double seconds = 2;
static struct sockaddr_storage address;
static char *request;
static int epoll;
static struct connection *all, **failed; // failed: those that had an error
static int failed_count;
static struct histogram latency; // of the good answers, in nanoseconds
static uint64_t errors;
static char first_error[200];

static void disconnect(struct connection *c)
{
    exchange_reset(&c->exchange);
    close(c->fd);
}

static void fail(struct connection *c, const char *why)
{
    if (errors++ == 0)
        snprintf(first_error, sizeof first_error, "%s", why);
    disconnect(c);
    failed[failed_count++] = c;
}

static void ask(struct connection *c)
{
    size_t length = strlen(request);
    if (send(c->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail(c, "the server does not take the request");
}

static void connect_and_ask(struct connection *c)
{
    struct epoll_event event = {EPOLLOUT, {.ptr = c}};
    c->asked_ns = now_ns(); // a connection that is slow to come is a slow answer
    c->connecting = true;
    c->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event))
        die("cannot open connection %td: %s", c - all + 1, strerror(errno));
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail(c, strerror(errno));
}

// connect() has come to its end, good or bad.
static void connected(struct connection *c)
{
    struct epoll_event event = {EPOLLIN, {.ptr = c}};
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->connecting = false;
    if (error)
        fail(c, strerror(error));
    else
        ask(c);
}

// Reads once. When the answer is whole, counts it and asks again.
static void take_answer(struct connection *c)
{
    static char buffer[EXCHANGE_BYTES];
    static struct pattern pattern;
    const char *why;
    size_t kept = exchange_restore(&c->exchange, buffer);
    ssize_t got = read(c->fd, buffer + kept, EXCHANGE_READ_BYTES);
    if (got < 0) {
        if (errno != EAGAIN)
            fail(c, strerror(errno));
        return;
    }
    if (exchange_take(&c->exchange, buffer, kept + (size_t)got, &pattern, &why) ==
        EXCHANGE_MORE)
        return;
    if (why) { // the answer is wrong, or has another status than 2xx
        fail(c, why);
        return;
    }
    int64_t now = now_ns();
    histogram_add(&latency, (uint64_t)(now - c->asked_ns));
    c->served = true;
    c->asked_ns = now;
    if (c->exchange.last) { // the server closes this connection
        disconnect(c);
        connect_and_ask(c);
    } else {
        ask(c);
    }
}

static void print_report(double taken)
{
    int served = 0;
    for (int i = 0; i < connections; i++)
        served += all[i].served;
    printf("  %.0f answers a second (%llu in %.2f s)\n", (double)latency.total / taken,
           (unsigned long long)latency.total, taken);
    if (latency.total > 0)
        printf("  p50 %.3f ms, p99 %.3f ms, the slowest %.3f ms\n",
               (double)histogram_percentile(&latency, 50) / 1e6,
               (double)histogram_percentile(&latency, 99) / 1e6, (double)latency.max / 1e6);
    if (served < connections)
        printf("  %d of %d connections had no answer\n", connections - served, connections);
    if (errors > 0)
        printf("  %llu errors; the first: %s\n", (unsigned long long)errors, first_error);
    output_flush();
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"url", OPTION_TEXT, &url, .help = "path to ask for"},
        {"connections", OPTION_INT, &connections, 1, CONNECTIONS_MAX, "that ask at once"},
        {"seconds", OPTION_NUMBER, &seconds, 0.01, 3600, "how long"},
        {"requests", OPTION_INT, &requests, 0, 2e9, "at most so many; 0: no limit"},
        {0}};
    struct epoll_event events[EVENTS];
    options_parse(argc, argv, &(struct command){"", "Lesson 06: a load generator.", options});
    if (!exchange_is_path(url))
        options_reject("--url takes a path such as /cheap, not '%s'", url);
    raise_file_limit(connections + SPARE_FILES);
    output_begin();

    close(net_connect_or_die(host, port)); // if there is no server, this says so
    net_address(host, port, SOCK_STREAM, &address);
    request = exchange_request(host, port, url);
    all = calloc((size_t)connections, sizeof *all);
    failed = calloc((size_t)connections, sizeof *failed);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!request || !all || !failed || epoll < 0)
        die("cannot prepare %d connections: %s", connections, strerror(errno));
    printf("%d connections ask %s, port %d, for %s\n", connections, host, port, url);
    int64_t began_ns = now_ns(), now = began_ns, retry_ns = began_ns;
    for (int i = 0; i < connections; i++)
        connect_and_ask(&all[i]);

    while (now - began_ns < (int64_t)(seconds * 1e9) &&
           (!requests || latency.total + errors < (uint64_t)requests)) {
        int ready = epoll_wait(epoll, events, EVENTS, RETRY_MS);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->connecting)
                connected(c);
            else
                take_answer(c);
        }
        now = now_ns();
        if (now < retry_ns)
            continue;
        retry_ns = now + RETRY_MS * INT64_C(1000000);
        int count = failed_count;
        failed_count = 0;
        for (int i = 0; i < count; i++)
            connect_and_ask(failed[i]);
    }
    print_report((double)(now - began_ns) / 1e9);
    return latency.total > 0 && errors == 0 ? 0 : 1;
}
