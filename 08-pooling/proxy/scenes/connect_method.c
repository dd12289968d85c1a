// connect_method.c: scene tunnel: CONNECT asks a forward proxy for a tunnel, as clients do for
// https. What can the proxy see, and what can it store?
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

#define BYTES 4096

static const struct claim must_decrypt = {
    "8.50", "guide §9.3", "for HTTPS traffic, the (forward) proxy must decrypt and re-encrypt",
    NOT_HERE,
    "It is one way, for proxies that are to look inside and whose certificate the clients "
    "trust. CONNECT is the usual one: host, port and sizes are all the proxy sees (RFC 9110 "
    "§9.3.6). What it cannot read it cannot store"};

// Opens a tunnel through the proxy. Returns the proxy's status.
static int open_tunnel(struct fetch *f, const struct world *world, int port)
{
    world_open(f, PROXY_ADDRESS, world->proxy_port);
    f->head_only = true; // an answer 2xx to CONNECT ends with its head
    fetch_or_die(f, fetch_send(f, "CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n",
                               ORIGIN_ADDRESS, port, ORIGIN_ADDRESS, port));
    fetch_or_die(f, fetch_answer(f));
    f->head_only = false;
    return f->head.status;
}

// Random bytes, as encrypted ones look, both ways. True if all arrive unchanged.
static bool pass_random(struct fetch *f, int listener)
{
    static uint8_t bytes[BYTES], got[BYTES];
    uint64_t state = 1;
    int fd = accept(listener, NULL, NULL);
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)random_next(&state);
    bool same = fd >= 0 && write_all(f->fd, bytes, BYTES) && read_exactly(fd, got, BYTES) &&
                !memcmp(bytes, got, BYTES) && write_all(fd, bytes, BYTES) &&
                read_exactly(f->fd, got, BYTES) && !memcmp(bytes, got, BYTES);
    close(fd);
    return same;
}

// The same GET twice, each in a tunnel of its own. Returns how many of them the origin gets.
static long ask_in_tunnels(struct world *world)
{
    static struct fetch f;
    long before = world_count(world);
    for (int i = 0; i < 2; i++) {
        open_tunnel(&f, world, world->origin_port);
        fetch_or_die(&f, fetch_ask(&f, "GET", "/page?cc=max-age=60", "", NULL));
        fetch_close(&f);
    }
    return world_count(world) - before;
}

// The same without a tunnel.
static long ask_in_plain(struct world *world)
{
    static struct fetch f;
    char uri[100];
    long before = world_count(world);
    snprintf(uri, sizeof uri, "http://%s:%d/page?cc=max-age=60", ORIGIN_ADDRESS,
             world->origin_port);
    for (int i = 0; i < 2; i++)
        world_ask(&f, PROXY_ADDRESS, world->proxy_port, "GET", uri, "");
    return world_count(world) - before;
}

static int port_of(int listener)
{
    char name[NET_NAME];
    return atoi(strrchr(net_local_name(listener, name), ':') + 1);
}

void scene_tunnel(void)
{
    static struct fetch f;
    struct world world;
    char ports[40];
    int listener = net_listen(ORIGIN_ADDRESS, 0, 10);
    int other = net_listen(ORIGIN_ADDRESS, 0, 10);
    world_begin_origin(&world);
    snprintf(ports, sizeof ports, "%d,%d", port_of(listener), world.origin_port);
    const char *const options[] = {"--allow-private", "--connect-ports", ports, NULL};
    world_begin_proxy(&world, options);
    story_say("The client asks the proxy for a tunnel: CONNECT %s:PORT HTTP/1.1. What follows "
              "are bytes; for https they would be TLS, here they are random.",
              ORIGIN_ADDRESS);
    int refused = open_tunnel(&f, &world, port_of(other));
    fetch_close(&f);
    int opened = open_tunnel(&f, &world, port_of(listener));
    bool same = opened == 200 && pass_random(&f, listener);
    fetch_close(&f);
    long in_tunnels = ask_in_tunnels(&world), in_plain = ask_in_plain(&world);
    const char *arrive = "changed";
    if (same)
        arrive = "unchanged";
    story_head("CONNECT|status|4096 random bytes");
    story_row("to a port that is allowed|%d|%s", opened, arrive);
    story_row("to another port|%d|-", refused);
    story_head("GET /page, max-age=60, twice|at the origin");
    story_row("in tunnels|%ld", in_tunnels);
    story_row("as GET http://...|%ld", in_plain);
    printf("\n");
    close(listener);
    close(other);
    world_end(&world);
    enum verdict verdict = UNCLEAR;
    if (same && refused == 403 && in_tunnels == 2 && in_plain == 1)
        verdict = NOT_HERE;
    claim_report(&must_decrypt, verdict,
                 "random bytes pass %s, so the proxy needs no key. It stores nothing: the "
                 "origin gets %ld requests of 2, and without the tunnel %ld",
                 arrive, in_tunnels, in_plain);
}
