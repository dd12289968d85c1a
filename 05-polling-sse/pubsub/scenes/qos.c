// qos.c: one message at each quality of service, and a connection that is cut at each step of
// its way. Does the message arrive not at all, once, or twice?
#include <stdio.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define TOPIC "orders"

// The step that goes wrong: the connection is cut when this packet is on its way.
enum cut {
    NO_CUT,
    TO_SUBSCRIBER,   // PUBLISH does not reach the subscriber
    FROM_SUBSCRIBER, // its PUBACK or PUBREC does not reach the broker
    RELEASE,         // PUBREL does not reach the subscriber
    TO_PUBLISHER,    // PUBACK or PUBREC does not reach the publisher
    COMPLETE,        // PUBCOMP does not reach the publisher
    CUTS
};

static const char *const cut_name[CUTS] = {
    "nothing",      "PUBLISH to the subscriber",     "its PUBACK or PUBREC",
    "PUBREL to it", "the publisher's PUBACK/PUBREC", "the publisher's PUBCOMP"};

static struct player publisher = {.client.fd = -1}, subscriber = {.client.fd = -1};
static struct player *const both[] = {&publisher, &subscriber};
static uint8_t qos;
static enum cut cut;
static bool cut_done;
static int handled; // how often the subscriber has handled the message
static bool at_end; // the next message, "end", has come

static bool handle(struct player *player, const struct mqtt_packet *packet)
{
    const char *text = message_string(packet->payload);
    if (!strcmp(text, "end")) {
        at_end = true;
        return true;
    }
    handled++;
    if (player->shown)
        story_event("%s handles %s", player->name, text);
    return !(cut == FROM_SUBSCRIBER && !cut_done && packet->qos == 1);
}

// The message is through: the publisher has its answer, and no id waits to be released.
static bool is_through(void)
{
    bool answered = qos == 0 || publisher.completed > 0;
    return handled > 0 && answered && subscriber.client.unreleased == 0;
}

// The next message has come, so the first one cannot come any more.
static bool is_over(void)
{
    return at_end && subscriber.client.unreleased == 0;
}

// The player comes back: its session is there, and what it has not acknowledged comes again.
static void come_back(struct player *player)
{
    cut_done = true;
    player_cut(player);
    player_enter(player, player->name, false);
}

// The subscriber's part, up to the step that goes wrong.
static void cut_subscriber(void)
{
    player_await(&subscriber);
    if (cut == FROM_SUBSCRIBER) {
        subscriber.client.no_answers = qos == 2;
        client_step(&subscriber.client, CLIENT_PATIENCE_MS);
        subscriber.client.no_answers = false;
    } else if (cut == RELEASE) {
        client_step(&subscriber.client, CLIENT_PATIENCE_MS);
        player_await(&subscriber);
    }
    come_back(&subscriber);
}

// The publisher's part: the publisher has to send again what is not acknowledged.
static void cut_publisher(uint16_t id)
{
    player_await(&publisher);
    if (cut == COMPLETE) {
        client_step(&publisher.client, CLIENT_PATIENCE_MS); // PUBREC; and PUBREL is the answer
        player_await(&publisher);
    }
    come_back(&publisher);
    if (qos > 0 && cut == TO_PUBLISHER)
        player_send(&publisher, TOPIC, "order 1", qos, id);
    else if (qos == 2)
        client_send(&publisher.client, &(struct mqtt_packet){.type = MQTT_PUBREL, .id = id});
}

// A clean session ends the older one, with all messages that the broker has kept for it.
static void end_sessions(void)
{
    player_enter(&publisher, "publisher", true);
    player_leave(&publisher);
    player_enter(&subscriber, "subscriber", true);
    player_leave(&subscriber);
}

