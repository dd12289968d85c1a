// play.c: QUIC's ideas over plain UDP, in four scenes.
//
// Run:    ./play               against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=independent
// Watch:  who waits for a lost packet, and who does not.
#include "options.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8201;
    static const struct scene scenes[] = {
        {"independent", "one packet is lost: who waits?", scene_independent},
        {"migrate", "another address in the middle", scene_migrate},
        {"spoof", "what somebody can do who knows the id", scene_spoof},
        {"loss", "as fast as TCP", scene_loss},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its UDP and TCP port"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 01, streams: QUIC's ideas over UDP.", scenes, options);
    story_begin();
    stage_server(host, port);
    return story_tell(scenes, only);
}
