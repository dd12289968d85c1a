// takeover.c: scene takeover: a new server replaces a running one while clients come and go.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CLIENTS       4
#define CONNECTIONS   2000 // answers that all clients together get, or more
#define BEFORE        500  // so many of them come before the server is replaced
#define AFTER         300  // so many come after that, at least
#define WAITING       20   // clients in the queue of a worker that is stuck
#define RESTART_MS    50   // from a kill to the start of the next server; many take longer
#define REFUSED_MS    1    // after this time a client that was refused tries again
#define LOOK_EVERY_MS 2
#define PATIENCE_MS   15000

enum way { HANDED, JOINED, NAIVE, WAYS };

// ---- the new server in the place of the old one --------------------------------------------

// Waits until a process that was killed has gone, with all that it had. (It may still be a
// zombie. A zombie has no command line.)
static void await_gone(int pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    for (int waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
        FILE *file = fopen(path, "re");
        bool there = file && fgetc(file) != EOF;
        if (file)
            fclose(file);
        if (!there)
            return;
        sleep_ms(LOOK_EVERY_MS);
    }
}

// The naive way: kills the old server, and then starts the new one.
static struct peer restart(const struct peer *old, const char *options)
{
    struct seen seen[WORKERS_MAX];
    int workers = read_stats(old, seen);
    kill(old->pid, SIGKILL);
    spawn_wait(old->pid);
    for (int i = 0; i < workers; i++)
        await_gone(seen[i].pid);
    sleep_ms(RESTART_MS);
    return peer_begin(options);
}

static struct peer replace(enum way way, const struct peer *old, const char *with)
{
    char options[200];
    static const char *const how[WAYS] = {" --takeover", " --takeover --join", ""};
    snprintf(options, sizeof options, "--port %d %s%s", old->port, with, how[way]);
    if (way == NAIVE)
        return restart(old, options);
    struct peer new = peer_begin(options);
    spawn_wait(old->pid); // the old server ends by itself
    return new;
}

// ---- clients that come meanwhile -----------------------------------------------------------

struct load {
    struct peer peer;
    _Atomic bool over;
    _Atomic long answered, refused;
    _Atomic long lost; // connections without an answer
};

static void *come_and_go(void *argument)
{
    struct load *load = argument;
    while (!load->over) {
        int fd = connect_to(&load->peer);
        if (fd < 0 && errno == ECONNREFUSED) {
            load->refused++;
            sleep_ms(REFUSED_MS);
            continue;
        }
        send_request(fd, GET_ROOT); // if that fails, no answer will come
        if (read_answer(fd).worker)
            load->answered++;
        else
            load->lost++;
    }
    return NULL;
}

static void await_answered(const struct load *load, long count)
{
    for (int waited = 0; load->answered < count && waited < PATIENCE_MS;
         waited += LOOK_EVERY_MS)
        sleep_ms(LOOK_EVERY_MS);
}

// Replaces a server while clients ask it. load counts what happens to them.
static void replace_under_load(enum way way, struct load *load)
{
    static const char options[] = "--workers 2 --mode sharded";
    pthread_t clients[CLIENTS];
    load->peer = peer_begin_on_own_port(options);
    for (int i = 0; i < CLIENTS; i++)
        if (pthread_create(&clients[i], NULL, come_and_go, load))
            die("cannot start a thread");
    await_answered(load, BEFORE);
    struct peer new = replace(way, &load->peer, options);
    await_answered(load, load->answered + AFTER);
    await_answered(load, CONNECTIONS);
    load->over = true;
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    peer_end(&new);
}

// ---- clients that wait ---------------------------------------------------------------------

// Replaces a server while clients wait in the queue of its worker, which is stuck. Returns how
// many of them are answered.
static int replace_with_queue(enum way way)
{
    int fds[WAITING], answered = 0;
    struct peer old = peer_begin_on_own_port("--workers 1 --mode sharded --stuck 1");
    for (int i = 0; i < WAITING; i++) {
        fds[i] = connect_to(&old);
        if (!send_request(fds[i], GET_ROOT))
            die("cannot ask: %s", strerror(errno));
    }
    for (int waited = 0; sum_stats(&old).queue < WAITING && waited < PATIENCE_MS; waited++)
        sleep_ms(1);
    struct peer new = replace(way, &old, "--workers 1 --mode sharded");
    for (int i = 0; i < WAITING; i++)
        answered += read_answer(fds[i]).worker > 0;
    peer_end(&new);
    return answered;
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim restart_claim = {
    "7.10", "load balancing", "zero-downtime deployments are possible", HOLDS, NULL};
// The note means two versions of a service behind a balancer (claim 8.30). This is how one
// server on one machine does it.

void scene_takeover(void)
{
    static const char *const name[WAYS] = {"gets the sockets", "joins, the old one drains",
                                           "starts after a kill"};
    struct load load[WAYS] = {0};
    int answered[WAYS];
    story_say(
        "A new server takes the place of the old one while %d clients connect again and "
        "again; a second time while %d clients wait in the queue of a worker that is stuck.",
        CLIENTS, WAITING);
    story_head("the new server|answered|refused|reset|in the queue");
    for (int way = 0; way < WAYS; way++) {
        replace_under_load((enum way)way, &load[way]);
        answered[way] = replace_with_queue((enum way)way);
        story_row("%s|%ld|%ld|%ld|%d of %d", name[way], load[way].answered, load[way].refused,
                  load[way].lost, answered[way], WAITING);
    }
    bool clean = load[HANDED].refused == 0 && load[HANDED].lost == 0 &&
                 load[HANDED].answered >= CONNECTIONS && answered[HANDED] == WAITING;
    bool joined = load[JOINED].refused == 0 && answered[JOINED] == WAITING;
    bool naive = load[NAIVE].refused > 0 && answered[NAIVE] == 0;
    claim_report(&restart_claim, holds_if(clean && joined && naive),
                 "with the sockets: %ld lost of %ld; drained: %ld reset; killed: %ld refused, "
                 "%ld reset, and %d in the queue",
                 load[HANDED].refused + load[HANDED].lost,
                 load[HANDED].answered + load[HANDED].refused + load[HANDED].lost,
                 load[JOINED].lost, load[NAIVE].refused, load[NAIVE].lost,
                 WAITING - answered[NAIVE]);
}
