// cpu_bound.c: one client whose requests take long, and eight whose requests do not.
#include "beside.h"
#include "claim.h"
#include "lab.h"
#include "scenes.h"
#include "story.h"

#define HEAVY_MS    40 // of CPU time that a heavy request takes
#define HEAVY_TIMES 5  // a measurement lasts until so many heavy requests are answered

static const struct claim blocks = {
    "6.4", "guide §6", "CPU-bound work on the one thread: everything else waits", HOLDS, NULL};

void scene_cpu_bound(void)
{
    struct beside results[LAB_MODELS_MAX];
    const struct beside *loop = &results[lab_model("loop")],
                        *thread = &results[lab_model("thread")];
    double longest_ms = 0;
    story_say("One client asks for /cpu?ms=%d, again and again. %d others ask for /cheap, and",
              HEAVY_MS, BESIDE_OTHERS);
    story_say(
        "pause for %d ms. How long do 99 %% of the requests of one of these clients take?",
        BESIDE_PAUSE_MS);
    story_say("(The one that waits longest.)");
    story_say("");
    for (int i = 0; i < model_count(); i++) {
        beside_measure(models[i].name, "", "/cpu?ms=40", HEAVY_TIMES, &results[i]);
        if (results[i].unlucky_ms > longest_ms)
            longest_ms = results[i].unlucky_ms;
    }
    for (int i = 0; i < model_count(); i++)
        beside_show(models[i].name, &results[i], longest_ms);
    claim_report(
        &blocks,
        holds_if(loop->half_ms > HEAVY_MS / 2 &&
                 loop->half_ms > BESIDE_APART * thread->half_ms),
        "loop: half of the others' requests take more than %.1f ms, and %.0f are answered for "
        "each heavy one; thread: %.2f ms, and %.0f",
        loop->half_ms, loop->answers, thread->half_ms, thread->answers);
}
