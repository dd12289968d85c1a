// play.c: the scenes of lesson 03: what HTTP/2 looks like, and what it is good for.
//
// Run:    ./play               against ./server in another terminal, or, with packets to lose:
//         make run             or one scene: make run SCENE=page_load ARGS="--rtt 200"
// Watch:  the stream number in each frame: all the rest follows from it.
//
// Each scene is in the file of its name. The scenes speak HTTP/2 with h2_client.h.
#include "h2_client.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8003, image_bytes = 2000;
    static const struct scene scenes[] = {
        {"frames", "a whole conversation, frame by frame", scene_frames},
        {"stream_ids", "the numbers of streams", scene_stream_ids},
        {"interleave", "which stream sends next", scene_interleave},
        {"page_load", "a hundred images on a slow link", scene_page_load},
        {"blocking", "a packet is lost: which streams wait?", scene_blocking},
        {"header_compression", "headers that were sent before", scene_header_compression},
        {"windows", "how much a server may send", scene_windows},
        {"push", "pushes and priorities are deprecated", scene_push},
        {"events", "eight streams of events, and a lost packet", scene_events},
        {"page", "a page of HTML, CSS and JavaScript", scene_page},
        {"endings", "a server that stops, a download that is not wanted", scene_endings},
        {"ping", "a server that is gone without a word", scene_ping},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"size", OPTION_INT, &image_bytes, 1, 1000000, "bytes of an image in scene page_load"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 03: HTTP/2.", scenes, options);
    h2_server_at(host, port);
    page_load_size(image_bytes);
    story_begin();
    return story_tell(scenes, only);
}
