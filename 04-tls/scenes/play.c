// play.c: the scenes of this lesson: what TLS costs, and what it protects from.
//
// Run:    make run             or one scene: make run SCENE=handshake ARGS="--rtt 200"
//         ./play handshake     beside ./server in another terminal
// Watch:  how many round trips there are before the first byte of an answer, and which bytes
//         can still be read on the way.
//
// connect.c opens connections and checks the server; each scene is in the file of its name.
#include <stdio.h>

#include "ask.h"
#include "cipher_speed.h"
#include "connect.h"
#include "options.h"
#include "output.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *keylog;
    static const char *keys;
    static int port = 8004;
    static bool aes_speed;
    static const struct scene scenes[] = {
        {"handshake", "the messages of TLS 1.3 and 1.2", scene_handshake},
        {"round_trips", "round trips until the first byte of an answer", scene_round_trips},
        {"nagle_flights", "Nagle's algorithm and the flights of a handshake",
         scene_nagle_flights},
        {"cost", "what a handshake costs in bytes and CPU", scene_cost},
        {"trust", "which certificates a client accepts", scene_trust},
        {"mutual", "mutual TLS: the client shows a certificate, too", scene_mutual},
        {"dh", "Diffie-Hellman: a secret that never travels", scene_dh},
        {"forward_secrecy", "forward secrecy: the key is stolen years later",
         scene_forward_secrecy},
        {"eavesdropper", "what can be read without a key", scene_eavesdropper},
        {"tampering", "a bit is changed on the way", scene_tampering},
        {"replay", "0-RTT: a replay attack", scene_replay},
        {"anti_replay", "0-RTT: the server remembers used sessions", scene_anti_replay},
        {"request_stages", "the stages of one request", scene_request_stages},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE to write the secrets to, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {"aes-speed", OPTION_FLAG, &aes_speed, .help = "measure AES-256-GCM in MB/s, and end"},
        {0}};
    keys = certificate_folder(CERTIFICATE_FOLDER);
    const char *only = story_choose(argc, argv, "Lesson 04: TLS.", scenes, options);
    if (aes_speed) {
        printf("%.0f\n", cipher_speed(EVP_aes_256_gcm()));
        output_flush();
        return 0;
    }
    connect_to(host, port);
    ask_keys(keys);
    if (keylog)
        connect_keylog(keylog);
    story_begin();
    return story_tell(scenes, only);
}
