// client.c: what the padlock costs, and what it buys.
//
// Run:    ./client             against ./server in another terminal, or, with a distance:
//         make run             or one scene: make run SCENE=handshake ARGS="--rtt 200"
//         ./client --get /     one request, and all that is known about the connection
//         ./client --host ietf.org --port 443 --get / --ca /etc/ssl/certs/ca-certificates.crt
// Watch:  how many times the messages go there and back before the first byte of an answer, and
//         what is still readable on the way.
//
// connect.c opens connections and checks who is there; the scenes are in the files that
// scenes.h names.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "connect.h"
#include "get.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

// What --get connects with. Scenes have their own.
static void check(struct connect_settings *with, const char *host, const char *version)
{
    static struct certificate_files ca;
    uint8_t pin[PIN_BYTES];
    if (strcmp(version, "1.2") && strcmp(version, "1.3") && strcmp(version, "any"))
        options_reject("--tls takes 1.2, 1.3 or any, not '%s'", version);
    if (with->pin && !connect_read_pin(with->pin, pin))
        options_reject("--pin takes 64 digits, in hex, not '%s'", with->pin);
    if (!with->cert != !with->key_file)
        options_reject("--cert and --key-file are only taken together");
    if (strcmp(version, "any"))
        with->version = strcmp(version, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
    ca = ask_files(CERTIFICATE_CA);
    with->ca = with->ca ? with->ca : ca.chain;
    with->name = with->name ? with->name : host;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *path, *version = "any", *keylog;
    static const char *keys = CERTIFICATE_FOLDER;
    static struct connect_settings with;
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
        {"get", OPTION_TEXT, &path, .help = "no scene: GET this path, from any server"},
        {"servername", OPTION_TEXT, &with.name, .help = "who it should be; else --host"},
        {"ca", OPTION_TEXT, &with.ca, .help = "FILE with CAs to trust; else the lesson's"},
        {"insecure", OPTION_FLAG, &with.insecure, .help = "talk to anybody"},
        {"pin", OPTION_TEXT, &with.pin, .help = "SHA-256 that its public key has, in hex"},
        {"tls", OPTION_TEXT, &version, .help = "1.2, 1.3 or any"},
        {"alpn", OPTION_TEXT, &with.alpn, .help = "protocols to offer, with ',' between"},
        {"cert", OPTION_TEXT, &with.cert, .help = "FILE with a certificate of one's own"},
        {"key-file", OPTION_TEXT, &with.key_file, .help = "FILE with its key"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE for secrets, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 04: TLS. Without SCENE all of them: handshake, roundtrips, "
                          "coalesce, cost, trust,\nmutual, dh, secrecy, eavesdropper, replay, "
                          "once, journey. From --servername to --key-file:\nfor --get.",
                          options});
    connect_to(host, port);
    ask_keys(keys);
    check(&with, host, version);
    if (keylog)
        connect_keylog(keylog);
    story_begin();
    return path ? get(path, port, &with) : story_tell(scenes, argv[first]);
}
