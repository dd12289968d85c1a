// play.c: functions that are called over the network.
//
// Run:    ./play               against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=unary
// Watch:  what one call is made of; how four kinds of calls share a connection; what ends a
//         call, and the work behind it.
#include "options.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"unary", "one call, byte by byte", scene_unary},
        {"kinds", "four kinds of calls on one connection", scene_kinds},
        {"cancel", "a call that is cancelled", scene_cancel},
        {"deadline", "a call whose time is up", scene_deadline},
        {"errors", "how a call says what is wrong", scene_errors},
        {"schema", "old and new programs", scene_schema},
        {"speed", "the same list over gRPC and as JSON over HTTP/1.1", scene_speed},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &stage_host, .help = "address of the server"},
        {"port", OPTION_INT, &stage_port, 1, 65535, "its port"},
        {0}};
    const char *only = story_choose(argc, argv, "Lesson 03, grpc.", scenes, options);
    story_begin();
    return story_tell(scenes, only);
}
