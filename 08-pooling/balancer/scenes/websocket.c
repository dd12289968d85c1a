// websocket.c: connections that stay for hours: who has how many of them?
#include <stdlib.h>

#include "claim.h"
#include "lab.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CONNECTIONS 90
#define BACKENDS    3

static struct held {
    struct fetch f;
    int who;
} held[CONNECTIONS];

// Opens a WebSocket; the backend that accepts it holds it.
static void open_one(int port, struct held *h)
{
    static const char fields[] = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                 "Sec-WebSocket-Version: 13\r\n";
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    fetch_or_die(&h->f, fetch_open(&h->f, &address, 0));
    fetch_or_die(&h->f, fetch_ask(&h->f, "GET", "/", fields, NULL));
    if (h->f.head.status != 101)
        die("no WebSocket: %d", h->f.head.status);
    h->who = lab_who(&h->f);
}

struct counts {
    int at_first[BACKENDS], later[BACKENDS];
};

static void count(int counts[BACKENDS])
{
    for (int i = 0; i < BACKENDS; i++)
        counts[i] = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        if (held[i].who >= 0)
            counts[held[i].who]++;
}

// Opens them all. Then c is started anew, and those that it had come back.
static struct counts try(const char *options, const int *weights)
{
    struct lab lab = {.count = 0};
    struct counts counts;
    for (int i = 0; i < BACKENDS; i++)
        lab_backend(&lab, "");
    lab_balancer(&lab, options, weights);
    for (int i = 0; i < CONNECTIONS; i++)
        open_one(lab.port, &held[i]);
    count(counts.at_first);
    lab_kill(&lab, 2);
    lab_restart(&lab, 2, "");
    for (int i = 0; i < CONNECTIONS; i++) {
        if (held[i].who != 2)
            continue;
        if (fetch_read(&held[i].f) == FETCH_OK)
            die("a connection to a backend that was killed goes on");
        fetch_close(&held[i].f);
        open_one(lab.port, &held[i]);
    }
    count(counts.later);
    for (int i = 0; i < CONNECTIONS; i++)
        fetch_close(&held[i].f);
    lab_end(&lab);
    return counts;
}

static void show(const char *name, const struct counts *c)
{
    story_row("%s|%d, %d, %d|%d, %d, %d", name, c->at_first[0], c->at_first[1], c->at_first[2],
              c->later[0], c->later[1], c->later[2]);
}

// Weights 2, 1, 1: a half for a, and a quarter each for b and c, within two connections.
static bool is_by_weight(const int counts[BACKENDS])
{
    int quarter = CONNECTIONS / 4;
    return abs(counts[0] - 2 * quarter) <= 2 && abs(counts[1] - quarter) <= 2 &&
           abs(counts[2] - quarter) <= 2;
}

static const struct claim long_lived = {
    "8.16", "load balancing", "round robin is not for long-lived connections", HOLDS, NULL};
static const struct claim least = {
    "8.17", "load balancing", "least connections is for long-lived connections", HOLDS, NULL};
static const struct claim both_loads = {
    "8.37", "load balancing",
    "weighted least connections takes into account the load of now and the capacity", HOLDS,
    NULL};
static const struct claim first_servers = {
    "8.36", "guide §9.4", "with round robin the first servers may collect all WebSockets",
    NOT_HERE,
    "round robin gives each backend as many new connections as any other; it does not see how "
    "many have ended"};

void scene_websocket(void)
{
    static const int weights[BACKENDS] = {2, 1, 1};
    story_say("%d WebSockets are opened. Then c is started anew, and its clients come back.",
              CONNECTIONS);
    struct counts rr = try("--check-ms 0 --eject-after 0", NULL);
    struct counts lc = try("--check-ms 0 --eject-after 0 --algorithm least-connections", NULL);
    struct counts wlc =
        try("--check-ms 0 --eject-after 0 --algorithm weighted-least-connections", weights);
    story_head("connections of a, b, c|at first|c is new");
    show("round-robin", &rr);
    show("least-connections", &lc);
    show("weighted-least-connections 2, 1, 1", &wlc);
    claim_report(&long_lived, holds_if(rr.later[2] * 3 < rr.later[0]),
                 "%d, %d, %d connections: the new backend has a tenth", rr.later[0],
                 rr.later[1], rr.later[2]);
    claim_report(&least, holds_if(lc.later[0] == 30 && lc.later[1] == 30 && lc.later[2] == 30),
                 "%d, %d, %d", lc.later[0], lc.later[1], lc.later[2]);
    claim_report(&both_loads, holds_if(is_by_weight(wlc.at_first) && is_by_weight(wlc.later)),
                 "weights 2, 1, 1: %d, %d, %d connections; and when c is new %d, %d, %d",
                 wlc.at_first[0], wlc.at_first[1], wlc.at_first[2], wlc.later[0], wlc.later[1],
                 wlc.later[2]);
    claim_report(&first_servers,
                 rr.at_first[0] == 30 && rr.at_first[1] == 30 && rr.at_first[2] == 30 ? NOT_HERE
                                                                                      : UNCLEAR,
                 "%d, %d, %d of %d", rr.at_first[0], rr.at_first[1], rr.at_first[2],
                 CONNECTIONS);
}
