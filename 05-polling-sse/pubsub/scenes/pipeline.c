// pipeline.c: the notes' video service: uploader, two compressors that share the work, format,
// notify. Each step gets a message when the step before it has finished a video, and knows
// nothing else of that step. One compressor is killed in the middle, and started again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FIRST_VIDEOS 16 // before the kill, and after it
#define MORE_VIDEOS  8
#define VIDEOS       (FIRST_VIDEOS + MORE_VIDEOS)
#define WORK_MS      15 // that a compressor takes for one video
#define BEFORE_KILL  3  // videos that the second compressor finishes

static struct player uploader = {.client.fd = -1}, format = {.client.fd = -1},
                     notify = {.client.fd = -1}, statistics = {.client.fd = -1};
static struct player *const here[] = {&format, &notify, &statistics};
static const char *worker_name;
static int by_worker[2];      // videos that each compressor has finished
static int times[VIDEOS + 1]; // how often the user was notified of each video
static int notified, again;
static double upload_ms[VIDEOS];

// ---- a compressor, in a process of its own -------------------------------------------------

// Compresses one video, publishes the result, and only then acknowledges the message.
static bool compress(struct player *player, const struct mqtt_packet *packet)
{
    char text[40];
    snprintf(text, sizeof text, "%d %s", message_number(packet), player->name);
    sleep_ms(WORK_MS);
    player_send(player, "video/compressed", text, 1, 0);
    return true;
}

static void run_compressor(void)
{
    static struct player compressor = {.client.fd = -1, .asked = compress};
    player_enter(&compressor, worker_name, false);
    player_subscribe(&compressor, "$share/compress/video/uploaded", 1);
    player_publish(&compressor, "workers", worker_name, 1);
    while (client_step(&compressor.client, CLIENT_PATIENCE_MS) >= 0)
        ;
}

static int ready; // compressors that have said that they are ready

static pid_t start_compressor(const char *name)
{
    worker_name = name;
    return cast_start(run_compressor);
}

// ---- the other steps -----------------------------------------------------------------------

static void take_compressed(struct player *player, const struct mqtt_packet *packet)
{
    char number[16];
    if (mqtt_same(packet->topic, mqtt_text("workers"))) {
        ready++;
        return;
    }
    const char *text = message_string(packet->payload);
    by_worker[strstr(text, "compress-2") != NULL]++;
    snprintf(number, sizeof number, "%d", atoi(text));
    player_send(player, "video/formatted", number, 1, 0);
}

// Notifies the user once of each video, even when its message comes twice.
static void take_formatted(struct player *player, const struct mqtt_packet *packet)
{
    int number = message_number(packet);
    (void)player;
    if (number < 1 || number > VIDEOS)
        return;
    if (times[number]++)
        again++;
    else
        notified++;
}

static void upload(int from, int to)
{
    for (int i = from; i < to; i++) {
        char number[16];
        int64_t began_ns = now_ns();
        snprintf(number, sizeof number, "%d", i + 1);
        player_publish(&uploader, "video/uploaded", number, 1);
        upload_ms[i] = ms_since(began_ns);
    }
}

static bool both_ready(void)
{
    return ready == 2;
}

static bool killing_time(void)
{
    return by_worker[1] >= BEFORE_KILL;
}

// compress-1 has finished the later videos, which all went to it, and so also its earlier ones.
static bool one_has_done_its_part(void)
{
    for (int i = FIRST_VIDEOS + 1; i <= VIDEOS; i++)
        if (!times[i])
            return false;
    return true;
}

static bool all_notified(void)
{
    return notified == VIDEOS;
}

static const struct claim catches_up = {
    "5.9", "guide §5",
    "producers do not wait for consumers; a consumer that was down catches up", HOLDS, NULL};
static const struct claim added = {
    "5.17", "guide §5", "subscribers are added without a change of the publisher", HOLDS, NULL};
static const struct claim shared = {"5.21", "guide §5", "several subscribers share the work",
                                    HOLDS, NULL};

static void play(bool (*until)(void), const char *what)
{
    if (!cast_play(here, 3, until, CLIENT_PATIENCE_MS))
        die("this has not happened: %s", what);
}

void scene_pipeline(void)
{
    player_enter(&uploader, "uploader", true);
    format.told = take_compressed;
    notify.told = take_formatted;
    player_enter(&format, "format", true);
    player_enter(&notify, "notify", true);
    player_enter(&statistics, "statistics", true); // it will subscribe later
    player_subscribe(&format, "video/compressed", 1);
    player_subscribe(&format, "workers", 1);
    player_subscribe(&notify, "video/formatted", 1);
    start_compressor("compress-1");
    pid_t second = start_compressor("compress-2");
    play(both_ready, "two compressors");

    story_say(
        "uploader -> video/uploaded -> two compressors that share it -> video/compressed -> "
        "format -> video/formatted -> notify. To compress one takes %d ms.",
        WORK_MS);
    upload(0, FIRST_VIDEOS);
    play(killing_time, "the second compressor works");
    cast_kill(second);
    int first_part = by_worker[1];
    story_say(
        "%d videos are uploaded; compress-2 has done %d, and is killed (kill -9). %d more are "
        "uploaded, and a new subscriber counts them.",
        FIRST_VIDEOS, first_part, MORE_VIDEOS);
    player_subscribe(&statistics, "video/uploaded", 0);
    upload(FIRST_VIDEOS, VIDEOS);
    play(one_has_done_its_part, "the first compressor goes on");
    int waiting = VIDEOS - notified;
    second = start_compressor("compress-2");
    play(all_notified, "all videos come through");

    double before_ms = median_of(upload_ms, FIRST_VIDEOS);
    double beside_ms = median_of(upload_ms + FIRST_VIDEOS, MORE_VIDEOS);
    story_head("|videos");
    story_row("uploaded|%d", VIDEOS);
    story_row("by compress-1|%d", by_worker[0]);
    story_row("by compress-2, before the kill|%d", first_part);
    story_row("by compress-2, started again|%d", by_worker[1] - first_part);
    story_row("the user was notified of|%d", notified);
    story_row("of these, came twice|%d", again);
    player_leave(&uploader);
    player_leave(&format);
    player_leave(&notify);
    player_leave(&statistics);
    // An upload waits for the broker's PUBACK alone, whether compressors work or not.
    claim_report(
        &catches_up, holds_if(notified == VIDEOS && waiting > 0 && beside_ms < WORK_MS),
        "an upload takes %.2f ms, %.2f while compress-2 is dead. %d videos waited for it, "
        "and the user was notified of all %d",
        before_ms, beside_ms, waiting, notified);
    claim_report(
        &added, holds_if(statistics.messages == MORE_VIDEOS),
        "a third subscriber got %d of the %d videos that were uploaded after it came, on "
        "the uploader's same connection",
        statistics.messages, MORE_VIDEOS);
    claim_report(&shared,
                 holds_if(by_worker[0] > 0 && by_worker[1] > 0 &&
                          by_worker[0] + by_worker[1] - again == VIDEOS && again <= 1),
                 "%d and %d videos: each went to one of the two (a video that is in hand when "
                 "its worker "
                 "is killed may be done again: %d)",
                 by_worker[0], by_worker[1], again);
    cast_kill(second);
}
