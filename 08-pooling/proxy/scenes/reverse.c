// reverse.c: scene reverse: a client asks a proxy, and does not know of the origin behind it.
// And a client that lies about its address.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

static const struct claim only_proxy = {
    "8.27", "guide §9.2", "the client of a reverse proxy knows only the proxy", HOLDS, NULL};
static const struct claim backend_sees = {
    "8.53", "guide §9.2",
    "backends see the proxy's address, unless it passes client information in headers", HOLDS,
    NULL};

void scene_reverse(void)
{
    static const char *const options[] = {"reverse", NULL};
    static struct fetch f;
    struct world world;
    char origin[40], peer[NET_NAME], text[200];
    world_begin(&world, options);
    snprintf(origin, sizeof origin, ":%d", world.origin_port);
    story_say("The client asks %s:%d. It claims to be 6.6.6.6, in two spellings.",
              PROXY_ADDRESS, world.proxy_port);
    world_open(&f, PROXY_ADDRESS, world.proxy_port);
    net_peer_name(f.fd, peer);
    fetch_or_die(&f,
                 fetch_ask(&f, "GET", "/who",
                           "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n", NULL));
    fetch_close(&f);
    snprintf(text, sizeof text, "%s", world_text(&f));
    story_say("The answer comes from %s. Its head:", peer);
    for (size_t i = 0; i < f.head.field_count; i++)
        story_say("    %.*s: %.*s", (int)f.head.fields[i].name.length, f.head.fields[i].name.at,
                  (int)f.head.fields[i].value.length, f.head.fields[i].value.at);
    story_say("The origin, %s%s, has seen: %s", ORIGIN_ADDRESS, origin, text);
    printf("\n");
    bool named = memmem(f.bytes, f.head.length + f.content.length, ORIGIN_ADDRESS,
                        strlen(ORIGIN_ADDRESS)) ||
                 memmem(f.bytes, f.head.length + f.content.length, origin, strlen(origin));
    world_end(&world);
    claim_report(&only_proxy, holds_if(!named && strstr(peer, PROXY_ADDRESS ":")),
                 "the answer came from %s; the origin's address is nowhere in it", peer);
    claim_report(&backend_sees,
                 holds_if(strstr(text, "from " PROXY_ADDRESS) &&
                          strstr(text, ", for " CLIENT_ADDRESS) && !strstr(text, "6.6.6.6")),
                 "%s; of what the client claimed nothing has passed", text);
}
