// play.c: who is this? Sessions and tokens, side by side.
//
// Run:    ./play session       beside ./server in another terminal, or:
//         make run             or one scene: make run SCENE=attacks
// Watch:  what the server has to remember, what it has to compute, and what happens when
//         somebody else gets hold of what the client has.
//
// The users and servers of the scenes are in cast.c; each scene is in the file of its name.
#include "ask.h"
#include "cast.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *keys;
    static int port = 8204;
    static const struct scene scenes[] = {
        {"session", "a session: an id, and a look into a table", scene_session},
        {"token", "a token: three parts, and a signature", scene_token},
        {"tamper", "a user makes himself an admin", scene_tamper},
        {"attacks", "forged tokens, and who takes them", scene_attacks},
        {"logout", "after the log-out", scene_logout},
        {"restart", "what a restart forgets", scene_restart},
        {"two_servers", "two servers for one user", scene_two_servers},
        {"size", "bytes that each request has to carry", scene_size},
        {"cost", "what it costs to know who asks", scene_cost},
        {"cookies", "what protects a cookie", scene_cookies},
        {"stolen", "an id on the way, a secret in the wrong hands", scene_stolen},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    const char *only =
        story_choose(argc, argv, "Lesson 04, login: sessions or tokens?", scenes, options);
    cast_pair(host, port);
    ask_keys(keys);
    story_begin();
    return story_tell(scenes, only);
}
