// stuck.c: scene stuck: one of the workers does not answer.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define STUCK_CLIENTS 200
#define STUCK_WORKERS 4
#define STUCK         2     // the one of them that is
#define STUCK_WAIT_MS 10000 // until all clients that a worker can serve have been
#define LOOK_EVERY_MS 5

static const struct claim uneven_claim = {
    "7.8", "guide §8.2", "hash-based distribution can lead to uneven load", HOLDS, NULL};

// All clients ask at once; one of the workers is stuck. Draws what each worker has answered,
// and returns how many clients have no answer when the other workers have served all they can.
static int ask_the_stuck(bool sharded)
{
    struct seen seen[WORKERS_MAX];
    int fds[STUCK_CLIENTS], hanging = 0;
    char byte;
    struct peer peer =
        peer_begin(sharded ? "--workers 4 --stuck 2 --wait accept --mode sharded"
                           : "--workers 4 --stuck 2 --wait accept --mode shared");
    for (int i = 0; i < STUCK_CLIENTS; i++)
        if (!say_on(fds[i] = connect_to(&peer), GET_ROOT))
            die("cannot ask: %s", strerror(errno));
    long served = 0, behind = 0;
    for (int waited_ms = 0; waited_ms < STUCK_WAIT_MS; waited_ms += LOOK_EVERY_MS) {
        read_stats(&peer, seen);
        behind = sharded ? seen[STUCK - 1].queue : 0; // else all workers share the queue
        served = sum_stats(&peer).answered;
        if (served + behind == STUCK_CLIENTS)
            break;
        sleep_ms(LOOK_EVERY_MS);
    }
    read_stats(&peer, seen);
    for (int i = 0; i < STUCK_WORKERS; i++) {
        char label[40];
        bool waits = i + 1 == STUCK && sharded;
        snprintf(label, sizeof label, "worker %d%s", i + 1, i + 1 == STUCK ? ", stuck" : "");
        story_bar(label, waits ? (double)behind : (double)seen[i].answered, STUCK_CLIENTS,
                  waits ? "%ld wait in its queue" : "%ld answered",
                  waits ? behind : seen[i].answered);
    }
    for (int i = 0; i < STUCK_CLIENTS; i++) {
        hanging += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
        close(fds[i]);
    }
    peer_end(&peer);
    return hanging;
}

void scene_stuck(void)
{
    story_say(
        "%d clients, %d workers; worker %d is stuck, as in a long computation, and takes no "
        "connection.",
        STUCK_CLIENTS, STUCK_WORKERS, STUCK);
    story_say("");
    story_say("One queue for all:");
    int shared = ask_the_stuck(false);
    story_say("");
    story_say("A queue for each:");
    int sharded = ask_the_stuck(true);
    bool one_share = sharded > STUCK_CLIENTS / 10 && sharded < STUCK_CLIENTS / 2;
    claim_report(
        &uneven_claim, one_share && shared == 0 ? HOLDS : UNCLEAR,
        "%d of %d clients hang behind one worker while three are idle; with one queue for "
        "all: %d",
        sharded, STUCK_CLIENTS, shared);
}
