// filters.c: which filter matches which topic, seen from the messages that arrive.
#include <stdio.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FILTERS 6
#define TOPICS  6

static const char *const filters[FILTERS] = {"home/kitchen", "home/+", "home/#",
                                             "+/kitchen",    "#",      "$SYS/broker/clients/#"};
static const char *const topics[TOPICS] = {"home/kitchen", "home/kitchen/oven",
                                           "home",         "garage/kitchen",
                                           "/home",        "$SYS/broker/clients/total"};
// What MQTT 3.1.1 §4.7 says: a row for each filter, a column for each topic.
static const char *const expected[FILTERS] = {"x.....", "x.....", "xxx...",
                                              "x..x..", "xxxxx.", ".....x"};

static struct player publisher = {.client.fd = -1};
static struct player subscribers[FILTERS];
static struct player *cast[FILTERS];
static char got[FILTERS][TOPICS + 1];
static int over;

static void take(struct player *player, const struct mqtt_packet *packet)
{
    const char *topic = message_string(packet->topic);
    int row = (int)(player - subscribers);
    if (!strncmp(topic, "over/", 5)) {
        over++;
        return;
    }
    for (int i = 0; i < TOPICS; i++)
        if (!strcmp(topic, topics[i]))
            got[row][i] = 'x';
}

// At the end each subscriber gets a message under a topic of its own, and "#" gets all of
// these.
static bool all_over(void)
{
    return over == 2 * FILTERS - 1;
}

static const struct claim only_topics = {
    "5.28", "guide §5", "publishers and subscribers do not know each other, only topics", HOLDS,
    NULL};

void scene_topics(void)
{
    char name[24], topic[24];
    player_enter(&publisher, "publisher", true);
    for (int i = 0; i < FILTERS; i++) {
        subscribers[i] = (struct player){.client.fd = -1, .told = take};
        cast[i] = &subscribers[i];
        snprintf(name, sizeof name, "subscriber-%d", i);
        snprintf(topic, sizeof topic, "over/%d", i);
        memset(got[i], '.', TOPICS);
        player_enter(cast[i], name, true);
        player_subscribe(cast[i], filters[i], 0);
        player_subscribe(cast[i], topic, 0);
    }
    for (int i = 0; i < TOPICS; i++)
        player_publish(&publisher, topics[i], "x", 1);
    for (int i = 0; i < FILTERS; i++) {
        snprintf(topic, sizeof topic, "over/%d", i);
        player_publish(&publisher, topic, "", 1);
    }
    if (!cast_play(cast, FILTERS, all_over, CLIENT_PATIENCE_MS))
        die("not all subscribers get their last message");
    story_head(
        "filter \\ topic|home/ kitchen|home/ kitchen/oven|home|garage/ kitchen|/home|$SYS/...");
    bool right = true;
    int deliveries = 0;
    for (int i = 0; i < FILTERS; i++) {
        const char *row = got[i];
        story_row("%s|%c|%c|%c|%c|%c|%c", filters[i], row[0], row[1], row[2], row[3], row[4],
                  row[5]);
        right = right && !strcmp(row, expected[i]);
        for (int j = 0; j < TOPICS; j++)
            deliveries += row[j] == 'x';
        player_leave(cast[i]);
    }
    player_leave(&publisher);
    claim_report(
        &only_topics, holds_if(right),
        "%d messages, %d deliveries, each as MQTT 3.1.1 §4.7 says; + is one level, # all "
        "that follow, and neither matches the broker's own topics ($)",
        TOPICS, deliveries);
}
