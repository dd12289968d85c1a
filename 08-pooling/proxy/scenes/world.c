// world.c: see world.h.
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "spawn.h"
#include "story.h"

static const char *played_host; // the proxy that ./play was told to use
static int played_port;

void world_proxy(const char *host, int port)
{
    played_host = host;
    played_port = port;
}

void world_begin_origin(struct world *world)
{
    static const char *const argv[] = {"./origin", "--host", ORIGIN_ADDRESS, "--port", "0",
                                       "--quiet",  NULL};
    close(net_connect_or_die(played_host, played_port));
    world->origin_port = spawn_server(&world->origin, argv);
    if (!world->origin_port)
        die("./origin does not start");
}

void world_begin_proxy(struct world *world, const char *const options[])
{
    const char *argv[OPTIONS_MAX + 8] = {"./proxy", "--port", "0", "--quiet"};
    char upstream[40];
    int count = 4;
    snprintf(upstream, sizeof upstream, "%s:%d", ORIGIN_ADDRESS, world->origin_port);
    if (options[0] && !strcmp(options[0], "reverse")) {
        argv[count++] = "--upstream";
        argv[count++] = upstream;
        options++;
    }
    for (int i = 0; options[i] && i < OPTIONS_MAX; i++)
        argv[count++] = options[i];
    world->proxy_port = spawn_server(&world->proxy, argv);
    if (!world->proxy_port)
        die("./proxy does not start");
}

void world_begin(struct world *world, const char *const options[])
{
    world_begin_origin(world);
    world_begin_proxy(world, options);
}

void world_end(struct world *world)
{
    if (world->proxy)
        spawn_stop(world->proxy);
    if (world->origin)
        spawn_stop(world->origin);
    world->proxy = world->origin = 0;
}

void world_open(struct fetch *f, const char *address, int port)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    struct timeval patience = {FETCH_PATIENCE_MS / 1000, 0};
    inet_pton(AF_INET, CLIENT_ADDRESS, &from.sin_addr);
    inet_pton(AF_INET, address, &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    memset(f, 0, offsetof(struct fetch, bytes));
    f->rest.at = f->bytes;
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f->fd < 0 || bind(f->fd, (struct sockaddr *)&from, sizeof from) ||
        connect(f->fd, (struct sockaddr *)&to, sizeof to))
        die("cannot connect from %s to %s:%d: %s", CLIENT_ADDRESS, address, port,
            strerror(errno));
    setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

int world_ask(struct fetch *f, const char *address, int port, const char *method,
              const char *target, const char *fields)
{
    world_open(f, address, port);
    fetch_or_die(f, fetch_ask(f, method, target, fields, NULL));
    fetch_close(f);
    return f->head.status;
}

const char *world_get(struct world *world, const char *target, const char *fields)
{
    static struct fetch f;
    static char word[40];
    world_ask(&f, PROXY_ADDRESS, world->proxy_port, "GET", target, fields);
    struct http_text value = http_field(&f.head, "x-cache");
    snprintf(word, sizeof word, "%.*s", (int)value.length, value.at ?: "");
    if (!*word && f.head.status >= 400)
        snprintf(word, sizeof word, "%d", f.head.status);
    return word;
}

long world_count(struct world *world)
{
    static struct fetch f;
    world_ask(&f, ORIGIN_ADDRESS, world->origin_port, "GET", "/count", "");
    return atol(world_text(&f));
}

const char *world_text(const struct fetch *f)
{
    static char text[1000];
    snprintf(text, sizeof text, "%.*s", (int)f->content.length, f->content.at);
    text[strcspn(text, "\n")] = '\0';
    return text;
}
