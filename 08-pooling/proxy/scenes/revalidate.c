// revalidate.c: scene revalidate: a stored answer is too old. The proxy asks the origin whether
// it is still good, and the content need not come again.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

#define SIZE     20000
#define FRESH_MS 1100 // then max-age=1 is over

static const struct claim conditional = {
    "8.45", "guide §9.3",
    "conditional requests: with ETag or Last-Modified proxies check if content is still valid",
    HOLDS, NULL};
static const struct claim expiration = {
    "8.46", "guide §9.3", "time-based expiration: cache for a fixed duration, then fetch",
    HOLDS, NULL};

// On a busy machine the first answers may be stale before all are asked for again. Then the
// scene begins anew, with other targets.
#define TRIES   10
#define SOON_MS 900
static int tries;

struct row {
    const char *title, *query;
    char words[3][20];
    long fetched; // by the origin, in the three requests
};

static void ask(struct world *world, struct row *row, int number)
{
    char target[100];
    snprintf(target, sizeof target, "/page?cc=max-age=1&size=%d&try=%d%s", SIZE, tries,
             row->query);
    long before = world_count(world);
    snprintf(row->words[number], sizeof row->words[number], "%s", world_get(world, target, ""));
    row->fetched += world_count(world) - before;
}

// Asks for each row twice. False: that took so long that they may be stale.
static bool ask_twice(struct world *world, struct row rows[3])
{
    int64_t began = now_ns();
    for (int i = 0; i < 3; i++)
        rows[i].fetched = 0;
    for (int number = 0; number < 2; number++)
        for (int i = 0; i < 3; i++)
            ask(world, &rows[i], number);
    return ms_since(began) < SOON_MS;
}

void scene_revalidate(void)
{
    static const char *const options[] = {"reverse", NULL};
    static struct row rows[] = {{.title = "an ETag", .query = "&etag=v1"},
                                {.title = "Last-Modified", .query = "&modified=1"},
                                {.title = "neither", .query = "&x=1"}};
    static struct fetch has_it;
    struct world world;
    bool in_time = true, after = true;
    world_begin(&world, options);
    story_say("Three answers of %d bytes with max-age=1. Each is asked for three times: now, "
              "now, and when it is stale.",
              SIZE);
    for (tries = 0; tries < TRIES && !ask_twice(&world, rows); tries++)
        ;
    sleep_ms(FRESH_MS);
    for (int i = 0; i < 3; i++)
        ask(&world, &rows[i], 2);
    int status =
        world_ask(&has_it, PROXY_ADDRESS, world.proxy_port, "GET",
                  "/page?cc=max-age=1&size=20000&etag=v1", "If-None-Match: \"v1\"\r\n");
    story_head("the answer has|first|second|when it is stale|the content comes");
    for (int i = 0; i < 3; i++) {
        story_row("%s|%s|%s|%s|%s", rows[i].title, rows[i].words[0], rows[i].words[1],
                  rows[i].words[2], i < 2 ? "once" : "twice");
        in_time = in_time && !strcmp(rows[i].words[1], "HIT") && rows[i].fetched == 2;
        after = after && !strcmp(rows[i].words[2], i < 2 ? "REVALIDATED" : "MISS");
    }
    printf("\n");
    story_say("And a client that has \"v1\" itself gets %d from the proxy, with %zu bytes of "
              "content.",
              status, has_it.content.length);
    world_end(&world);
    claim_report(&conditional, holds_if(after && status == 304),
                 "REVALIDATED: the origin has answered 304, and sent none of the %d bytes; "
                 "without a validator they come again",
                 SIZE);
    claim_report(&expiration, holds_if(in_time && after),
                 "within max-age=1 a hit, after it the origin is asked");
}
