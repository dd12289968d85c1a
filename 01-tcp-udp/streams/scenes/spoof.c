// spoof.c: what somebody can do to a connection who guesses its id, and who knows it; with
// packets that anybody can write, and with packets that prove who wrote them. And what a server
// sends to an address that is forged.
#include <stdio.h>
#include <string.h>

#include "attacker.h"
#include "claim.h"
#include "net.h"
#include "secret.h"
#include "scenes.h"
#include "spawn.h"
#include "stage.h"
#include "story.h"

#define ALL      2000000 // bytes of the victim's download
#define BEGUN    100000  // then the attacker comes
#define GUESSES  20000
#define AHEAD    1000 // how far ahead of the victim's packets the attacker numbers his own
#define WAIT_MS  100
#define STALL_MS 400 // a download that does not go on for so long
#define KEY      "only the two ends know this"

enum attack { GUESS, CLOSE_IT, STEAL, NO_ANSWER, ATTACKS };

static const char *const attack_name[ATTACKS] = {"guesses 20,000 ids", "knows the id: CLOSE",
                                                 "knows it: answers",
                                                 "knows it: cannot answer"};

// What became of the download, and what the attacker got.
struct outcome {
    bool complete;
    uint64_t bytes, sent, received, stolen;
};

static const char *const paths[] = {"/bytes/2000000"};
static struct download one;

static void attack_it(struct attacker *a, enum attack attack, const struct connection *victim)
{
    static const struct frame close_it = {
        .type = FRAME_CLOSE, .data = (const uint8_t *)"bye", .length = 3};
    static const struct frame ping = {.type = FRAME_PING};
    uint64_t number = victim->recovery.next + AHEAD;
    uint8_t id[ID_BYTES];
    switch (attack) {
    case GUESS:
        for (int i = 0; i < GUESSES; i++) {
            random_bytes(id, ID_BYTES);
            attacker_send(a, id, number, &close_it, false);
        }
        break;
    case CLOSE_IT:
        attacker_send(a, victim->peer_id, number, &close_it, false);
        break;
    case STEAL:
        attacker_send(a, victim->peer_id, number, &ping, true);
        attacker_take(a, victim->peer_id, number + 1, WAIT_MS);
        break;
    default:
        attacker_send(a, victim->peer_id, victim->recovery.next + 1, &ping, true);
        attacker_take(a, NULL, 0, WAIT_MS);
        break;
    }
}

static struct outcome attack_once(enum attack attack, int port, const char *key)
{
    struct endpoint victim;
    struct attacker attacker;
    int patience_ms = STALL_MS;
    if (attack == NO_ANSWER || attack == GUESS)
        patience_ms = PATIENCE_MS; // it goes on, when the challenge has failed
    endpoint_open(&victim, stage_host(), port, key, STAGE_WINDOW, &download_user);
    downloads_begin(&victim.connection, &one, paths, 1);
    stage_run(&victim, &one, 1, BEGUN, PATIENCE_MS);
    attacker_begin(&attacker, stage_host(), port);
    attack_it(&attacker, attack, &victim.connection);
    uint64_t bytes, last;
    do {
        last = downloads_bytes(&one, 1);
        bytes = stage_run(&victim, &one, 1, last + 50000, patience_ms);
    } while (bytes > last && !one.over);
    struct outcome outcome = {downloads_good(&one, 1), bytes, attacker.sent, attacker.received,
                              attacker.stolen};
    attacker_end(&attacker);
    endpoint_close(&victim);
    return outcome;
}

static void show(const char *name, const struct outcome *o)
{
    const char *fate = "goes on";
    if (!o->complete)
        fate = "is over";
    story_row("%s|%s|%llu|%llu|%llu", name, fate, (unsigned long long)o->sent,
              (unsigned long long)o->received, (unsigned long long)o->stolen);
}

