// play.c: a proxy between clients and a server, in both directions, with a cache.
//
// Run:    ./play               beside ./proxy in another terminal, or:
//         make run             or one scene: make run SCENE=directives
// Watch:  who sees whom, and how many requests come to the server.
//
// Each scene starts an origin and a proxy of its own (world.c): most need one with other
// options. The client is 127.0.0.2, the proxy 127.0.0.1, the origin 127.0.0.3.
#include "options.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8208;
    static const struct scene scenes[] = {
        {"forward", "a forward proxy: what the server sees", scene_forward},
        {"reverse", "a reverse proxy: what the client sees", scene_reverse},
        {"cache", "1,000 clients ask for the same", scene_cache},
        {"directives", "what each directive of Cache-Control does", scene_directives},
        {"revalidate", "is what is stored still good?", scene_revalidate},
        {"invalidate", "how the store learns that something has changed", scene_invalidate},
        {"tunnel", "what the proxy of a CONNECT sees", scene_tunnel},
        {"upgrade", "a WebSocket through a proxy", scene_upgrade},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the proxy"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 08, proxy.", scenes, options);
    story_begin();
    world_proxy(host, port);
    return story_tell(scenes, only);
}
