// play.c: publish and subscribe, with a broker in between.
//
// Run:    ./play               against ./broker in another terminal, or:
//         make run             or one scene: make run SCENE=qos
// Watch:  what becomes of a message when the publisher, the broker or the subscriber is slow,
//         away, cut off, or killed.
//
// The clients of the scenes are in cast.c.
#include "cast.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8105;
    static const struct scene scenes[] = {
        {"qos", "at most once, at least once, once", scene_qos},
        {"pipeline", "steps that do not wait for each other", scene_pipeline},
        {"backlog", "messages for a subscriber that is away", scene_backlog},
        {"topics", "which filter gets which topic", scene_topics},
        {"order", "what comes first", scene_order},
        {"duplicates", "the same message again", scene_duplicates},
        {"correlate", "which question is this the answer to?", scene_correlate},
        {"overload", "a subscriber that cannot keep up", scene_overload},
        {"rooms", "one chat on two servers", scene_rooms},
        {"cost", "a hop more, and all depend on it", scene_cost},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the broker"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 05, pubsub: a broker.", scenes, options);
    cast_broker(host, port);
    story_begin();
    return story_tell(scenes, only);
}
