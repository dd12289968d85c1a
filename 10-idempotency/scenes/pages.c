// pages.c: a list is read page by page, while new rows arrive at its front. A page begins at an
// offset (a number of rows), or at a cursor (behind the last row of the page before).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btree.h"
#include "claim.h"
#include "ledger_client.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "ulid.h"

#define CHARGES   20 // that are there when the reader begins
#define PAGE      5  // rows of a page
#define ARRIVALS  2  // charges that are made between two pages
#define ROWS_MAX  (2 * CHARGES)
#define ID_SIZE   40
#define LINE_SIZE 60

#define INDEX_KEYS  100000
#define INDEX_PAGES 4096
#define INDEX_PAGE  20 // rows of a page
#define POSITIONS   4

static struct call call; // too large for the stack

// ---- rows that come twice ------------------------------------------------------------------

// A client that reads the list: its rows so far, and those of them that had come before.
struct reader {
    char ids[ROWS_MAX][ID_SIZE];
    int rows, repeated;
    char line[LINE_SIZE]; // the amounts of the last page
};

// Each charge has the amount of its number: 1, 2, 3, ...
static void make_charge(const struct customer *customer, int number)
{
    char content[CHARGE_SIZE];
    snprintf(content, sizeof content,
             "{\"amount\": %d, \"currency\": \"eur\", \"source\": \"%s\"}", number,
             customer->source);
    must_call(the_server(), "POST", "/naive/charges", content, &call);
    if (call.status != 201)
        die("POST /naive/charges: %s", call.content);
}

static bool has_come(const struct reader *reader, const char *id)
{
    for (int i = 0; i < reader->rows; i++)
        if (!strcmp(reader->ids[i], id))
            return true;
    return false;
}

static void read_page(struct reader *reader, const char *target)
{
    static const char id[] = "\"id\":\"", amount[] = "\"amount\":";
    size_t length = 0;
    int rows = 0, repeated = 0;
    must_call(the_server(), "GET", target, NULL, &call);
    for (const char *at = call.content; (at = strstr(at, id)); rows++) {
        char *row = reader->ids[reader->rows];
        at += strlen(id);
        if (reader->rows == ROWS_MAX || !strstr(at, amount))
            die("GET %s: %s", target, call.content);
        snprintf(row, ID_SIZE, "%.*s", (int)strcspn(at, "\""), at);
        repeated += has_come(reader, row);
        reader->rows++;
        length += (size_t)snprintf(reader->line + length, LINE_SIZE - length, "%d ",
                                   atoi(strstr(at, amount) + strlen(amount)) % 1000);
    }
    if (rows != PAGE)
        die("GET %s: a page of %d", target, rows);
    reader->repeated += repeated;
}

// Both readers get a page; then charges arrive; and so on.
static void read_both(struct reader *offset, struct reader *cursor)
{
    struct customer customer;
    char target[100];
    int made = 0;
    customer_new(&customer);
    while (made < CHARGES)
        make_charge(&customer, ++made);
    story_say("%d charges, the newest first, %d on a page; %d more arrive after each page:",
              CHARGES, PAGE, ARRIVALS);
    story_head("charges|by offset|by cursor|seen before");
    for (int rows = 0; rows < CHARGES; rows += PAGE) {
        int before = offset->repeated + cursor->repeated;
        snprintf(target, sizeof target, "/charges?order=newest&limit=%d&offset=%d", PAGE, rows);
        read_page(offset, target);
        snprintf(target, sizeof target, "/charges?order=newest&limit=%d", PAGE);
        if (rows)
            snprintf(target + strlen(target), sizeof target - strlen(target), "&after=%s",
                     cursor->ids[rows - 1]);
        read_page(cursor, target);
        story_row("%d|%s|%s|%d", made, offset->line, cursor->line,
                  offset->repeated + cursor->repeated - before);
        for (int i = 0; i < ARRIVALS; i++)
            make_charge(&customer, ++made);
    }
}

// ---- what a page costs ---------------------------------------------------------------------

// The pages of an index that a page of the list needs: by offset, and by cursor.
struct cost {
    uint64_t position;
    uint32_t by_offset, by_cursor;
};

static void measure(struct cost *costs)
{
    static uint8_t keys[INDEX_KEYS][PAGE_KEY_BYTES];
    static uint64_t by_offset[INDEX_PAGE], by_cursor[INDEX_PAGE];
    struct ulid_source source = {0};
    struct ulid ulid;
    struct btree tree;
    if (!btree_open(&tree, INDEX_PAGES))
        die("no memory for %d pages", INDEX_PAGES);
    for (uint64_t i = 0; i < INDEX_KEYS; i++) {
        if (!ulid_next(&source, 1000 + i, &ulid))
            die("the kernel has no random bits");
        memcpy(keys[i], ulid.bytes, PAGE_KEY_BYTES);
        if (btree_insert(&tree, keys[i], i) != PAGES_ADDED)
            die("the index is full");
    }
    for (int i = 0; i < POSITIONS; i++) {
        uint64_t from = costs[i].position;
        const uint8_t *behind = from ? keys[from - 1] : NULL;
        btree_touched(&tree);
        uint64_t rows = btree_read(&tree, NULL, from, by_offset, INDEX_PAGE);
        costs[i].by_offset = btree_touched(&tree);
        if (btree_read(&tree, behind, 0, by_cursor, INDEX_PAGE) != rows || rows != INDEX_PAGE ||
            memcmp(by_offset, by_cursor, sizeof by_offset) != 0)
            die("offset and cursor have found other rows");
        costs[i].by_cursor = btree_touched(&tree);
    }
    btree_close(&tree);
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim scales = {
    "10.13", "guide §15.8",
    "pages by offset do not scale to a long history; pages by cursor are more efficient", HOLDS,
    NULL};
static const struct claim repeats = {
    "10.14", "(ours)", "pages by offset repeat rows when rows arrive; pages by cursor do not",
    HOLDS, NULL};

void scene_pages(void)
{
    static struct reader offset, cursor;
    struct cost costs[POSITIONS] = {{0, 0, 0}, {1000, 0, 0}, {10000, 0, 0}, {99000, 0, 0}};
    offset = cursor = (struct reader){0};
    read_both(&offset, &cursor);
    story_say("");
    story_say("What a page of %d rows costs in an index of %d keys (a B+tree, %d in a page):",
              INDEX_PAGE, INDEX_KEYS, PAGE_ENTRIES);
    measure(costs);
    story_head("rows before the page|by offset|by cursor");
    for (int i = 0; i < POSITIONS; i++)
        story_row("%llu|%u pages|%u pages", (unsigned long long)costs[i].position,
                  costs[i].by_offset, costs[i].by_cursor);
    const struct cost *first = &costs[0], *last = &costs[POSITIONS - 1];
    int expected = ARRIVALS * (CHARGES / PAGE - 1);
    claim_report(
        &scales,
        holds_if(last->by_offset > 100 * first->by_offset &&
                 last->by_cursor <= 2 * first->by_cursor),
        "behind %llu rows the page costs %u pages of the index by offset, %u by cursor; "
        "the first page costs %u",
        (unsigned long long)last->position, last->by_offset, last->by_cursor, first->by_offset);
    claim_report(&repeats, holds_if(offset.repeated >= expected && cursor.repeated == 0),
                 "of %d rows %d had come before by offset, %d by cursor", offset.rows,
                 offset.repeated, cursor.repeated);
}
