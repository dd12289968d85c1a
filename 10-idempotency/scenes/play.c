// play.c: what happens when a request is sent twice. Each scene is in the file of its name.
//
// Run:    ./play               against ./server in another terminal, or:
//         make run             or one scene: make run SCENE=crash
// Watch:  how often the customer is charged, by the server's own list of charges.
//
// operation.c is the client that a service should have; retry.c and breaker.c are its rules.
#include "ledger_client.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8010;
    static const struct scene scenes[] = {
        {"double", "no key: a lost answer, and a second charge", scene_double},
        {"once", "an Idempotency-Key: a lost answer, and one charge", scene_once},
        {"timeout", "a timeout is no failure", scene_timeout},
        {"conflict", "what a key stands for", scene_conflict},
        {"methods", "idempotent methods", scene_methods},
        {"pages", "a list, page by page, that grows meanwhile", scene_pages},
        {"race", "twenty requests at once", scene_race},
        {"crash", "a server that is killed at every point", scene_crash},
        {"expiry", "a key that has expired", scene_expiry},
        {"backoff", "exponential back-off, and jitter", scene_backoff},
        {"circuit_breaker", "a circuit breaker", scene_circuit_breaker},
        {"ulid_vs_uuid", "ULIDs and random UUIDs in a B+tree", scene_ulid_vs_uuid},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 10: requests that are sent twice.", scenes, options);
    ledger_at(host, port);
    story_begin();
    return story_tell(scenes, only);
}
