// order.c: the order in which messages arrive: at one subscriber, after a cut connection, and
// at workers that share them.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define MESSAGES 30
#define SLOW_MS  20 // that the second worker takes for a message

static struct player publisher = {.client.fd = -1}, reader = {.client.fd = -1},
                     quick = {.client.fd = -1}, slow = {.client.fd = -1};
static struct player *const one[] = {&reader};
static struct player *const two[] = {&quick, &slow};
static int came[3 * MESSAGES], count, last, backwards, distinct;
static bool seen[MESSAGES + 1];

static void note(int number)
{
    if (count < 3 * MESSAGES)
        came[count++] = number;
    if (number < last)
        backwards++;
    last = number;
    if (number >= 1 && number <= MESSAGES && !seen[number])
        distinct++;
    if (number >= 1 && number <= MESSAGES)
        seen[number] = true;
}

static bool take(struct player *player, const struct mqtt_packet *packet)
{
    note(message_number(packet));
    return !player->client.no_answers;
}

static bool all_here(void)
{
    return distinct == MESSAGES;
}

static void begin(void)
{
    count = last = backwards = distinct = 0;
    for (int i = 0; i <= MESSAGES; i++)
        seen[i] = false;
}

static void publish_all(const char *topic)
{
    char text[16];
    for (int i = 1; i <= MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        player_publish(&publisher, topic, text, 1);
    }
}

// One subscriber. With `broken` it reads three messages, and is cut before it has acknowledged
// them.
static void read_alone(bool broken)
{
    begin();
    player_enter(&reader, "reader", true);
    player_leave(&reader);
    player_enter(&reader, "reader", false);
    reader.asked = take;
    player_subscribe(&reader, "numbers", 1);
    publish_all("numbers");
    if (broken) {
        reader.client.no_answers = true;
        for (int i = 0; i < 3; i++)
            if (!client_wait(&reader.client, MQTT_PUBLISH, 0))
                die("three messages do not arrive");
        player_cut(&reader);
        reader.client.no_answers = false;
        player_enter(&reader, "reader", false);
    }
    if (!cast_play(one, 1, all_here, CLIENT_PATIENCE_MS))
        die("not all messages arrive");
    player_leave(&reader);
    player_enter(&reader, "reader", true);
    player_leave(&reader);
}

// The slow worker takes SLOW_MS for a message: until this time the scene does not step it.
static int64_t slow_next_ns;

static bool work(struct player *player, const struct mqtt_packet *packet)
{
    (void)player;
    note(message_number(packet));
    return true;
}

static bool shared_done(void)
{
    return distinct == MESSAGES;
}

static void share(void)
{
    begin();
    player_enter(&quick, "quick", true);
    player_enter(&slow, "slow", true);
    quick.asked = slow.asked = work;
    player_subscribe(&quick, "$share/workers/numbers", 1);
    player_subscribe(&slow, "$share/workers/numbers", 1);
    publish_all("numbers");
    while (!shared_done()) {
        cast_play(two, 1, shared_done, SLOW_MS); // the quick one, as fast as it can
        if (now_ns() < slow_next_ns)
            continue;
        slow_next_ns = now_ns() + SLOW_MS * INT64_C(1000000);
        if (client_step(&slow.client, 0) < 0)
            die("the slow worker: %s", slow.client.why);
    }
    player_leave(&quick);
    player_leave(&slow);
}

static void show(const char *what, char *line, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < count && i < 12; i++)
        length += (size_t)snprintf(line + length, size - length, " %d", came[i]);
    story_say("%s:%s ...", what, line);
}

static const struct claim order = {"5.20", "guide §5",
                                   "messages may arrive out of order, especially with several "
                                   "subscribers; some brokers guarantee "
                                   "the order",
                                   HOLDS, NULL};

void scene_order(void)
{
    char line[200];
    player_enter(&publisher, "publisher", true);
    story_say("%d messages, numbered. In the order in which they are handled:", MESSAGES);
    read_alone(false);
    show("one subscriber", line, sizeof line);
    int alone = backwards;
    read_alone(true);
    show("the same, cut before it has acknowledged", line, sizeof line);
    int after_cut = backwards, doubles = count - distinct;
    share();
    show("two workers that share, one of them slow", line, sizeof line);
    player_leave(&publisher);
    claim_report(
        &order, holds_if(alone == 0 && after_cut == 1 && doubles == 3 && backwards > 0),
        "times that a smaller number came after a larger one: shared, %d; one publisher, topic "
        "and subscriber, %d; after a cut, %d: the %d that were not acknowledged come again, "
        "and in their order (MQTT 3.1.1 §4.6)",
        backwards, alone, after_cut, doubles);
}
