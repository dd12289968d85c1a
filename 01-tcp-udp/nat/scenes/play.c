// play.c: two peers behind two routers, in nine scenes.
//
// Run:    make run             or one scene: make run SCENE=punch
//         ./play ice           against ./server in another terminal: without NATs
// Watch:  which datagrams a NAT lets in, and how two peers make their NATs let them in.
//
// On the nodes of wire runs ./play --lend (lend.h); the agents that the scenes work with are in
// cast.c.
#include "cast.h"
#include "lend.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8101;
    static bool lend;
    static const struct scene scenes[] = {
        {"mapped", "what is my address?", scene_mapped},
        {"types", "who may send in, through four kinds of NAT", scene_types},
        {"punch", "two peers behind two NATs: 4 times 4 kinds", scene_punch},
        {"same-router", "both behind one NAT", scene_same_router},
        {"ice", "candidates and checks", scene_ice},
        {"relay", "the way over a server", scene_relay},
        {"direct", "is the direct path the fastest?", scene_direct},
        {"signal", "how the offer and the answer travel", scene_signal},
        {"idle", "a NAT forgets", scene_idle},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"lend", OPTION_FLAG, &lend, .help = "on a node of wire: lends its network to a scene"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 01, nat: two peers behind two routers.",
                                    scenes, options);
    if (lend) {
        lend_serve();
        return 0;
    }
    story_begin();
    story_quiet(true);
    cast_begin(host, port);
    return story_tell(scenes, only);
}
