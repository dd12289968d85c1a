// forward.c: scene forward: a client asks an origin itself, and through a forward proxy. The
// origin says whom it sees.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

static const struct claim hides = {
    "8.26", "guide §9.2",
    "behind a forward proxy the server sees only the proxy's address, unless "
    "X-Forwarded-For is added",
    HOLDS, NULL};

// Asks the origin, through the proxy or not, and prints what the origin has seen.
static void ask(struct world *world, bool by_proxy, char seen[200])
{
    static struct fetch f;
    char uri[100];
    int port = world->origin_port;
    const char *address = ORIGIN_ADDRESS;
    snprintf(uri, sizeof uri, "/who");
    if (by_proxy) {
        snprintf(uri, sizeof uri, "http://%s:%d/who", ORIGIN_ADDRESS, port);
        address = PROXY_ADDRESS;
        port = world->proxy_port;
    }
    world_ask(&f, address, port, "GET", uri, "Cache-Control: no-store\r\n");
    snprintf(seen, 200, "%s", strstr(world_text(&f), "from"));
}

void scene_forward(void)
{
    static const char *const plain[] = {"--allow-private", NULL};
    static const char *const telling[] = {"--allow-private", "--tell-client", NULL};
    struct world world;
    char direct[200], hidden[200], told[200];
    story_say("The client is %s, the proxy %s, the origin %s. The client puts the whole URI "
              "into its request line: GET http://%s:PORT/who HTTP/1.1.",
              CLIENT_ADDRESS, PROXY_ADDRESS, ORIGIN_ADDRESS, ORIGIN_ADDRESS);
    world_begin(&world, plain);
    ask(&world, false, direct);
    ask(&world, true, hidden);
    world_end(&world);
    world_begin(&world, telling);
    ask(&world, true, told);
    world_end(&world);
    story_head("the client asks|the origin sees a request");
    story_row("the origin itself|%s", direct);
    story_row("through the proxy|%s", hidden);
    story_row("and the proxy tells|%s", told);
    printf("\n");
    bool shown = strstr(direct, "from " CLIENT_ADDRESS) && !strstr(hidden, CLIENT_ADDRESS) &&
                 strstr(hidden, "from " PROXY_ADDRESS) && strstr(told, "from " PROXY_ADDRESS) &&
                 strstr(told, ", for " CLIENT_ADDRESS);
    claim_report(&hides, holds_if(shown),
                 "%s asks, and the origin sees %s; the client's address only where the proxy "
                 "adds it",
                 CLIENT_ADDRESS, PROXY_ADDRESS);
}
