// overload.c: a subscriber that cannot keep up: how many messages the broker keeps for it, how
// many it drops, and what the other subscriber notices.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cast.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "sessions.h"
#include "story.h"

#define ALONE    200
#define MESSAGES 1500
#define CROWD    50    // subscribers of one large message
#define LARGE    10000 // bytes of it

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

// Publishes messages one by one: the next one when the quick subscriber has got the last one.
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

// ---- bytes in and out ----------------------------------------------------------------------

static struct player crowd[CROWD];
static struct player *crowd_list[CROWD];
static int crowd_size;

static struct tcp_info tcp_info_of(const struct player *player)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(player->client.fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        die("the kernel does not count the bytes of a connection");
    return info;
}

static uint64_t crowd_bytes(void)
{
    uint64_t bytes = 0;
    for (int i = 0; i < crowd_size; i++)
        bytes += tcp_info_of(&crowd[i]).tcpi_bytes_received;
    return bytes;
}

static bool crowd_has_it(void)
{
    for (int i = 0; i < crowd_size; i++)
        if (crowd[i].messages == 0)
            return false;
    return true;
}

// One large message for this many subscribers: the bytes that it takes into the broker and out
// of it, as the kernel counts them.
static void show_traffic(int subscribers)
{
    static char text[LARGE + 1];
    memset(text, 'x', LARGE);
    for (; crowd_size < subscribers; crowd_size++) {
        char name[24];
        snprintf(name, sizeof name, "crowd-%d", crowd_size);
        crowd[crowd_size].client.fd = -1;
        crowd_list[crowd_size] = &crowd[crowd_size];
        player_enter(&crowd[crowd_size], name, true);
        player_subscribe(&crowd[crowd_size], "large", 0);
    }
    for (int i = 0; i < crowd_size; i++)
        crowd[i].messages = 0;
    uint64_t in = tcp_info_of(&publisher).tcpi_bytes_sent, out = crowd_bytes();
    player_send(&publisher, "large", text, 0, 0);
    if (!cast_play(crowd_list, crowd_size, crowd_has_it, CLIENT_PATIENCE_MS))
        die("the large message does not reach all %d subscribers", subscribers);
    in = tcp_info_of(&publisher).tcpi_bytes_sent - in;
    out = crowd_bytes() - out;
    story_row("%d|%llu|%llu", subscribers, (unsigned long long)in, (unsigned long long)out);
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

    // The stuck subscriber reads again: the messages on their way, and one more. This one shows
    // that the broker has seen an acknowledgement, and so has room for a last message.
    stuck.messages = 0;
    int expected = SESSION_FLIGHTS_MAX + SESSION_MESSAGES_MAX;
    for (int i = 0; i <= SESSION_FLIGHTS_MAX; i++)
        client_wait(&stuck.client, MQTT_PUBLISH, 0);
    player_publish(&publisher, "ticks", "0", 1);
    if (!cast_play(stuck_one, 1, is_over, CLIENT_PATIENCE_MS))
        die("the stuck subscriber gets nothing any more");
    int kept = stuck.messages - 1;

    double longer_ms = alone_ms;
    if (beside_ms > longer_ms)
        longer_ms = beside_ms;
    story_bar("the quick one, alone", alone_ms, longer_ms, "%.2f ms a message", alone_ms);
    story_bar("beside the stuck one", beside_ms, longer_ms, "%.2f ms a message", beside_ms);
    story_head("the stuck one's messages|");
    story_row("published|%d", MESSAGES);
    story_row("kept for it|%d", kept);
    story_row("dropped, the newest|%ld", dropped);
    player_leave(&quick);
    player_leave(&stuck);
    story_head("one message, subscribers|bytes in|bytes out");
    show_traffic(1);
    show_traffic(10);
    show_traffic(CROWD);
    for (int i = 0; i < CROWD; i++)
        player_leave(&crowd[i]);
    player_leave(&publisher);
    claim_report(
        &too_much,
        holds_if(dropped > 0 && kept == expected && kept + dropped == MESSAGES && gaps == 0 &&
                 beside_ms < 5 * alone_ms + 5),
        "%d on their way, %d in its queue, then %ld dropped: MQTT 3.1.1 has no word for "
        "\"stop\". The other one got all %d, each after %.2f ms; alone %.2f",
        SESSION_FLIGHTS_MAX, kept - SESSION_FLIGHTS_MAX, dropped, MESSAGES, beside_ms,
        alone_ms);
}
