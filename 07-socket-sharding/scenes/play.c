// play.c: the story of lesson 07: which worker gets the next connection? In ten scenes.
//
// Run:    make run             or one scene: make run SCENE=backlog ARGS="--rtt 100"
//         ./play spread        against ./server in another terminal
// Watch:  which worker gets a connection: the one that the kernel's hash names, whether it has
//         time or not; or the worker that wakes first.
//
// Each scene is in the file of its name. Most scenes compare several servers, and start them:
// see servers.h. Read bind.c first.
#include "options.h"
#include "scenes.h"
#include "story.h"

struct peer server = {"127.0.0.1", 8007, 0};
int spread_connections = 10000, herd_workers = 4;

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"bind", "two sockets on one port", scene_bind},
        {"spread", "thousands of connections, four ways to share them out", scene_spread},
        {"order", "which of the sleeping workers is woken", scene_order},
        {"herd", "how many wake up for one connection", scene_herd},
        {"backlog", "the server accepts no client, and its queue is full", scene_backlog},
        {"stuck", "one of the workers does not answer", scene_stuck},
        {"takeover", "a new server takes the place of the old one", scene_takeover},
        {"sticky", "the same port, the same worker, until another one joins", scene_sticky},
        {"syn_retries", "a SYN is dropped, and sent again", scene_syn_retries},
        {"syn_queue", "clients that begin a handshake, and never end it", scene_syn_queue},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &server.host, .help = "address of the server"},
        {"port", OPTION_INT, &server.port, 1, 65535, "its port"},
        {"connections", OPTION_INT, &spread_connections, 100, 100000,
         "for each way, in scene spread"},
        {"workers", OPTION_INT, &herd_workers, 3, 16, "in the scenes order and herd"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 07: which worker gets a connection.", scenes, options);
    story_begin();
    return story_tell(scenes, only);
}
