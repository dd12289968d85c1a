// play.c: the scenes of lesson 03, fanout: who gets the requests of one connection?
//
// Run:    make run, or one scene: make run SCENE=solutions
// Watch:  the shares of three backends, as they count themselves.
//
// Each scene is in the file of its name. They start relay, proxy, lookaside and the backends
// (../server, ../grpc/server) themselves, on loopback; pool-or-multiplex finds them on the
// wire.
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8203;
    static const struct scene scenes[] = {
        {"one-backend", "a layer-4 balancer and 100 requests", scene_one_backend},
        {"solutions", "four ways to spread them", scene_solutions},
        {"pool-or-multiplex", "HTTP/1.1 or HTTP/2 to a backend", scene_pool_or_multiplex},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of a server that has to be there"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only = story_choose(
        argc, argv, "Lesson 03, fanout: one connection, three backends.", scenes, options);
    for (const struct scene *scene = scenes; scene->name; scene++)
        if (!only || !strcmp(only, scene->name))
            close(net_connect_or_die(host, port)); // it says so if there is no proxy
    story_begin();
    return story_tell(scenes, only);
}
