// replay.c: scene replay: an attacker records early data and sends it again, to a server that
// accepts it. The attack is in early_data.c.
#include "ask.h"
#include "claim.h"
#include "early_data.h"
#include "http.h"
#include "scenes.h"
#include "story.h"

static const struct claim replayed = {
    "4.8", "guide §3.5", "0-RTT has to be implemented carefully: replay attacks", HOLDS, NULL};
static const struct claim safe = {
    "4.18", "(ours)", "what must not happen twice waits for the end of the handshake", HOLDS,
    NULL};

void scene_replay(void)
{
    static uint8_t flight[RECORDING_BYTES];
    size_t length;
    bool stateful;
    if (!takes_early_data(get_session(), &stateful) || stateful) {
        const char *why = "this server takes no early data: --early-data";
        if (stateful)
            why = "this server remembers its sessions: --anti-replay off";
        claim_report(&replayed, SKIPPED, "%s", why);
        claim_report(&safe, SKIPPED, "%s", why);
        return;
    }
    story_say(
        "This server does not remember its sessions (--anti-replay off). A client moves money, "
        "and an attacker on the way records its first bytes.");
    struct outcome outcome = transfer_and_replay();
    int refused = post_early("/safe-transfer", get_session(), flight, &length);
    int late = count_transfers();
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    bool done = ask(c, "POST", "/safe-transfer", "", &reply) && reply.status == 200;
    connection_close(c);
    story_head("POST /safe-transfer|");
    if (refused)
        story_row("as early data|%d %s", refused, http_reason(refused));
    else
        story_row("as early data|not taken");
    story_row("after the handshake|%d", reply.status);
    report_replay(&replayed, judge_replay(&outcome, NOT_HERE, HOLDS), &outcome);
    enum verdict verdict = UNCLEAR;
    if (refused == 425 && done && count_transfers() == late + 1)
        verdict = HOLDS;
    claim_report(&safe, verdict, "%d as early data, %d after the handshake (RFC 8470 §5.2)",
                 refused, reply.status);
}
