// btree.c: see btree.h.
#include "btree.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct page) == PAGE_BYTES, "a page is as large as it says");

// The way down to a leaf: the pages, and which of their entries was taken.
struct path {
    uint32_t page[PAGE_LEVELS], at[PAGE_LEVELS]; // by level, 0 is the leaf
};

// A page that is read or changed has to be in memory.
static struct page *touch(struct btree *tree, uint32_t number)
{
    struct page *page = &tree->page[number];
    tree->touched += page->touched != tree->counting;
    page->touched = tree->counting;
    return page;
}

static uint32_t new_page(struct btree *tree, uint32_t level)
{
    uint32_t number = tree->used++;
    struct page *page = touch(tree, number);
    page->level = level;
    page->count = 0;
    page->next = PAGE_NONE;
    return number;
}

bool btree_open(struct btree *tree, uint32_t max)
{
    *tree = (struct btree){.page = calloc(max, sizeof *tree->page), .max = max};
    if (!tree->page)
        return false;
    tree->counting = 1; // no page has been touched in this count
    tree->root = new_page(tree, 0);
    return true;
}

void btree_close(struct btree *tree)
{
    free(tree->page);
    tree->page = NULL;
}

uint32_t btree_touched(struct btree *tree)
{
    uint32_t touched = tree->touched;
    tree->touched = 0;
    tree->counting++;
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
static struct page *descend(struct btree *tree, const uint8_t *key, struct path *path)
{
    for (uint32_t number = tree->root;;) {
        struct page *page = touch(tree, number);
        uint32_t at = place(page, key);
        path->page[page->level] = number;
        path->at[page->level] = at;
        if (page->level == 0)
            return page;
        // What is smaller than all keys belongs to the first page below.
        if (at == 0)
            at = 1;
        number = (uint32_t)page->entries[at - 1].value;
        path->at[page->level] = at;
    }
}

static bool is_at(const struct page *leaf, uint32_t at, const uint8_t *key)
{
    return at && !memcmp(leaf->entries[at - 1].key, key, PAGE_KEY_BYTES);
}

bool btree_find(struct btree *tree, const uint8_t key[PAGE_KEY_BYTES], uint64_t *value)
{
    struct path path;
    const struct page *leaf = descend(tree, key, &path);
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
static uint32_t split(struct btree *tree, uint32_t number, uint32_t at,
                      const struct page_entry *entry)
{
    struct page *left = &tree->page[number];
    uint32_t other = new_page(tree, left->level);
    struct page *right = &tree->page[other];
    bool last = left->next == PAGE_NONE && at == left->count;
    uint32_t keep = left->count / 2;
    if (last)
        keep = left->count;
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
static void grow(struct btree *tree, const struct page_entry *right)
{
    uint32_t level = tree->page[tree->root].level + 1, root = new_page(tree, level);
    struct page_entry left = tree->page[tree->root].entries[0];
    left.value = tree->root;
    put(&tree->page[root], 0, &left);
    put(&tree->page[root], 1, right);
    tree->root = root;
}

enum btree_result btree_insert(struct btree *tree, const uint8_t key[PAGE_KEY_BYTES],
                               uint64_t value)
{
    struct path path;
    struct page_entry entry = {.value = value};
    uint32_t top = tree->page[tree->root].level;
    const struct page *leaf = descend(tree, key, &path);
    if (is_at(leaf, path.at[0], key))
        return PAGES_PRESENT;
    if (tree->max - tree->used < top + 2 || top + 1 == PAGE_LEVELS)
        return PAGES_FULL; // every page on the way might be split, and the root grow
    memcpy(entry.key, key, PAGE_KEY_BYTES);
    tree->keys++;
    for (uint32_t level = 0; level <= top; level++) {
        uint32_t number = path.page[level];
        if (tree->page[number].count < PAGE_ENTRIES) {
            put(&tree->page[number], path.at[level], &entry);
            return PAGES_ADDED;
        }
        uint32_t other = split(tree, number, path.at[level], &entry);
        entry = tree->page[other].entries[0]; // its smallest key, for the page above
        entry.value = other;
    }
    grow(tree, &entry);
    return PAGES_ADDED;
}

uint64_t btree_list(const struct btree *tree, uint64_t *values, uint64_t max)
{
    uint64_t count = 0;
    uint32_t number = tree->root;
    while (tree->page[number].level)
        number = (uint32_t)tree->page[number].entries[0].value;
    for (; number != PAGE_NONE; number = tree->page[number].next)
        for (uint32_t i = 0; i < tree->page[number].count && count < max; i++)
            values[count++] = tree->page[number].entries[i].value;
    return count;
}

uint64_t btree_read(struct btree *tree, const uint8_t *key, uint64_t skip, uint64_t *values,
                    uint64_t max)
{
    static const uint8_t smallest[PAGE_KEY_BYTES];
    struct path path;
    uint64_t count = 0;
    uint32_t at = 0;
    const struct page *leaf;
    if (key) {
        leaf = descend(tree, key, &path);
        at = path.at[0];
    } else {
        leaf = descend(tree, smallest, &path);
    }
    // An index cannot tell how many keys a page further to the right comes behind: it counts.
    for (; count < max; at++) {
        while (at == leaf->count) {
            if (leaf->next == PAGE_NONE)
                return count;
            leaf = touch(tree, leaf->next);
            at = 0;
        }
        if (skip > 0)
            skip--;
        else
            values[count++] = leaf->entries[at].value;
    }
    return count;
}
