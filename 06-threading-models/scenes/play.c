// play.c: the scenes of lesson 06: which process or thread does the work, and which clients
// wait meanwhile?
//
// Run:    make run             all scenes, or one: make run SCENE=cpu_bound
//         ./play cpu_bound     the same, beside a ./server in another terminal
// Watch:  what happens to the other clients when one client's requests take long.
//
// A scene starts the servers that it compares (lab.c) and loads them (load.c). The scenes are
// in the files that scenes.h names.
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

#define FILES_WANTED 20000 // for ten thousand connections and more

static const char *host = "127.0.0.1";
static int port = 8006;

static bool is_scene(const struct scene *scenes, const char *name)
{
    while (scenes->name && strcmp(scenes->name, name) != 0)
        scenes++;
    return scenes->name;
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"models", "eight servers, three kinds of work", scene_models},
        {"idle", "what an idle connection costs", scene_idle},
        {"cpu_bound", "one client asks for long computations", scene_cpu_bound},
        {"load_balance", "connections are balanced, work is not", scene_load_balance},
        {"crash", "a request crashes its worker: what is lost with it?", scene_crash},
        {"race", "two threads, one number", scene_race},
        {"cores", "more workers than processors", scene_cores},
        {"queue_full", "all workers are busy", scene_queue_full},
        {"system_calls", "how often the kernel is called", scene_system_calls},
        {"disk", "the disk is slow: which clients wait?", scene_disk},
        {"cascade", "one service calls the next", scene_cascade},
        {"fork_and_locks", "fork() in a program with threads", scene_fork_and_locks},
        {"silent", "one descriptor is ready, thousands are not", scene_silent},
        {"talk", "two threads, or two processes, that talk", scene_talk},
        {"hang_up", "the client hangs up: does the server go on?", scene_hang_up},
        {"pipelined", "three requests of one connection", scene_pipelined},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of a server that has to be there"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 06: threading models.", scenes, options);
    story_begin();
    raise_file_limit(FILES_WANTED);
    // The scenes start their own servers beside this one. story_tell() reports an unknown
    // scene.
    if (!only || is_scene(scenes, only))
        close(net_connect_or_die(host, port));
    return story_tell(scenes, only);
}
