// invalidate.c: scene invalidate: something has changed at the origin. How does the store learn
// of it, and how long does it not?
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

static const struct claim versioned = {
    "8.47", "guide §9.3",
    "versioned URLs: when content changes, the URL changes, which invalidates old caches",
    HOLDS, NULL};
static const struct claim purge = {"8.48", "guide §9.3",
                                   "purge APIs: tell the proxy to invalidate specific items",
                                   HOLDS, NULL};
static const struct claim not_found = {
    "8.49", "guide §9.3",
    "caching 404s (proxy_cache_valid 404 10m): a page that is made meanwhile stays hidden",
    HOLDS, NULL};

static const char *get(struct world *world, const char *target, char text[200])
{
    static struct fetch f;
    int status = world_ask(&f, PROXY_ADDRESS, world->proxy_port, "GET", target, "");
    struct http_text word = http_field(&f.head, "x-cache");
    snprintf(text, 200, "%d %.*s", status, (int)word.length, word.at ?: "");
    return text;
}

static int send_method(struct world *world, const char *method, const char *target)
{
    static struct fetch f;
    // From the proxy's own machine: PURGE is for loopback, which 127.0.0.2 is as well.
    return world_ask(&f, PROXY_ADDRESS, world->proxy_port, method, target, "");
}

void scene_invalidate(void)
{
    static const char *const options[] = {"reverse", NULL};
    static const char style[] = "/style.css?cc=max-age=3600";
    static struct fetch direct;
    char text[8][200], page[100];
    struct world world;
    world_begin(&world, options);
    story_head("request|answer");
    story_row("GET /style.css|%s", get(&world, style, text[0]));
    story_row("GET /style.css, it has changed|%s", get(&world, style, text[1]));
    story_row("GET /style.v2.css|%s", get(&world, "/style.v2.css?cc=max-age=3600", text[2]));
    int purged = send_method(&world, "PURGE", style);
    story_row("PURGE /style.css|%d", purged);
    story_row("GET /style.css|%s", get(&world, style, text[3]));
    int posted = send_method(&world, "DELETE", style);
    story_row("DELETE /style.css|%d", posted);
    story_row("GET /style.css|%s", get(&world, style, text[4]));
    snprintf(page, sizeof page, "/new?cc=max-age=600&status=404&until=%ld",
             world_count(&world) + 1); // only the next request is answered so
    story_row("GET /new, it is not there|%s", get(&world, page, text[5]));
    int there = world_ask(&direct, ORIGIN_ADDRESS, world.origin_port, "GET", page, "");
    story_row("the same, at the origin: now it is|%d", there);
    story_row("GET /new, it is there now|%s", get(&world, page, text[6]));
    send_method(&world, "PUT", page);
    story_row("GET /new, after PUT /new|%s", get(&world, page, text[7]));
    printf("\n");
    world_end(&world);
    claim_report(&versioned,
                 holds_if(!strcmp(text[1], "200 HIT") && !strcmp(text[2], "200 MISS")),
                 "the old name gives what is stored, the new name is a miss. The old entry "
                 "stays, until it is evicted");
    claim_report(&purge, holds_if(purged == 200 && !strcmp(text[3], "200 MISS")),
                 "after PURGE a miss. So after an unsafe method through this proxy (RFC 9111 "
                 "§4.4): DELETE, then %s",
                 text[4]);
    claim_report(
        &not_found,
        holds_if(!strcmp(text[5], "404 MISS") && there == 200 && !strcmp(text[6], "404 HIT") &&
                 !strcmp(text[7], "200 MISS") && !strcmp(text[4], "200 MISS")),
        "the origin has the page (%d), the proxy's clients get %s. A change that comes "
        "through the proxy is noticed",
        there, text[6]);
}
