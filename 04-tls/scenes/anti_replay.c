// anti_replay.c: scene anti_replay: the replay of scene replay, but this server remembers which
// sessions were used.
#include "claim.h"
#include "early_data.h"
#include "scenes.h"
#include "story.h"

static const struct claim once = {
    "4.19", "(ours)", "a server that remembers used sessions refuses a replay", HOLDS, NULL};

void scene_anti_replay(void)
{
    bool stateful;
    if (!takes_early_data(get_session(), &stateful)) {
        claim_report(&once, SKIPPED, "this server takes no early data: --early-data");
        return;
    }
    story_say(
        "The same, but this server deletes each session from its cache when it is used (RFC "
        "8446 §8.1). When the same bytes come again, it does a handshake, and throws the "
        "early data away.");
    struct outcome outcome = transfer_and_replay();
    report_replay(&once, judge_replay(&outcome, HOLDS, NOT_HERE), &outcome);
}