// A first packet from an address that is not the sender's own: what goes to that address.
static struct outcome first_packet(int port)
{
    struct attacker attacker;
    attacker_begin(&attacker, stage_host(), port);
    attacker_send_first(&attacker, paths[0]);
    attacker_take(&attacker, NULL, 0, 3 * WAIT_MS);
    struct outcome outcome = {true, 0, attacker.sent, attacker.received, attacker.stolen};
    attacker_end(&attacker);
    return outcome;
}

static const struct claim hijack = {
    "1.16", "guide §3.4", "ids in plain text potentially allow connection hijacking", NOT_HERE,
    "The id is no secret in QUIC: each packet is authenticated with keys (RFC 9001 §5), and a "
    "new address has to answer (RFC 9000 §8.2). Without keys, it does allow it."};
static const struct claim forged = {"1.36", "guide §2.1",
                                    "UDP does not verify who sends: addresses can be spoofed",
                                    HOLDS, NULL};

static bool is_limited(const struct outcome *o)
{
    return o->received > 0 && o->received <= AMPLIFICATION * o->sent;
}

void scene_spoof(void)
{
    struct outcome plain[ATTACKS], keyed[ATTACKS], first, retry;
    pid_t keyed_pid, retry_pid;
    int keyed_port = spawn_server(
        &keyed_pid, (const char *[]){"./server", "--port", "0", "--key", KEY, NULL});
    int retry_port =
        spawn_server(&retry_pid, (const char *[]){"./server", "--port", "0", "--retry", NULL});
    if (!keyed_port || !retry_port)
        die("cannot start ./server");
    stage_check();
    story_quiet(true);
    story_say(
        "A client downloads; somebody at another address interferes. The figures are bytes "
        "that the attacker has sent, has got, and has got of the download.");
    story_head("packets without proof|the download|sent|got|stolen");
    for (enum attack i = GUESS; i < ATTACKS; i++) {
        plain[i] = attack_once(i, stage_port(), NULL);
        show(attack_name[i], &plain[i]);
    }
    story_head("each packet proves its key|the download|sent|got|stolen");
    for (enum attack i = GUESS; i < ATTACKS; i++) {
        keyed[i] = attack_once(i, keyed_port, KEY);
        show(attack_name[i], &keyed[i]);
    }
    story_say("");
    story_say("And a first packet, from an address that is forged: bytes that go there.");
    first = first_packet(stage_port());
    retry = first_packet(retry_port);
    story_head("a first packet|sent|got there");
    story_row("the server answers at once|%llu|%llu", (unsigned long long)first.sent,
              (unsigned long long)first.received);
    story_row("./server --retry|%llu|%llu", (unsigned long long)retry.sent,
              (unsigned long long)retry.received);
    spawn_stop(keyed_pid);
    spawn_stop(retry_pid);

    bool safe = plain[GUESS].complete;
    for (enum attack i = GUESS; i < ATTACKS; i++)
        safe = safe && keyed[i].complete && keyed[i].received == 0;
    bool stolen = !plain[CLOSE_IT].complete && !plain[STEAL].complete &&
                  plain[STEAL].stolen > AMPLIFICATION * plain[STEAL].sent;
    enum verdict seen = UNCLEAR;
    if (safe && stolen)
        seen = NOT_HERE;
    claim_report(
        &hijack, seen,
        "with the id alone %llu bytes were stolen; with the id and without the key %llu, "
        "and no download was disturbed",
        (unsigned long long)plain[STEAL].stolen,
        (unsigned long long)(keyed[STEAL].stolen + keyed[CLOSE_IT].stolen));
    claim_report(&forged,
                 holds_if(is_limited(&first) && is_limited(&plain[NO_ANSWER]) &&
                          plain[NO_ANSWER].complete && is_limited(&retry) &&
                          retry.received < retry.sent / 10),
                 "a forged first packet of %llu bytes brings %llu to the victim, with a retry "
                 "%llu: never more than %d times as much",
                 (unsigned long long)first.sent, (unsigned long long)first.received,
                 (unsigned long long)retry.received, AMPLIFICATION);
}
