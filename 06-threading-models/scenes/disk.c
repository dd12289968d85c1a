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
#define TRIED       3 // records of each length; the quickest one counts
#define WRITE_TIMES 3 // a measurement lasts until so many records are written
#define GOES_ON     3 // answers for each of the others between two records, and more
#define TRIES       6

// Where the file may be: the first folder that is on a disk.
static const char *const folders[] = {".", "/var/tmp", "/tmp"};

static const char *folder_on_disk(void)
{
    struct statfs fs;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (statfs(folders[i], &fs) == 0 && (unsigned)fs.f_type != TMPFS_MAGIC &&
            (unsigned)fs.f_type != RAMFS_MAGIC)
            return folders[i];
    return NULL;
}

// How long a record of so many KB takes until the disk has it, at least: other programs may use
// the disk for a moment.
static double record_ms(int of_kb)
{
    double least_ms = 0;
    for (int i = 0; i < TRIED; i++) {
        int64_t from_ns = now_ns();
        if (!disk_write(of_kb))
            die("cannot write %d KB to the disk: %s", of_kb, strerror(errno));
        double ms = ms_since(from_ns);
        if (i == 0 || ms < least_ms)
            least_ms = ms;
        if (ms < WANTED_MS)
            break; // too short
    }
    return least_ms;
}

// ---- the figures ---------------------------------------------------------------------------

static struct beside results[LAB_MODELS_MAX], helped; // helped: loop with --disk-thread
static int kb;                                        // the length of a record
static char path[40], options[80];

// The models that go on, and the loop that does not, are what the claim is about. uring is the
// last one, because not every machine allows it.
static const char *const others[] = {"thread", "pool", "uring"};

static int others_count(void)
{
    return 2 + !model_left_out();
}

static void choose_length(int of_kb)
{
    kb = of_kb;
    snprintf(path, sizeof path, "/write?kb=%d", kb);
}

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

// Of a model that stands still while it waits for the disk, each of the others has one answer
// between two records, two at most. These are counts, so a busy machine does not matter.
static bool stands_still(const struct beside *result)
{
    return result->answers <= 2 * BESIDE_OTHERS;
}

static bool goes_on(const struct beside *result)
{
    return result->served == BESIDE_OTHERS && result->answers > GOES_ON * BESIDE_OTHERS;
}

static bool as_documented(void)
{
    bool good = stands_still(&results[lab_model("loop")]) && goes_on(&helped);
    for (int i = 0; i < others_count(); i++)
        good = good && goes_on(&results[lab_model(others[i])]);
    return good;
}

// Measures again with longer records where the disk was slow or busy only for a moment.
static bool become_as_documented(void)
{
    for (int i = 0; i < TRIES && !as_documented(); i++) {
        if (kb < DISK_KB_MAX)
            choose_length(2 * kb);
        measure(lab_model("loop"));
        measure_helped();
        for (int j = 0; j < others_count(); j++)
            measure(lab_model(others[j]));
    }
    return as_documented();
}

static const struct claim off_the_core = {
    "6.14", "design patterns", "synchronous I/O blocks the caller; asynchronous does not",
    HOLDS, NULL};

void scene_disk(void)
{
    const char *folder = folder_on_disk();
    if (!folder) {
        claim_report(&off_the_core, SKIPPED, "no folder here is on a disk: tmpfs is memory");
        return;
    }
    disk_choose(folder);
    snprintf(options, sizeof options, "--disk %s", folder);
    choose_length(KB_FIRST);
    double ms = record_ms(kb);
    while (ms < WANTED_MS && kb < DISK_KB_MAX) {
        choose_length(2 * kb);
        ms = record_ms(kb);
    }
    story_say("One client asks for %s, again and again: that takes", path);
    story_say(
        "this disk %.0f ms. %d others ask for /cheap, and pause for %d ms. How long do 99 %%",
        ms, BESIDE_OTHERS, BESIDE_PAUSE_MS);
    story_say("of the requests of one of these clients take? (The one that waits longest.)");
    story_say("");
    measure_all();
    bool shown = become_as_documented();
    char uring[60] = "";
    if (!model_left_out())
        snprintf(uring, sizeof uring, ", io_uring %.0f", results[lab_model("uring")].answers);
    claim_report(
        &off_the_core, holds_if(shown),
        "for each record the others have %.0f answers from a loop that calls "
        "fdatasync(); from threads %.0f, a pool %.0f%s, a loop with a disk thread %.0f",
        results[lab_model("loop")].answers, results[lab_model("thread")].answers,
        results[lab_model("pool")].answers, uring, helped.answers);
}
