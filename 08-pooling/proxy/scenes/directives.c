// directives.c: scene directives: the same request twice, under each directive of
// Cache-Control: does the origin see the second one?
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"
#include "world.h"

static const struct claim directives = {
    "8.29", "guide §9.3",
    "private: not in shared proxies; no-cache: revalidate before use; no-store: not at all; "
    "s-maxage: the lifetime in shared proxies; max-age, public",
    HOLDS, NULL};

struct row {
    const char *title, *query, *fields, *first, *second;
};

#define AUTH "Authorization: Basic dTpw\r\n"

static const struct row rows[] = {
    {"(nothing said)", "", "", "MISS", "MISS"},
    {"max-age=60", "cc=max-age=60", "", "MISS", "HIT"},
    {"max-age=0", "cc=max-age=0", "", "MISS", "MISS"},
    {"max-age=0, s-maxage=60", "cc=max-age=0,s-maxage=60", "", "MISS", "HIT"},
    {"no-cache, and an ETag", "cc=no-cache&etag=a", "", "MISS", "REVALIDATED"},
    {"no-store", "cc=no-store", "", "MISS", "MISS"},
    {"private, max-age=60", "cc=private,max-age=60", "", "MISS", "MISS"},
    {"max-age=60, to Authorization", "cc=max-age=60", AUTH, "MISS", "MISS"},
    {"public, to Authorization", "cc=public,max-age=60", AUTH, "MISS", "HIT"},
    {"max-age=60, and Set-Cookie", "cc=max-age=60&cookie=1", "", "MISS", "MISS"},
    {"max-age=60, Vary: *", "cc=max-age=60&vary=*", "", "MISS", "MISS"},
    {"the client says no-store", "cc=max-age=60", "Cache-Control: no-store\r\n", "MISS",
     "MISS"},
    {"the client says no-cache", "cc=max-age=60&etag=a", "Cache-Control: no-cache\r\n", "MISS",
     "REVALIDATED"},
    {"the client: only-if-cached", "cc=max-age=60", "Cache-Control: only-if-cached\r\n", "504",
     "504"}};

// Asks twice. True if both came out as in the table.
static bool play_row(struct world *world, int number, const struct row *row)
{
    char target[200], first[40], second[40];
    snprintf(target, sizeof target, "/%d?%s", number, row->query);
    snprintf(first, sizeof first, "%s", world_get(world, target, row->fields));
    long before = world_count(world);
    snprintf(second, sizeof second, "%s", world_get(world, target, row->fields));
    long asked = world_count(world) - before;
    bool is_quiet = !strcmp(row->second, "HIT") || !strcmp(row->second, "504");
    story_row("%s|%s|%s|%s", row->title, first, second, asked ? "again" : "-");
    return !strcmp(first, row->first) && !strcmp(second, row->second) && asked == !is_quiet;
}

// The origin is gone when the answer is stale. Returns the second answer's word.
static void play_gone(const char *title, const char *query, char second[40])
{
    static const char *const options[] = {"reverse", NULL};
    struct world world;
    char target[200], first[40];
    world_begin(&world, options);
    snprintf(target, sizeof target, "/gone?%s", query);
    snprintf(first, sizeof first, "%s", world_get(&world, target, ""));
    spawn_stop(world.origin);
    world.origin = 0;
    snprintf(second, 40, "%s", world_get(&world, target, ""));
    world_end(&world);
    story_row("%s|%s|%s|it is gone", title, first, second);
}

void scene_directives(void)
{
    static const char *const options[] = {"reverse", NULL};
    struct world world;
    char stale[40], refused[40], language[3][40];
    int as_said = 0, count = sizeof rows / sizeof *rows;
    world_begin(&world, options);
    story_say("Each request is sent twice. X-Cache says where the answer has come from.");
    story_head("the answer's Cache-Control|first|second|at the origin");
    for (int i = 0; i < count; i++)
        as_said += play_row(&world, i, &rows[i]);
    for (int i = 0; i < 3; i++)
        snprintf(language[i], 40, "%s",
                 world_get(&world, "/vary?cc=max-age=60&vary=accept-language",
                           i == 1 ? "Accept-Language: de\r\n" : "Accept-Language: en\r\n"));
    story_row("Vary: Accept-Language (en, de)|%s|%s|again", language[0], language[1]);
    story_row("Vary: Accept-Language (en, en)|%s|%s|-", language[0], language[2]);
    world_end(&world);
    play_gone("max-age=0", "cc=max-age=0", stale);
    play_gone("max-age=0, must-revalidate", "cc=max-age=0,must-revalidate", refused);
    printf("\n");
    bool varies = !strcmp(language[0], "MISS") && !strcmp(language[1], "MISS") &&
                  !strcmp(language[2], "HIT");
    bool gone = !strcmp(stale, "STALE") && !strcmp(refused, "502");
    as_said += 2 * (varies + gone);
    count += 4;
    claim_report(&directives, holds_if(as_said == count),
                 "%d of %d rows as RFC 9111 says. no-cache is stored, and asked about each "
                 "time; it is no-store that is not stored",
                 as_said, count);
}
