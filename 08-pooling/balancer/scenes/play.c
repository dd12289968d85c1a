// play.c: who gets the request?
//
// Run:    make run             all scenes, or one: make run SCENE=failover
// Watch:  which backend gets what, and what clients notice when one of them fails.
//
// What the scenes are made of is in lab.c.
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8108;
    static const struct scene scenes[] = {
        {"layers", "one connection, or two", scene_layers},
        {"route", "what layer 7 can see", scene_route},
        {"price", "what it costs to see it", scene_price},
        {"algorithms", "who gets the next request?", scene_algorithms},
        {"sticky", "the same client, the same backend", scene_sticky},
        {"failover", "a backend fails: who notices?", scene_failover},
        {"versions", "a new version, and nobody is refused", scene_versions},
        {"websocket", "connections that stay", scene_websocket},
        {"two", "and if the balancer fails?", scene_two},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of a balancer"},
        {"port", OPTION_INT, &port, 1, 65535, "its port (the scenes start more of them)"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 08, balancer.", scenes, options);
    for (const struct scene *scene = scenes; scene->name; scene++)
        if (!only || !strcmp(only, scene->name))
            close(net_connect_or_die(host, port)); // it says so if there is no balancer
    story_begin();
    return story_tell(scenes, only);
}
