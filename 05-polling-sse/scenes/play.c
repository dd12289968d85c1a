// play.c: how news reaches a client, and what each way costs.
//
// Run:    ./play               beside ./server in another terminal, or, over a distance:
//         make run             or one scene: make run SCENE=techniques ARGS="--rtt 100"
// Watch:  how often a client asks, and how many of the answers are empty.
//
// Each scene is in the file of its name. follow.c has the four ways, common/fetch.c the
// client's half of HTTP.
#include "ask.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8005, readers = 5000, interval_ms = 80;
    static const struct scene scenes[] = {
        {"techniques", "the same events, in four ways", scene_techniques},
        {"handle", "a job that takes longer than a request", scene_handle},
        {"resume", "a stream is cut, and goes on", scene_resume},
        {"frames", "a WebSocket, byte by byte", scene_frames},
        {"tokens", "an answer that begins before it is finished", scene_tokens},
        {"crowd", "thousands of readers, one event", scene_crowd},
        {"slow", "one of two readers does not read", scene_slow},
        {"chunks", "an event ends in the next chunk", scene_chunks},
        {"unnumbered", "events between two long polls", scene_unnumbered},
        {"waiting", "what a client costs that only waits", scene_waiting},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"interval-ms", OPTION_INT, &interval_ms, 1, 60000, "ms between two short polls"},
        {"readers", OPTION_INT, &readers, 1, 10000, "readers of scene crowd"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 05: how news reaches a client.", scenes, options);
    ask_server(host, port);
    techniques_with(interval_ms);
    crowd_of(readers);
    story_begin();
    return story_tell(scenes, only);
}
