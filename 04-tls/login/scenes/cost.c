// cost.c: scene cost: how long it takes to know who asks. Here the pair's server is ./store, a
// round trip away on the wire.
#include <string.h>
#include <time.h>

#include "cast.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "remote.h"
#include "scenes.h"
#include "story.h"

#define SESSIONS 10000 // in the table
#define ROUNDS   15
#define TIMES    200 // of one round
#define DISTANT  9   // questions to the distant store

static const struct claim less_latency = {
    "4.35", "guide §12.3", "no database lookup for each request, so less latency", HOLDS, NULL};
static const struct claim not_always = {
    "4.56", "guide §12.2", "to look the session up in each request adds latency", NOT_HERE,
    "not where the table is in the server's own memory: a look into it takes less time than "
    "to check a signature"};

static struct sessions *table;
static struct session_request question = {.operation = SESSION_GET};
static struct session_reply reply;
static char token[JWT_BYTES];
static struct jwt_rules rules;
static bool all_good = true;

// The key of a session whose id is made of a number; as the server, it hashes the id.
static void number_key(unsigned number)
{
    uint64_t state = number, id[2] = {random_next(&state), random_next(&state)};
    EVP_Digest(id, SESSION_ID, question.key, NULL, EVP_sha256(), NULL);
}

static void look_up(void)
{
    static unsigned next;
    number_key(next = (next + 7919) % SESSIONS);
    sessions_do(table, &question, &reply, 1000);
    all_good = all_good && reply.result == SESSION_OK;
}

static void verify(void)
{
    struct claims claims;
    const char *why =
        jwt_verify(&rules, (struct http_text){token, strlen(token)}, time(NULL), &claims);
    all_good = all_good && !why;
}

// Microseconds of one call: the middle of many rounds.
static double measure(void (*call)(void))
{
    double us[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began_ns = now_ns();
        for (int i = 0; i < TIMES; i++)
            call();
        us[round] = ms_since(began_ns) * 1000 / TIMES;
    }
    return median_of(us, ROUNDS);
}

static void fill_table(void)
{
    struct session_request put = {.operation = SESSION_PUT,
                                  .idle_s = 1000,
                                  .lifetime_s = 1000,
                                  .user = "alice",
                                  .role = "user"};
    table = sessions_open(NULL, 1000);
    for (unsigned i = 0; i < SESSIONS; i++) {
        number_key(i);
        memcpy(put.key, question.key, sizeof put.key);
        sessions_do(table, &put, &reply, 1000);
    }
}

// A token with a key of its own kind, and the time to check it.
static double check_token(enum algorithm algorithm, const char *file)
{
    static struct keys keys;
    struct claims claims = {"alice", "user", time(NULL), time(NULL) + 300};
    keys_open(&keys, algorithm, cast_file(file), false);
    rules = (struct jwt_rules){&keys, JWT_ISSUER, "workbench"};
    if (!jwt_sign(&rules, &claims, token))
        die("no token can be signed");
    double us = measure(verify);
    keys_free(&keys);
    return us;
}

// Asks the pair's store, over one connection that is kept.
static double ask_store(void)
{
    struct remote remote = {cast_host(), cast_port(), NULL};
    struct server store = {0};
    if (!packet_log()->tunnel) { // beside ./server, or without the wire
        store = cast_start_store();
        remote = (struct remote){"127.0.0.1", store.port, NULL};
    }
    struct session_request put = {.operation = SESSION_PUT,
                                  .idle_s = 1000,
                                  .lifetime_s = 1000,
                                  .user = "alice",
                                  .role = "user"};
    struct remote_question first = {&put, &reply}, next = {&question, &reply};
    double us[DISTANT];
    number_key(0);
    memcpy(put.key, question.key, sizeof put.key);
    remote_ask(&remote, &first, 1);
    for (int i = 0; i < DISTANT; i++) {
        int64_t began_ns = now_ns();
        remote_ask(&remote, &next, 1);
        us[i] = ms_since(began_ns) * 1000;
        all_good = all_good && reply.result == SESSION_OK;
    }
    remote_close(&remote);
    if (store.port)
        cast_stop(&store);
    return median_of(us, DISTANT);
}

void scene_cost(void)
{
    story_quiet(true);
    fill_table();
    double lookup = measure(look_up);
    double hmac = check_token(HS256, "hs.json"), ecdsa = check_token(ES256, "es.json");
    double distant = ask_store();
    sessions_close(table);
    story_head("who is this?|microseconds");
    story_row("session: a table in memory|%.2f", lookup);
    story_row("token, HS256: HMAC|%.2f", hmac);
    story_row("token, ES256: ECDSA|%.2f", ecdsa);
    story_row("session: ./store, %.0f ms away|%.2f", packet_log()->rtt_ms, distant);
    if (packet_log()->tunnel && packet_log()->rtt_ms >= 2)
        claim_report(&less_latency,
                     holds_if(all_good && distant > 2 * ecdsa && distant > 5 * hmac),
                     "a distant lookup takes %.0f microseconds, a token %.1f (HS256) or %.0f "
                     "(ES256), whatever the distance",
                     distant, hmac, ecdsa);
    else
        claim_skip(&less_latency);
    enum verdict memory = HOLDS;
    if (all_good && lookup < hmac && lookup * 10 < ecdsa)
        memory = NOT_HERE;
    claim_report(&not_always, memory,
                 "%.2f microseconds for the lookup among %d, %.2f and %.0f for a token", lookup,
                 SESSIONS, hmac, ecdsa);
}