// Publishes one message, with one cut. Returns how often it was handled.
static int publish_one(uint8_t with_qos, enum cut with_cut)
{
    qos = with_qos;
    cut = with_cut;
    cut_done = at_end = false;
    handled = publisher.completed = 0;
    end_sessions();
    player_enter(&publisher, "publisher", false);
    player_enter(&subscriber, "subscriber", false);
    subscriber.asked = handle;
    player_subscribe(&subscriber, TOPIC, qos);
    if (publisher.shown)
        story_timeline();
    uint16_t id = player_send(&publisher, TOPIC, "order 1", qos, 0);
    if (cut == TO_SUBSCRIBER || cut == FROM_SUBSCRIBER || cut == RELEASE)
        cut_subscriber();
    else if (cut != NO_CUT)
        cut_publisher(id);
    if (publisher.shown && !cast_play(both, 2, is_through, CLIENT_PATIENCE_MS))
        die("the message does not arrive");
    story_quiet(true);
    player_send(&publisher, TOPIC, "end", 0, 0);
    if (!cast_play(both, 2, is_over, CLIENT_PATIENCE_MS))
        die("nothing arrives any more");
    player_leave(&publisher);
    player_leave(&subscriber);
    return handled;
}

// True for a step that a message of this QoS has.
static bool has_step(int with_qos, enum cut step)
{
    if (with_qos == 0)
        return step == NO_CUT || step == TO_SUBSCRIBER;
    return with_qos == 2 || (step != RELEASE && step != COMPLETE);
}

static const struct claim at_least_once = {"5.10", "guide §5",
                                           "messages are delivered at least once, so they may "
                                           "come twice: subscribers must be idempotent",
                                           HOLDS, NULL};
static const struct claim two_generals = {
    "5.23", "design patterns",
    "whether a message has been delivered: the two generals' problem", HOLDS, NULL};
static const struct claim always_once = {
    "5.26", "guide §5", "publish/subscribe delivers each message at least once", NOT_HERE,
    "At QoS 0 it is at most once: no one sends it again (MQTT 3.1.1 §4.3.1)."};

void scene_qos(void)
{
    static int arrived[3][CUTS];
    story_say(
        "One message at QoS 0, 1 and 2, and nothing goes wrong. Each acknowledgement is for "
        "one hop: the broker's PUBACK does not say that a subscriber has the message.");
    publisher.shown = subscriber.shown = true;
    for (int i = 0; i < 3; i++)
        publish_one((uint8_t)i, NO_CUT);
    publisher.shown = subscriber.shown = false;
    for (int i = 0; i < 3; i++)
        for (enum cut step = NO_CUT; step < CUTS; step++)
            if (has_step(i, step))
                arrived[i][step] = publish_one((uint8_t)i, step);
    story_say("Now the connection is cut when one packet is on its way; the client comes back. "
              "How often has the subscriber handled the message?");
    story_head("the packet that is lost|QoS 0|QoS 1|QoS 2");
    for (enum cut step = NO_CUT; step < CUTS; step++) {
        char cells[3][16];
        for (int i = 0; i < 3; i++) {
            snprintf(cells[i], sizeof cells[i], "%d", arrived[i][step]);
            if (!has_step(i, step))
                strcpy(cells[i], "-");
        }
        story_row("%s|%s|%s|%s", cut_name[step], cells[0], cells[1], cells[2]);
    }
    const int *one = arrived[1], *two = arrived[2];
    bool never_less = one[NO_CUT] == 1 && one[TO_SUBSCRIBER] == 1;
    bool twice = one[FROM_SUBSCRIBER] == 2 && one[TO_PUBLISHER] == 2;
    bool once = true;
    for (enum cut step = NO_CUT; step < CUTS; step++)
        once = once && two[step] == 1;
    claim_report(
        &at_least_once, holds_if(never_less && twice && once),
        "QoS 1: twice, when an acknowledgement is lost. QoS 2: once at each of %d cuts, "
        "because both ends remember the id until it is released, and as long as neither "
        "forgets",
        CUTS - 1);
    claim_report(
        &two_generals, holds_if(never_less && twice),
        "QoS 1: the sender hears nothing when the message is lost (it was then handled %d time "
        "in all), and nothing when its acknowledgement is lost (%d times). It cannot know "
        "which, "
        "and sends the message again",
        one[TO_SUBSCRIBER], one[FROM_SUBSCRIBER]);
    enum verdict at_most_once = UNCLEAR;
    if (arrived[0][TO_SUBSCRIBER] == 0 && arrived[0][NO_CUT] == 1)
        at_most_once = NOT_HERE;
    claim_report(&always_once, at_most_once,
                 "QoS 0, cut before the subscriber has read: %d times",
                 arrived[0][TO_SUBSCRIBER]);
}
