// ulid_vs_uuid.c: what the order of the keys means to the index that they are kept in.
#include <string.h>

#include "claim.h"
#include "net.h"
#include "btree.h"
#include "scenes.h"
#include "story.h"
#include "ulid.h"
#include "uuid.h"

#define KEYS         300000
#define INSERTS      1000 // for which pages are counted,
#define PAGES_MAX    8192
#define KEYS_EACH_MS 10 // 10,000 requests a second
#define ROWS         3

enum order { IN_ORDER, AT_RANDOM };

struct growth {
    uint32_t touched[ROWS]; // by the last INSERTS of each third
    uint32_t pages;
    double filled; // of the leaves, in percent
    double ms;
};

static void new_name(enum order order, struct ulid_source *source, uint64_t number,
                     uint8_t *key)
{
    struct ulid ulid;
    bool made;
    if (order == AT_RANDOM)
        made = uuid_new(key);
    else
        made = ulid_next(source, 1000 + number / KEYS_EACH_MS, &ulid);
    if (!made)
        die("the kernel has no random bits");
    if (order == IN_ORDER)
        memcpy(key, ulid.bytes, ULID_BYTES);
}

static void insert_all(enum order order, struct growth *growth)
{
    static uint8_t keys[KEYS][PAGE_KEY_BYTES];
    struct ulid_source source = {0};
    struct btree pages;
    if (!btree_open(&pages, PAGES_MAX))
        die("no memory for %d pages", PAGES_MAX);
    for (uint64_t i = 0; i < KEYS; i++)
        new_name(order, &source, i, keys[i]);
    int64_t began_ns = now_ns();
    for (uint64_t i = 0; i < KEYS; i++) {
        if (i % INSERTS == 0)
            btree_touched(&pages);
        if (btree_insert(&pages, keys[i], i) != PAGES_ADDED)
            die("key %llu is there twice, or the index is full", (unsigned long long)i);
        if ((i + 1) % (KEYS / ROWS) == 0)
            growth->touched[i / (KEYS / ROWS)] = btree_touched(&pages);
    }
    growth->ms = (double)(now_ns() - began_ns) / 1e6;
    growth->pages = pages.used;
    growth->filled = 100.0 * KEYS / ((double)pages.used * PAGE_ENTRIES);
    btree_close(&pages);
}

static const struct claim fewer_pages = {"10.5", "guide §13.6, §15.8",
                                         "ULIDs insert into fewer pages than random UUIDs",
                                         HOLDS, NULL};

void scene_ulid_vs_uuid(void)
{
    static struct growth random, ordered;
    char text[UUID_LENGTH + 1];
    uint8_t uuid[UUID_BYTES];
    struct ulid_source source = {0};
    struct ulid ulid;
    story_say("Three keys each, made one after the other:");
    story_say("");
    for (int i = 0; i < 3; i++) {
        if (!uuid_new(uuid) || !ulid_next(&source, ulid_now_ms(), &ulid))
            die("the kernel has no random bits");
        uuid_write(uuid, text);
        char name[ULID_LENGTH + 1];
        story_say("    %s    %s", text, ulid_write(&ulid, name));
    }
    story_say("");
    story_say("A B+tree with pages of %d bytes, %d keys in each, as of a database. How many "
              "pages do %d inserts touch? All these have to be in memory, and to be written "
              "again.",
              PAGE_BYTES, PAGE_ENTRIES, INSERTS);
    insert_all(AT_RANDOM, &random);
    insert_all(IN_ORDER, &ordered);
    story_head("pages touched|UUID v4|ULID");
    for (int i = 0; i < ROWS; i++)
        story_row("by %d inserts after %d|%u|%u", INSERTS, (i + 1) * (KEYS / ROWS) - INSERTS,
                  random.touched[i], ordered.touched[i]);
    story_row("all pages in the end|%u|%u", random.pages, ordered.pages);
    story_row("filled|%.0f %%|%.0f %%", random.filled, ordered.filled);
    story_row("ms for all, all in memory|%.0f|%.0f", random.ms, ordered.ms);
    uint32_t last_random = random.touched[ROWS - 1], last_ordered = ordered.touched[ROWS - 1];
    claim_report(&fewer_pages,
                 holds_if(last_random > 10 * last_ordered && random.pages > ordered.pages),
                 "%u pages for %d inserts into %d keys, against %u; and %u pages in all, "
                 "against %u, since what comes in order fills its pages",
                 last_ordered, INSERTS, KEYS, last_random, ordered.pages, random.pages);
}
