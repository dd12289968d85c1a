// play.c: the story of lesson 01: two ways to send bytes, in ten scenes.
//
// Run:    make run             or one scene: make run SCENE=loss ARGS="--loss 30"
//         ./play boundaries    against ./server in another terminal
// Watch:  the kernel does many things for TCP that it does not do for UDP.
//
// Each scene is in the file of its name. Read any of them beside its output.
#include "ask.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8001;
    static const struct scene scenes[] = {
        {"handshake", "how a connection begins and ends", scene_handshake},
        {"boundaries", "a stream of bytes, or messages", scene_boundaries},
        {"loss", "what arrives over a lossy link", scene_loss},
        {"flow", "a reader that cannot keep up", scene_flow},
        {"segments", "how many bytes a packet carries", scene_segments},
        {"queries", "which answer belongs to which question", scene_queries},
        {"damage", "bits flip, packets overtake each other", scene_damage},
        {"slow_start", "how fast a new connection is", scene_slow_start},
        {"descriptors", "more clients than descriptors", scene_descriptors},
        {"flood", "TCP and UDP on a narrow link", scene_flood},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its TCP and UDP port"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 01: two ways to send bytes.", scenes, options);
    story_begin();
    ask_server(host, port);
    return story_tell(scenes, only);
}
