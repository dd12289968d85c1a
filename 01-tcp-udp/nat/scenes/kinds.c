// kinds.c: scene types: four NATs, and who may send in through each of them.
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "claim.h"
#include "discover.h"
#include "lend.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define KINDS    4
#define WAIT_MS  60
#define TRIES    4
#define ATTEMPTS 4 // on a busy machine an answer may take longer: then all is asked again

static const struct claim four_kinds = {
    "1.18", "guide §4.5",
    "full cone, restricted cone, port restricted cone, symmetric: who may send in", HOLDS,
    NULL};

static const char *const nodes[KINDS] = {"fred", "rita", "pat", "sam"};
static const char *const expected[KINDS] = {"full cone", "restricted cone",
                                            "port restricted cone", "symmetric"};
static struct discovery found[KINDS];
static int wait_ms; // until a question is repeated; then twice that, and so on

static void *find_out(void *number)
{
    int kind = *(int *)number, fds[DISCOVER_SOCKETS];
    for (int i = 0; i < DISCOVER_SOCKETS; i++)
        fds[i] = lend_socket(nodes[kind]);
    found[kind] = discover(fds, cast_server(), wait_ms, TRIES);
    for (int i = 0; i < DISCOVER_SOCKETS; i++)
        close(fds[i]);
    return NULL;
}

// At once: each waits for what does not come.
static void find_out_all(int with_wait_ms)
{
    pthread_t threads[KINDS];
    int numbers[KINDS];
    wait_ms = with_wait_ms;
    for (int i = 0; i < KINDS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, find_out, &numbers[i]))
            die("cannot start a thread");
    }
    for (int i = 0; i < KINDS; i++)
        pthread_join(threads[i], NULL);
}

static int count_right(void)
{
    int right = 0;
    for (int i = 0; i < KINDS; i++)
        right += !strcmp(nat_kind(&found[i]), expected[i]);
    return right;
}

static const char *yes_no(bool yes)
{
    if (yes)
        return "comes in";
    return "-";
}

void scene_types(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&four_kinds);
        return;
    }
    story_say(
        "Behind each NAT a host asks the server, and then asks it to answer from its other "
        "port, and from its other address (RFC 5780: CHANGE-REQUEST). What comes in?");
    for (int attempt = 0; attempt < ATTEMPTS && count_right() < KINDS; attempt++)
        find_out_all(WAIT_MS << attempt);
    story_head("an answer from|the same|other port|other host|seen by others");
    for (int i = 0; i < KINDS; i++) {
        story_row("%s|%s|%s|%s|%s", expected[i], yes_no(found[i].answered),
                  yes_no(found[i].port_came), yes_no(found[i].host_came),
                  found[i].mapping == ENDPOINT_INDEPENDENT ? "same port" : "another port");
    }
    story_say("");
    story_say(
        "RFC 4787 has two words in place of four: mapping (does another peer see another "
        "port?) and filtering (who may send in?). There are 9 combinations; only 4 of them "
        "have one of the old names.");
    int right = count_right();
    claim_report(&four_kinds, holds_if(right == KINDS),
                 "%d of 4 NATs were told apart from the outside: full cone lets all in, "
                 "restricted cone the hosts that were sent to, port restricted cone only the "
                 "ports that were sent to; symmetric is seen at another port by each peer",
                 right);
}
