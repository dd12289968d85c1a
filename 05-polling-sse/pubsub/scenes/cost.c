// cost.c: the price of a broker: one hop more, and all clients depend on it.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define ROUNDS   7
#define MESSAGES 5

static struct player publisher = {.client.fd = -1}, subscriber = {.client.fd = -1};
static struct player *const one[] = {&subscriber};
static int came;

static void take(struct player *player, const struct mqtt_packet *packet)
{
    (void)player;
    (void)packet;
    came++;
}

static bool has_come(void)
{
    return came > 0;
}

// Half of the time until the broker has answered a PINGREQ: the way from one end to the other.
static double one_way(void)
{
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t began_ns = now_ns();
        client_send(&publisher.client, &(struct mqtt_packet){.type = MQTT_PINGREQ});
        if (!client_wait(&publisher.client, MQTT_PINGRESP, 0))
            die("%s", publisher.client.why);
        ms[i] = ms_since(began_ns) / 2;
    }
    return least_of(ms, ROUNDS);
}

static double through_the_broker(void)
{
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t began_ns = now_ns();
        came = 0;
        player_send(&publisher, "cost", "x", 0, 0);
        if (!cast_play(one, 1, has_come, CLIENT_PATIENCE_MS))
            die("the message does not arrive");
        ms[i] = ms_since(began_ns);
    }
    return least_of(ms, ROUNDS);
}

static const struct claim adds_latency = {
    "5.18", "guide §5", "the way through the broker adds latency", HOLDS, NULL};
static const struct claim stands_still = {
    "5.19", "guide §5", "if the broker fails, the whole system stands still", HOLDS, NULL};

// What has become of a publisher, a subscriber and a session after the broker was killed.
static struct {
    bool cut_off, published, came_back, session;
    int backlog;
} after;

static void kill_the_broker(void)
{
    static const char *const argv[] = {"./broker", "--quiet", "--port", "0", NULL};
    static struct player away = {.client.fd = -1, .told = take};
    static struct player *const back[] = {&away};
    pid_t pid;
    int port = spawn_server(&pid, argv);
    if (!port)
        die("no broker starts here");
    cast_broker("127.0.0.1", port);
    player_enter(&publisher, "publisher", true);
    player_enter(&subscriber, "subscriber", true);
    player_subscribe(&subscriber, "cost", 1);
    player_enter(&away, "away", false);
    player_subscribe(&away, "cost", 1);
    player_leave(&away);
    for (int i = 0; i < MESSAGES; i++)
        player_publish(&publisher, "cost", "x", 1);
    client_publish(&publisher.client, "cost/last", "x", 1, true);
    cast_kill(pid);
    while (client_step(&subscriber.client, CLIENT_PATIENCE_MS) > 0)
        ;
    after.cut_off = subscriber.client.fd < 0;
    after.published = client_publish(&publisher.client, "cost", "x", 1, false);
    struct mqtt_connect as = {.clean = true};
    after.came_back = client_connect(&subscriber.client, &as);

    port = spawn_server(&pid, argv);
    cast_broker("127.0.0.1", port);
    player_enter(&away, "away", false);
    after.session = away.client.last.session_present;
    player_subscribe(&away, "cost/#", 1);
    came = 0;
    player_enter(&publisher, "publisher", true);
    player_publish(&publisher, "cost", "x", 1); // comes behind all that the broker has kept
    if (!cast_play(back, 1, has_come, CLIENT_PATIENCE_MS))
        die("the new broker delivers nothing");
    after.backlog = came - 1;
    player_leave(&away);
    player_leave(&publisher);
    spawn_stop(pid);
}

static const char *yes_or_no(bool answer)
{
    if (answer)
        return "yes";
    return "no";
}

void scene_cost(void)
{
    player_enter(&publisher, "publisher", true);
    player_enter(&subscriber, "subscriber", true);
    subscriber.told = take;
    player_subscribe(&subscriber, "cost", 0);
    double direct_ms = one_way(), through_ms = through_the_broker();
    player_leave(&publisher);
    player_leave(&subscriber);
    story_bar("from one to the other", direct_ms, through_ms, "%.1f ms", direct_ms);
    story_bar("through the broker", through_ms, through_ms, "%.1f ms", through_ms);
    story_say("");
    story_say(
        "Another broker, with a publisher, a subscriber, and a subscriber that is away, for "
        "which %d messages wait. The broker is killed (kill -9).",
        MESSAGES);
    kill_the_broker();
    story_head("|then");
    story_row("the subscriber is cut off|%s", yes_or_no(after.cut_off));
    story_row("it can come back|%s", yes_or_no(after.came_back));
    story_row("a message can be published|%s", yes_or_no(after.published));
    story_row("the session is kept|%s", yes_or_no(after.session));
    story_row("messages that are kept|%d", after.backlog);
    if (packet_log()->tunnel && packet_log()->rtt_ms >= 5)
        claim_report(&adds_latency,
                     holds_if(through_ms > 1.7 * direct_ms && through_ms < 3 * direct_ms),
                     "%.1f ms, and %.1f directly over the same distance: one hop more",
                     through_ms, direct_ms);
    else
        claim_skip(&adds_latency);
    claim_report(
        &stands_still,
        holds_if(after.cut_off && !after.came_back && !after.published && !after.session &&
                 after.backlog == 0),
        "no client can publish, and none gets a message. This broker keeps all in memory: "
        "the session, the messages that waited and the retained one are gone");
}
