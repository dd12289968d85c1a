// idle.c: a NAT forgets a mapping over which nothing is sent for a while. Then a path is dead,
// and neither end hears of it.
#include <stdio.h>
#include <unistd.h>

#include "datagram.h"
#include "cast.h"
#include "claim.h"
#include "lend.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define TIMEOUT_MS 700 // of the NAT in front of Alice: as in run.sh
#define SILENCE_MS 900
#define KEEP_MS    100 // between two keep-alives
#define ATTEMPTS   3

static const struct claim forgets = {
    "1.26", "(ours)",
    "a mapping that is not used is forgotten; a message now and then keeps it", HOLDS, NULL};
static const struct claim again = {
    "1.27", "(ours)",
    "when the path dies, the peers notice it by consent checks, and look for another one",
    HOLDS, NULL};

static struct couple couple;

// Two sockets behind the NAT. One is silent; the other one asks the server every KEEP_MS. Which
// of them is seen at the same port afterwards? False: this machine was too slow to keep it.
static bool compare(bool *silent_same, bool *kept_same)
{
    int silent = lend_socket("alice"), kept = lend_socket("alice");
    struct sockaddr_storage silent_before = cast_mapped(silent),
                            kept_before = cast_mapped(kept);
    int64_t began = now_ns(), last = began;
    double longest = 0;
    while (ms_since(began) < SILENCE_MS) {
        sleep_ms(KEEP_MS);
        cast_mapped(kept);
        if (ms_since(last) > longest)
            longest = ms_since(last);
        last = now_ns();
    }
    struct sockaddr_storage silent_after = cast_mapped(silent), kept_after = cast_mapped(kept);
    *silent_same = address_is(&silent_before, &silent_after);
    *kept_same = address_is(&kept_before, &kept_after);
    close(silent);
    close(kept);
    return longest < TIMEOUT_MS * 0.8;
}

static void keep_alive(void)
{
    bool silent_same = false, kept_same = false, in_time = false;
    for (int i = 0; i < ATTEMPTS && !in_time; i++)
        in_time = compare(&silent_same, &kept_same);
    story_say("This NAT forgets after %d ms (real ones: 30 s to 5 minutes). Two sockets, after "
              "%d ms:",
              TIMEOUT_MS, SILENCE_MS);
    story_head("the socket|is seen at");
    story_row("was silent|%s", silent_same ? "the same port" : "another port");
    story_row("has sent every %d ms|%s", KEEP_MS, kept_same ? "the same port" : "another port");
    if (!in_time)
        claim_report(&forgets, SKIPPED, "this machine is too busy to send every %d ms",
                     (int)(TIMEOUT_MS * 0.8));
    else
        claim_report(&forgets, holds_if(!silent_same && kept_same),
                     "whoever sends to the old port is not let in any more (RFC 4787 §4.3: not "
                     "before 2 minutes; RFC 8445 §11: something every 15 s)");
}

static void come_back(void)
{
    struct couple *const one[] = {&couple};
    char before[PAIR_TEXT], after[PAIR_TEXT];
    couple = (struct couple){0};
    couple.agents[0].set = (struct ice_settings){
        .retry = 100, .tries = 4, .patience = 6000, .settle = 1, .consent = 100, .expiry = 400};
    couple_begin(&couple, "alice", "bob", cast_server());
    couples_meet(one, 1);
    const struct ice_agent *bob = &couple.agents[1];
    if (!couple_met(&couple)) {
        claim_report(&again, UNCLEAR, "there is no path to begin with");
        return;
    }
    ice_pair_text(bob, ice_path(bob), before);
    couple_run_one(&couple, 1, SILENCE_MS); // Alice's machine sleeps: it sends nothing
    bool noticed = bob->deaths > 0;
    bool met = couple_wait_met(&couple);
    story_say("");
    story_say("Alice and Bob have a path. Alice's machine sleeps for %d ms, and wakes up.",
              SILENCE_MS);
    story_say("Bob's path before: %s", before);
    if (met)
        story_say("Bob's path after:  %s", ice_pair_text(bob, ice_path(bob), after));
    bool new_port = met && bob->theirs.candidates[ice_path(bob)->remote].type == PEER_REFLEXIVE;
    int arrived = 0;
    if (met)
        arrived = couple_send(&couple, 3, 10);
    long deaths = couple.agents[0].deaths + couple.agents[1].deaths;
    couple_end(&couple);
    claim_report(
        &again, holds_if(noticed && new_port && arrived == 3),
        "%ld times no consent for 400 ms (RFC 7675: 30 s); Alice's NAT gives her another "
        "port, Bob learns it from her check, and %d of 3 lines arrive",
        deaths, arrived);
}

void scene_idle(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&forgets);
        claim_skip(&again);
        return;
    }
    keep_alive();
    come_back();
}
