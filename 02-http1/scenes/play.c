// play.c: the story of lesson 02: HTTP/1.1, what a request costs and where it goes wrong, in
// ten scenes.
//
// Run:    make run             or one scene: make run SCENE=pipeline ARGS="--rtt 100"
//         ./play raw           against ./server in another terminal
// Watch:  the bytes. A request is text: you could type it into nc.
//
// Each scene is in the file of its name. round_trips.c measures what the scenes reuse, pipeline
// and six show; common/fetch.c is the client's half of the protocol.
#include "ask.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8002;
    static const struct scene scenes[] = {
        {"raw", "one request and its response, line by line", scene_raw},
        {"reuse", "a handshake each, or one for all", scene_reuse},
        {"pipeline", "all requests at once, answers in order", scene_pipeline},
        {"six", "30 images, one connection or six", scene_six},
        {"hosts", "several sites on one address", scene_hosts},
        {"stream", "a response that is not finished when it begins", scene_stream},
        {"smuggle", "where does a request end?", scene_smuggle},
        {"upload", "a broken upload goes on", scene_upload},
        {"cache", "has it changed?", scene_cache},
        {"overhead", "what the heads cost", scene_overhead},
        {"copies", "a file on its way to a socket", scene_copies},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 02: HTTP/1.1.", scenes, options);
    story_begin();
    net_address(host, port, SOCK_STREAM, &ask_server);
    return story_tell(scenes, only);
}
