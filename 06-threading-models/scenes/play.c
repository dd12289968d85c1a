// client.c: who does the work, and who waits meanwhile: seven servers around one handler.
//
// Run:    ./client             against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=hog
//         ./client --url /cheap --connections 64 --seconds 2      the load generator alone,
//                              against ./server, or any other (--port)
// Watch:  the same requests, and what becomes of them when somebody else's takes long.
//
// load.c is the load generator and histogram.c its memory; lab.c starts the servers. The scenes
// are in the files that scenes.h names.
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"
#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

static const char *host = "127.0.0.1", *url;
static int port = 8006, connections = 64, requests;
static double seconds = 2;

// A thousand connections, and more, at once.
static void allow_files(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static double percentile_ms(const struct load_target *target, double percent)
{
    return (double)histogram_percentile(&target->latency, percent) / 1e6;
}

static void print_errors(const struct load_target *target)
{
    for (int i = 0; i < LOAD_ERRORS; i++)
        if (target->errors[i])
            story_row("errors: %s|%llu", load_error_name(i),
                      (unsigned long long)target->errors[i]);
    if (!load_errors(target))
        story_row("errors|none");
    if (target->served < target->connections)
        story_row("connections without an answer|%d", target->connections - target->served);
}

// The load generator alone.
static int generate_load(void)
{
    static struct load load;
    static struct load_target target;
    target = (struct load_target){.path = url, .connections = connections};
    load_open(&load, host, port, &target, 1);
    load_run(&load, seconds * 1000, (uint64_t)requests);
    load_close(&load);
    double answers = (double)target.latency.total, finished = (double)load.finished;
    story_head(url);
    story_row("connections|%d", connections);
    story_row("seconds|%.2f", load.seconds);
    story_row("answers|%.0f", answers);
    story_row("answers a second|%.0f", answers / load.seconds);
    story_row("half of them within|%.3f ms", percentile_ms(&target, 50));
    story_row("90 %%|%.3f ms", percentile_ms(&target, 90));
    story_row("99 %%|%.3f ms", percentile_ms(&target, 99));
    story_row("the slowest|%.3f ms", (double)target.latency.max / 1e6);
    print_errors(&target);
    story_row("our CPU time a request|%.2f us",
              finished > 0 ? load.cpu_seconds * 1e6 / finished : 0);
    return target.latency.total && !load_errors(&target) ? 0 : 1;
}

static bool is_scene(const struct scene *scenes, const char *name)
{
    while (scenes->name && strcmp(scenes->name, name) != 0)
        scenes++;
    return scenes->name;
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"models", "seven servers, three kinds of work", scene_models},
        {"idle", "what a connection costs that says nothing", scene_idle},
        {"hog", "one client who wants a lot", scene_hog},
        {"skew", "connections are shared out evenly, work is not", scene_skew},
        {"crash", "one request brings it down: what goes with it?", scene_crash},
        {"race", "two threads, one number", scene_race},
        {"cores", "more workers than processors", scene_cores},
        {"full", "all workers are busy", scene_full},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"url", OPTION_TEXT, &url, .help = "no scene: ask for this path, again and again"},
        {"connections", OPTION_INT, &connections, 1, LOAD_CONNECTIONS,
         "with --url: connections that ask"},
        {"seconds", OPTION_NUMBER, &seconds, 0.01, 3600, "with --url: for how long"},
        {"requests", OPTION_INT, &requests, 0, 2e9, "with --url: at most so many; 0: no limit"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 06: threading models. Without SCENE all of them: models, "
                          "idle, hog, skew,\ncrash, race, cores, full.",
                          options});
    story_begin();
    allow_files();
    // The scenes start their own servers beside this one. story_tell() knows what to say of a
    // scene that there is not.
    if (!argv[first] || is_scene(scenes, argv[first]))
        close(net_connect_or_die(host, port));
    return url ? generate_load() : story_tell(scenes, argv[first]);
}
