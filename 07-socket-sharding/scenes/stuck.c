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
#define STUCK         2     // the number of the worker that is stuck
#define STUCK_WAIT_MS 10000 // within this time the other workers have to serve their clients
#define LOOK_EVERY_MS 5

static const struct claim uneven_claim = {
    "7.8", "guide §8.2", "hash-based distribution can lead to uneven load", HOLDS, NULL};

// One bar: what a worker has answered, or how many clients wait for the one that is stuck.
static void draw_worker(const struct seen *worker, bool sharded)
{
    char label[40];
    snprintf(label, sizeof label, "worker %d", worker->number);
    if (worker->number == STUCK)
        snprintf(label, sizeof label, "worker %d, stuck", worker->number);
    if (worker->number == STUCK && sharded)
        story_bar(label, worker->queue, STUCK_CLIENTS, "%u wait in its queue", worker->queue);
    else
        story_bar(label, (double)worker->answered, STUCK_CLIENTS, "%ld answered",
                  worker->answered);
}

// All clients ask at once; one of the workers is stuck. Draws what each worker has answered.
// Returns how many clients have no answer when the other workers have served all they can.
static int ask_all(bool sharded)
{
    struct seen seen[WORKERS_MAX];
    int fds[STUCK_CLIENTS], hanging = 0;
    char byte;
    const char *options = "--workers 4 --stuck 2 --wait accept --mode shared";
    if (sharded)
        options = "--workers 4 --stuck 2 --wait accept --mode sharded";
    struct peer peer = peer_begin(options);
    for (int i = 0; i < STUCK_CLIENTS; i++) {
        fds[i] = connect_to(&peer);
        if (!send_request(fds[i], GET_ROOT))
            die("cannot ask: %s", strerror(errno));
    }
    for (int waited_ms = 0; waited_ms < STUCK_WAIT_MS; waited_ms += LOOK_EVERY_MS) {
        long served = 0;
        read_stats(&peer, seen);
        for (int i = 0; i < STUCK_WORKERS; i++)
            served += seen[i].answered;
        if (sharded)
            served += seen[STUCK - 1].queue; // these clients cannot be served
        if (served == STUCK_CLIENTS)
            break;
        sleep_ms(LOOK_EVERY_MS);
    }
    for (int i = 0; i < STUCK_WORKERS; i++)
        draw_worker(&seen[i], sharded);
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
        "%d clients, %d workers. Worker %d is stuck, as in a long computation: it accepts no "
        "client.",
        STUCK_CLIENTS, STUCK_WORKERS, STUCK);
    story_say("");
    story_say("One queue for all:");
    int shared = ask_all(false);
    story_say("");
    story_say("A queue for each:");
    int sharded = ask_all(true);
    bool one_share = sharded > STUCK_CLIENTS / 10 && sharded < STUCK_CLIENTS / 2;
    claim_report(
        &uneven_claim, holds_if(one_share && shared * 5 < sharded),
        "%d of %d clients wait for one worker while three are idle; with one queue for all: "
        "%d",
        sharded, STUCK_CLIENTS, shared);
}
