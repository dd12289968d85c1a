// play.c: the scenes of the proxy at which TLS ends.
//
// Run:    make run             or one scene: make run SCENE=legs
// Watch:  what can be read on the second leg, and how little work the server there has.
#include <unistd.h>

#include "ask.h"
#include "connect.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

static const char *host = "127.0.0.1";
static int port = 8404;

void scene_check_server(void)
{
    connect_to(host, port);
    close(connect_tcp());
}

int main(int argc, char **argv)
{
    static const char *keys;
    static const struct scene scenes[] = {
        {"legs", "one request on its two legs", scene_legs},
        {"offload", "the CPU time of TLS, on a server and on a proxy", scene_offload},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the proxy"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    const char *only = story_choose(argc, argv, "Lesson 04, termination.", scenes, options);
    ask_keys(keys);
    story_begin();
    return story_tell(scenes, only);
}
