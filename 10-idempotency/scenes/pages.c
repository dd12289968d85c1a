// pages.c: see pages.h.
#include "pages.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct page) == PAGE_BYTES, "a page is as large as it says");

// The way down to a leaf: the pages, and which of their entries was taken.
struct path {
    uint32_t page[PAGE_LEVELS], at[PAGE_LEVELS]; // by level, 0 is the leaf
};

// A page that is read or changed has to be in memory.
static struct page *touch(struct pages *pages, uint32_t number)
{
    struct page *page = &pages->page[number];
    pages->touched += page->touched != pages->counting;
    page->touched = pages->counting;
    return page;
}

static uint32_t new_page(struct pages *pages, uint32_t level)
{
    uint32_t number = pages->used++;
    struct page *page = touch(pages, number);
    page->level = level;
    page->count = 0;
    page->next = PAGE_NONE;
    return number;
}

bool pages_open(struct pages *pages, uint32_t max)
{
    *pages = (struct pages){.page = calloc(max, sizeof *pages->page), .max = max};
    if (!pages->page)
        return false;
    pages->counting = 1; // no page has been touched in this count
    pages->root = new_page(pages, 0);
    return true;
}

void pages_close(struct pages *pages)
{
    free(pages->page);
    pages->page = NULL;
}

uint32_t pages_touched(struct pages *pages)
{
    uint32_t touched = pages->touched;
    pages->touched = 0;
    pages->counting++;
    return touched;
}

// How many of a page's entries are at most `key`: behind them is its place.
static uint32_t place(const struct page *page, const uint8_t *key)
{
    uint32_t low = 0, high = page->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (memcmp(page->entries[middle].key, key, PAGE_KEY_BYTES) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Goes down to the leaf where `key` belongs.
static struct page *descend(struct pages *pages, const uint8_t *key, struct path *path)
{
    for (uint32_t number = pages->root;;) {
        struct page *page = touch(pages, number);
        uint32_t at = place(page, key);
        path->page[page->level] = number;
        path->at[page->level] = at;
        if (page->level == 0)
            return page;
        // What is smaller than all keys belongs to the first page below.
        number = (uint32_t)page->entries[at ? at - 1 : 0].value;
        path->at[page->level] = at ? at : 1;
    }
}

static bool is_at(const struct page *leaf, uint32_t at, const uint8_t *key)
{
    return at && !memcmp(leaf->entries[at - 1].key, key, PAGE_KEY_BYTES);
}

bool pages_find(struct pages *pages, const uint8_t key[PAGE_KEY_BYTES], uint64_t *value)
{
    struct path path;
    const struct page *leaf = descend(pages, key, &path);
    if (!is_at(leaf, path.at[0], key))
        return false;
    *value = leaf->entries[path.at[0] - 1].value;
    return true;
}

static void put(struct page *page, uint32_t at, const struct page_entry *entry)
{
    memmove(&page->entries[at + 1], &page->entries[at],
            (page->count - at) * sizeof *page->entries);
    page->entries[at] = *entry;
    page->count++;
}

// Splits a full page, and puts the entry into the half where it belongs. Returns the new page,
// to the right of it.
static uint32_t split(struct pages *pages, uint32_t number, uint32_t at,
                      const struct page_entry *entry)
{
    struct page *left = &pages->page[number];
    uint32_t other = new_page(pages, left->level);
    struct page *right = &pages->page[other];
    bool last = left->next == PAGE_NONE && at == left->count;
    uint32_t keep = last ? left->count : left->count / 2;
    right->count = left->count - keep;
    memcpy(right->entries, &left->entries[keep], right->count * sizeof *right->entries);
    left->count = keep;
    right->next = left->next;
    left->next = other;
    if (at < keep)
        put(left, at, entry);
    else
        put(right, at - keep, entry);
    return other;
}

// A new root above the old one and its new neighbour.
static void grow(struct pages *pages, const struct page_entry *right)
{
    uint32_t level = pages->page[pages->root].level + 1, root = new_page(pages, level);
    struct page_entry left = pages->page[pages->root].entries[0];
    left.value = pages->root;
    put(&pages->page[root], 0, &left);
    put(&pages->page[root], 1, right);
    pages->root = root;
}

enum pages_result pages_insert(struct pages *pages, const uint8_t key[PAGE_KEY_BYTES],
                               uint64_t value)
{
    struct path path;
    struct page_entry entry = {.value = value};
    uint32_t top = pages->page[pages->root].level;
    const struct page *leaf = descend(pages, key, &path);
    if (is_at(leaf, path.at[0], key))
        return PAGES_PRESENT;
    if (pages->max - pages->used < top + 2 || top + 1 == PAGE_LEVELS)
        return PAGES_FULL; // every page on the way might be split, and the root grow
    memcpy(entry.key, key, PAGE_KEY_BYTES);
    pages->keys++;
    for (uint32_t level = 0; level <= top; level++) {
        uint32_t number = path.page[level];
        if (pages->page[number].count < PAGE_ENTRIES) {
            put(&pages->page[number], path.at[level], &entry);
            return PAGES_ADDED;
        }
        uint32_t other = split(pages, number, path.at[level], &entry);
        entry = pages->page[other].entries[0]; // its smallest key, for the page above
        entry.value = other;
    }
    grow(pages, &entry);
    return PAGES_ADDED;
}

uint64_t pages_list(const struct pages *pages, uint64_t *values, uint64_t max)
{
    uint64_t count = 0;
    uint32_t number = pages->root;
    while (pages->page[number].level)
        number = (uint32_t)pages->page[number].entries[0].value;
    for (; number != PAGE_NONE; number = pages->page[number].next)
        for (uint32_t i = 0; i < pages->page[number].count && count < max; i++)
            values[count++] = pages->page[number].entries[i].value;
    return count;
}
