// play.c: what the padlock costs, and what it buys: the scenes of this lesson.
//
// Run:    make run             or one scene: make run SCENE=handshake ARGS="--rtt 200"
//         ./play handshake     beside ./server in another terminal
// Watch:  how many times the messages go there and back before the first byte of an answer, and
//         what is still readable on the way.
//
// connect.c opens connections and checks who is there; the scenes are in the files that
// scenes.h names.
#include "ask.h"
#include "connect.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *keylog;
    static const char *keys;
    static int port = 8004;
    static const struct scene scenes[] = {
        {"handshake", "message by message", scene_handshake},
        {"roundtrips", "how long until the first byte", scene_roundtrips},
        {"coalesce", "messages, records, segments", scene_coalesce},
        {"cost", "bytes and CPU", scene_cost},
        {"trust", "who is there?", scene_trust},
        {"mutual", "and who are you?", scene_mutual},
        {"dh", "a secret that never travels", scene_dh},
        {"secrecy", "the key is stolen, years later", scene_secrecy},
        {"eavesdropper", "what everybody can read", scene_eavesdropper},
        {"replay", "the same bytes once more", scene_replay},
        {"once", "the same bytes once more, to a server that remembers", scene_once},
        {"journey", "one request, station by station", scene_journey},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE for secrets, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    keys = certificate_folder();
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 04: TLS. Without SCENE all of them: handshake, roundtrips, "
                          "coalesce, cost, trust,\nmutual, dh, secrecy, eavesdropper, replay, "
                          "once, journey.",
                          options});
    connect_to(host, port);
    ask_keys(keys);
    if (keylog)
        connect_keylog(keylog);
    story_begin();
    return story_tell(scenes, argv[first]);
}
