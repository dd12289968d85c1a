// play.c: the scenes of the sidecar.
//
// Run:    make run             or one scene: make run SCENE=retry
// Watch:  what happens between two apps that know nothing of it.
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

static const char *host = "127.0.0.1";
static int port = 8104;

void scene_check_server(void)
{
    close(net_connect_or_die(host, port));
}

int scene_port(void)
{
    return port;
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"plain", "what the apps say, and what is on the wire", scene_plain},
        {"wire", "two pods, and the distance between them", scene_wire},
        {"identity", "who may ask", scene_identity},
        {"retry", "what is sent again, and how often", scene_retry},
        {"multiply", "three hops, and each could try three times", scene_multiply},
        {"timeout", "an app that takes too long", scene_timeout},
        {"breaker", "an instance that is ill is left alone", scene_breaker},
        {"rate", "one client that asks too much, and another one", scene_rate},
        {"trace", "one request through three services", scene_trace},
        {"metrics", "what the sidecar counts", scene_metrics},
        {"thin", "apps of HTTP/1.0, and one connection between their sidecars", scene_thin},
        {"hop", "what two sidecars cost: time and CPU", scene_hop},
        {"memory", "what each sidecar needs", scene_memory},
        {"order", "who starts first, and who ends first", scene_order},
        {"rotate", "new certificates while requests come", scene_rotate},
        {"replace", "another sidecar while requests come", scene_replace},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the sidecar"},
        {"port", OPTION_INT, &port, 1, 65535, "its port for the app"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 04, sidecar.", scenes, options);
    story_begin();
    return story_tell(scenes, only);
}
