// backlog.c: messages for a subscriber that is away: with a session and without one.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define MESSAGES 10

static struct player publisher = {.client.fd = -1};
static struct player subscriber = {.client.fd = -1};
static struct player *const one[] = {&subscriber};
static int next_number, gaps;
static bool over;

static void take(struct player *player, const struct mqtt_packet *packet)
{
    int number = message_number(packet);
    if (number == 0) {
        over = true;
        player->messages--;
        return;
    }
    gaps += number != next_number;
    next_number = number + 1;
}

static bool is_over(void)
{
    return over;
}

// Subscribes, goes away, comes back when the messages are published. Returns how many it gets.
static int be_away(bool clean, uint8_t qos, bool dies)
{
    char text[16];
    player_enter(&subscriber, "subscriber", true); // ends an older session
    player_leave(&subscriber);
    player_enter(&subscriber, "subscriber", clean);
    player_subscribe(&subscriber, "news", qos);
    if (dies)
        player_cut(&subscriber);
    else
        player_leave(&subscriber);
    for (int i = 1; i <= MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        player_publish(&publisher, "news", text, 1);
    }
    subscriber.told = take;
    subscriber.messages = gaps = 0;
    next_number = 1;
    over = false;
    player_enter(&subscriber, "subscriber", clean);
    player_subscribe(&subscriber, "news", qos);
    player_publish(&publisher, "news", "0", 1); // the last message
    if (!cast_play(one, 1, is_over, CLIENT_PATIENCE_MS))
        die("the subscriber gets nothing");
    player_leave(&subscriber);
    return subscriber.messages;
}

static const struct claim works_while_away = {
    "5.22", "design patterns", "it works while clients are not running", HOLDS, NULL};

void scene_backlog(void)
{
    player_enter(&publisher, "publisher", true);
    story_say("%d messages of QoS 1 are published while the subscriber is away. It comes back.",
              MESSAGES);
    int kept = be_away(false, 1, false), kept_gaps = gaps;
    int killed = be_away(false, 1, true);
    int at_most_once = be_away(false, 0, false);
    int none = be_away(true, 1, false);
    story_head("the subscriber|gets");
    story_row("with a session, QoS 1|%d", kept);
    story_row("the same, it had been killed|%d", killed);
    story_row("with a session, QoS 0|%d", at_most_once);
    story_row("with a clean session, QoS 1|%d", none);
    player_enter(&subscriber, "subscriber", true);
    player_leave(&subscriber);
    player_leave(&publisher);
    claim_report(
        &works_while_away,
        holds_if(kept == MESSAGES && killed == MESSAGES && kept_gaps == 0 &&
                 at_most_once == 0 && none == 0),
        "with a session and QoS 1: %d of %d, in order; at QoS 0: %d, with a clean session: %d",
        kept, MESSAGES, at_most_once, none);
}
