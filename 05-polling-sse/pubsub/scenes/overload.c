// overload.c: a subscriber that cannot keep up. What the broker keeps for it, what it drops,
// and what the other subscriber notices.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "sessions.h"
#include "story.h"

#define ALONE    200
#define MESSAGES 1500

static struct player publisher = {.client.fd = -1}, quick = {.client.fd = -1},
                     stuck = {.client.fd = -1};
static struct player *const quick_one[] = {&quick};
static struct player *const stuck_one[] = {&stuck};
static double latency[MESSAGES];
static int sent, here, last_number, gaps;
static int64_t sent_ns;
static bool over;

static void take_quick(struct player *player, const struct mqtt_packet *packet)
{
    (void)player;
    (void)packet;
    latency[here++] = ms_since(sent_ns);
}

static void take_stuck(struct player *player, const struct mqtt_packet *packet)
{
    int number = message_number(packet);
    (void)player;
    over = number == 0;
    if (!over && number != last_number + 1)
        gaps++;
    if (!over)
        last_number = number;
}

static bool has_come(void)
{
    return here == sent;
}

static bool is_over(void)
{
    return over;
}

// Publishes messages one by one: each when the quick one has the one before.
static double publish_all(int count)
{
    char text[16];
    here = sent = 0;
    for (int i = 1; i <= count; i++) {
        snprintf(text, sizeof text, "%d", i);
        sent_ns = now_ns();
        player_publish(&publisher, "ticks", text, 1);
        sent++;
        if (!cast_play(quick_one, 1, has_come, CLIENT_PATIENCE_MS))
            die("message %d does not reach the quick subscriber", i);
    }
    return median_of(latency, (size_t)count);
}

static const struct claim too_much = {"5.25", "design patterns",
                                      "the client may not be able to handle what is pushed",
                                      HOLDS, NULL};

void scene_overload(void)
{
    static const char dropped_topic[] = "$SYS/broker/publish/messages/dropped";
    player_enter(&publisher, "publisher", true);
    player_enter(&quick, "quick", true);
    quick.told = take_quick;
    player_subscribe(&quick, "ticks", 1);
    double alone_ms = publish_all(ALONE);
    player_enter(&stuck, "stuck", true);
    stuck.told = take_stuck;
    player_subscribe(&stuck, "ticks", 1);
    story_say("%d messages of QoS 1 for two subscribers. One of them reads nothing.", MESSAGES);
    long before = broker_figure(dropped_topic);
    double beside_ms = publish_all(MESSAGES);
    long dropped = broker_figure(dropped_topic) - before;

    // It reads again: what is on its way, and one more, which shows that the broker has seen an
    // acknowledgement, and has room for a last message.
    stuck.messages = 0;
    int expected = SESSION_FLIGHTS_MAX + SESSION_MESSAGES_MAX;
    for (int i = 0; i <= SESSION_FLIGHTS_MAX; i++)
        client_wait(&stuck.client, MQTT_PUBLISH, 0);
    player_publish(&publisher, "ticks", "0", 1);
    if (!cast_play(stuck_one, 1, is_over, CLIENT_PATIENCE_MS))
        die("the stuck subscriber gets nothing any more");
    int kept = stuck.messages - 1;

    story_bar("the quick one, alone", alone_ms, alone_ms > beside_ms ? alone_ms : beside_ms,
              "%.2f ms a message", alone_ms);
    story_bar("beside the stuck one", beside_ms, alone_ms > beside_ms ? alone_ms : beside_ms,
              "%.2f ms a message", beside_ms);
    story_head("of the stuck one's messages|");
    story_row("published|%d", MESSAGES);
    story_row("kept: in flight and in its queue|%d", kept);
    story_row("dropped, the newest|%ld", dropped);
    player_leave(&publisher);
    player_leave(&quick);
    player_leave(&stuck);
    claim_report(
        &too_much,
        dropped > 0 && kept == expected && kept + dropped == MESSAGES && gaps == 0 &&
                beside_ms < 5 * alone_ms + 5
            ? HOLDS
            : UNCLEAR,
        "%d on their way, %d in its queue, then %ld dropped: MQTT 3.1.1 has no word for "
        "\"stop\". The other one got all %d, each after %.2f ms; alone %.2f",
        SESSION_FLIGHTS_MAX, kept - SESSION_FLIGHTS_MAX, dropped, MESSAGES, beside_ms,
        alone_ms);
}
