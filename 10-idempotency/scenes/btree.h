// btree.h: a sorted index as databases keep it: a B+tree of pages of a fixed size, which counts
// the pages that it has to touch.
//
// Each page is sorted. The leaves hold the keys; a page above them holds the smallest key and
// the number of each page below it. A page that is full is split in two, and the page above
// gets one entry more. A key that comes behind all others does not split the last leaf, it
// begins the next one: so what comes in order leaves its pages full, as in InnoDB and
// PostgreSQL.
#ifndef BTREE_H
#define BTREE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES     4096
#define PAGE_KEY_BYTES 16
#define PAGE_ENTRIES   170 // that fit
#define PAGE_LEVELS    6   // more than 2^32 pages ever need

struct page_entry {
    uint8_t key[PAGE_KEY_BYTES];
    uint64_t value; // a leaf's: the caller's; above: the number of the page below
};

struct page {
    uint32_t level; // 0: a leaf
    uint32_t count;
    uint32_t next;    // page to the right of this one, on the same level; PAGE_NONE
    uint32_t touched; // the count in which it was touched last
    struct page_entry entries[PAGE_ENTRIES];
};

#define PAGE_NONE UINT32_MAX

struct btree {
    struct page *page;
    uint32_t max, used, root;
    uint32_t counting, touched; // which count this is, and the pages touched in it
    uint64_t keys;
};

// An empty index that may grow to `max` pages (at least 1). False if there is no memory for it.
bool btree_open(struct btree *tree, uint32_t max);
void btree_close(struct btree *tree);

// Adds a key. PAGES_FULL if there might not be enough pages left: then nothing has changed.
enum btree_result { PAGES_ADDED, PAGES_PRESENT, PAGES_FULL };
enum btree_result btree_insert(struct btree *tree, const uint8_t key[PAGE_KEY_BYTES],
                               uint64_t value);

// Looks a key up. False if it is not there.
bool btree_find(struct btree *tree, const uint8_t key[PAGE_KEY_BYTES], uint64_t *value);

// The values in the order of their keys, at most `max`. Returns how many.
uint64_t btree_list(const struct btree *tree, uint64_t *values, uint64_t max);

// A page of a list: skips so many keys, from the first that is greater than `key` on (NULL:
// from the first of all), and reads the values of up to `max` that follow. Returns how many.
uint64_t btree_read(struct btree *tree, const uint8_t *key, uint64_t skip, uint64_t *values,
                    uint64_t max);

// How many different pages were read or changed since the last call.
uint32_t btree_touched(struct btree *tree);

#endif
