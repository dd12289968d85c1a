// play.c: the story of lesson 09: where 40 milliseconds of waiting come from, in seven scenes.
//
// Run:    make run             or one scene: make run SCENE=distance ARGS="--rtt 100"
//         ./play stall         against ./server in another terminal
// Watch:  four ways to send the same header and body, and what each way costs.
//
// Each scene is in the file of its name. Read stall.c and distance.c first, then stalls() in
// series.c, which decides what counts as a stall on a noisy machine.
#include "options.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

const char *host = "127.0.0.1";
int port = 8009, body_bytes = 100;

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"stall", "two small write()s and a read(), on one machine", scene_stall},
        {"distance", "the same, far away", scene_distance},
        {"remainder", "the last part of a large write()", scene_remainder},
        {"small", "one small write()", scene_small},
        {"telnet", "what Nagle is for", scene_telnet},
        {"quickack", "the receiver's half of the problem", scene_quickack},
        {"bulk", "much data in large writes", scene_bulk},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"body", OPTION_INT, &body_bytes, 1, BODY_MAX_BYTES, "bytes in the second write()"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 09: Nagle and the delayed ACK.", scenes, options);
    story_begin();
    return story_tell(scenes, only);
}
