// disk.c: one client whose records have to reach the disk, and eight that want nothing from it.
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "beside.h"
#include "claim.h"
#include "disk_file.h"
#include "lab.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define WANTED_MS   20 // records grow until the disk takes so long for one
#define KB_FIRST    256
#define TRIED       3 // records of each length; the middle one counts
#define WRITE_TIMES 4 // a measurement lasts until so many records are written
#define TRIES       3

// Where the file may be: the first folder that is on a disk.
static const char *const folders[] = {".", "/var/tmp", "/tmp"};

static const char *folder_on_disk(void)
{
    struct statfs fs;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (statfs(folders[i], &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
            fs.f_type != RAMFS_MAGIC)
            return folders[i];
    return NULL;
}

// How long a record of so many KB takes until the disk has it.
static double record_ms(int kb)
{
    double ms[TRIED];
    for (int i = 0; i < TRIED; i++) {
        int64_t from_ns = now_ns();
        if (!disk_write(kb))
            die("cannot write %d KB to the disk: %s", kb, strerror(errno));
        ms[i] = ms_since(from_ns);
    }
    return median_of(ms, TRIED);
}

// ---- the figures ---------------------------------------------------------------------------

static struct beside results[LAB_MODELS_MAX], helped; // helped: loop with --disk-thread
static char path[40], options[80];

static void measure(int model)
{
    beside_measure(models[model].name, options, path, WRITE_TIMES, &results[model]);
}

static void measure_helped(void)
{
    char with[100];
    snprintf(with, sizeof with, "%s --disk-thread", options);
    beside_measure("loop", with, path, WRITE_TIMES, &helped);
}

static void measure_all(void)
{
    double longest_ms = 0;
    for (int i = 0; i < model_count(); i++) {
        measure(i);
        if (results[i].unlucky_ms > longest_ms)
            longest_ms = results[i].unlucky_ms;
    }
    measure_helped();
    for (int i = 0; i < model_count(); i++)
        beside_show(models[i].name, &results[i], longest_ms);
    beside_show("loop, a disk thread", &helped, longest_ms);
}

// Whether the others wait for the disk in this model, much less than in the loop.
static bool goes_on(const struct beside *result)
{
    const struct beside *loop = &results[lab_model("loop")];
    return result->served == BESIDE_OTHERS && loop->half_ms > BESIDE_APART * result->half_ms;
}

// Measures again where this machine was busy for a moment.
static bool all_go_on(const char *const *names, int count)
{
    bool all = true;
    for (int i = 0; i < count; i++) {
        int model = lab_model(names[i]);
        for (int j = 0; j < TRIES && !goes_on(&results[model]); j++) {
            measure(lab_model("loop"));
            measure(model);
        }
        all = all && goes_on(&results[model]);
    }
    for (int j = 0; j < TRIES && !goes_on(&helped); j++)
        measure_helped();
    return all && goes_on(&helped);
}

static const struct claim off_the_core = {
    "6.14", "design patterns", "synchronous I/O blocks the caller; asynchronous does not",
    HOLDS, NULL};

void scene_disk(void)
{
    static const char *const others[] = {"thread", "pool", "uring"};
    const struct beside *loop = &results[lab_model("loop")];
    int kb = KB_FIRST, count = 2 + !model_left_out();
    const char *folder = folder_on_disk();
    if (!folder) {
        claim_report(&off_the_core, SKIPPED, "no folder here is on a disk: tmpfs is memory");
        return;
    }
    disk_choose(folder);
    double ms = record_ms(kb);
    while (ms < WANTED_MS && kb < DISK_KB_MAX)
        ms = record_ms(kb *= 2);
    snprintf(path, sizeof path, "/write?kb=%d", kb);
    snprintf(options, sizeof options, "--disk %s", folder);
    story_say("One client asks for %s, again and again: until fdatasync() returns, that takes",
              path);
    story_say(
        "this disk %.0f ms. %d others ask for /cheap, and pause for %d ms. How long do 99 %%",
        ms, BESIDE_OTHERS, BESIDE_PAUSE_MS);
    story_say("of the requests of one of these clients take? (The one that waits longest.)");
    story_say("");
    measure_all();
    bool shown = all_go_on(others, count);
    const struct beside *thread = &results[lab_model("thread")];
    char uring[60] = "";
    if (!model_left_out())
        snprintf(uring, sizeof uring, ", io_uring %.1f", results[lab_model("uring")].half_ms);
    claim_report(&off_the_core, holds_if(shown),
                 "half of the others' requests take more than %.1f ms in a loop that calls "
                 "fdatasync(); thread %.1f%s, a loop with a disk thread %.1f",
                 loop->half_ms, thread->half_ms, uring, helped.half_ms);
}
