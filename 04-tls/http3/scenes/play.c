// play.c: HTTP/3 on the real QUIC.
//
// Run:    make run             or one scene: make run SCENE=independent
// Watch:  round trips, lost packets, CPU time: what QUIC gains over TCP, and what it costs.
#include "ask.h"
#include "options.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *keys;
    static const struct scene scenes[] = {
        {"frames", "a request and its answer, byte by byte", scene_frames},
        {"setup", "round trips until the first byte of an answer", scene_setup},
        {"independent", "one packet is lost: which downloads wait?", scene_independent},
        {"page_load", "a page of many images, with losses and without", scene_page_load},
        {"price", "the CPU time of a transport in the program", scene_price},
        {"blocked", "a network that lets no UDP through", scene_blocked},
        {"wire", "what an onlooker sees", scene_wire},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &stage_host, .help = "address of the server"},
        {"port", OPTION_INT, &stage_port, 1, 65535, "its UDP port"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    const char *only = story_choose(argc, argv, "Lesson 04, http3.", scenes, options);
    ask_keys(keys);
    story_begin();
    return story_tell(scenes, only);
}
