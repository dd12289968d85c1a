// test_names.h: tests of names (ULID, UUID), and of the index that they are kept in.
#ifndef TEST_NAMES_H
#define TEST_NAMES_H

#include "btree.h"
#include "test.h"
#include "ulid.h"
#include "uuid.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

// ---- names ---------------------------------------------------------------------------------

TEST(ulids_are_in_order)
{
    struct ulid_source source = {0};
    struct ulid ulid, same;
    char text[ULID_LENGTH + 1], before[ULID_LENGTH + 1] = "";
    uint64_t ms = 1469918176385;
    for (int i = 0; i < 200000; i++) {
        ms += i % 7 == 0;
        uint64_t clock = ms;
        if (i % 700 == 3) // the clock goes back for a moment
            clock -= 5000;
        CHECK(ulid_next(&source, clock, &ulid));
        CHECK_INT((long)ulid_ms(&ulid), (long)ms);
        if (strcmp(ulid_write(&ulid, text), before) <= 0)
            FAIL("%s comes after %s", text, before);
        CHECK(ulid_read(text, ULID_LENGTH, &same));
        CHECK(!memcmp(&same, &ulid, sizeof ulid));
        strcpy(before, text);
    }
}

TEST(ulids_of_one_millisecond_count_up)
{
    struct ulid_source source = {0};
    struct ulid first, second, other;
    CHECK(ulid_next(&source, 1000, &first));
    CHECK(ulid_next(&source, 1000, &second));
    for (int i = ULID_BYTES - 1; i >= 0; i--) {
        if (++first.bytes[i])
            break;
    }
    CHECK(!memcmp(&first, &second, sizeof first));
    memset(source.last.bytes + 7, 0xff, 9); // one below a carry through nine bytes
    source.last.bytes[6] = 0x12;
    CHECK(ulid_next(&source, 1000, &second));
    CHECK_INT(second.bytes[6], 0x13);
    CHECK(!memcmp(second.bytes + 7, "\0\0\0\0\0\0\0\0", 9));
    memset(source.last.bytes + 6, 0xff, 10); // the last name of this millisecond
    other = second;
    CHECK(!ulid_next(&source, 1000, &other));
    CHECK(!memcmp(&other, &second, sizeof other));
    CHECK(!ulid_next(&source, 999, &other)); // nor does it go back
    CHECK(ulid_next(&source, 1001, &other));
    CHECK_INT((long)ulid_ms(&other), 1001);
    CHECK(ulid_next(&source, ULID_MS_MAX, &other));
    CHECK_INT(ulid_ms(&other), ULID_MS_MAX);
    CHECK(!ulid_next(&source, ULID_MS_MAX + 1, &other));
}

TEST(ulids_as_text)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"01ARYZ6S41TSV4RRFFQ69G5FAV", true},   {"01aryz6s41tsv4rrffq69g5fav", true},
        {"00000000000000000000000000", true},   {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", true},
        {"80000000000000000000000000", false}, // 129 bits
        {"ZZZZZZZZZZZZZZZZZZZZZZZZZZ", false},  {"01ARYZ6S41TSV4RRFFQ69G5FA", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAVV", false}, {"", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAI", false},  {"01ARYZ6S41TSV4RRFFQ69G5FAL", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAO", false},  {"01ARYZ6S41TSV4RRFFQ69G5FAU", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FA-", false},  {"O1ARYZ6S41TSV4RRFFQ69G5FAV", false},
        {" 1ARYZ6S41TSV4RRFFQ69G5FAV", false},  {"01ARYZ6S41TSV4RRFFQ69G5F\xc3\xa4", false},
    };
    struct ulid ulid;
    char text[ULID_LENGTH + 1];
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        bool good = ulid_read(cases[i].text, strlen(cases[i].text), &ulid);
        if (good != cases[i].good ||
            (good && strcasecmp(ulid_write(&ulid, text), cases[i].text)))
            FAIL("%s: %d", cases[i].text, good);
    }
    CHECK(ulid_read("01ARYZ6S41TSV4RRFFQ69G5FAV", ULID_LENGTH, &ulid));
    CHECK(ulid_ms(&ulid) == 1469918176385);
    CHECK(!ulid_read("01ARYZ6S41TSV4RRFFQ69G5F\0V", ULID_LENGTH, &ulid));
    memset(&ulid, 0xff, sizeof ulid);
    CHECK(!strcmp(ulid_write(&ulid, text), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
}

TEST(uuids_of_version_4)
{
    uint8_t uuid[UUID_BYTES], before[UUID_BYTES] = {0};
    char text[UUID_LENGTH + 1];
    for (int i = 0; i < 1000; i++) {
        CHECK(uuid_new(uuid));
        CHECK(memcmp(uuid, before, sizeof uuid));
        uuid_write(uuid, text);
        CHECK_INT((long)strlen(text), UUID_LENGTH);
        CHECK_INT((long)strspn(text, "0123456789abcdef-"), UUID_LENGTH);
        CHECK_INT(text[8], '-');
        CHECK_INT(text[13], '-');
        CHECK_INT(text[18], '-');
        CHECK_INT(text[23], '-');
        CHECK_INT(text[14], '4');
        CHECK(strchr("89ab", text[19]));
        memcpy(before, uuid, sizeof uuid);
    }
}

// ---- the index -----------------------------------------------------------------------------

#define INDEX_KEYS 60000

struct sorted_key {
    uint8_t key[PAGE_KEY_BYTES];
    uint64_t value;
};

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, PAGE_KEY_BYTES);
}

static uint64_t random_of(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

// Keys in one of four orders: random, rising, falling, and random of which many come twice.
static void make_key(int order, uint64_t number, uint64_t *random, uint8_t *key)
{
    uint64_t high = random_of(random);
    if (order == 1)
        high = number;
    else if (order == 2)
        high = INDEX_KEYS - number;
    else if (order == 3)
        high %= INDEX_KEYS / 2;
    memset(key, 0, PAGE_KEY_BYTES);
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(high >> (56 - 8 * i));
}

TEST(an_index_is_a_sorted_array)
{
    static struct sorted_key sorted[INDEX_KEYS];
    static uint64_t values[INDEX_KEYS + 1];
    for (int order = 0; order < 4; order++) {
        struct btree pages;
        uint64_t random = 88172645463325252, count = 0, value;
        CHECK(btree_open(&pages, 2000));
        for (uint64_t i = 0; i < INDEX_KEYS; i++) {
            make_key(order, i, &random, sorted[count].key);
            sorted[count].value = i;
            bool there = btree_find(&pages, sorted[count].key, &value);
            enum btree_result result = btree_insert(&pages, sorted[count].key, i);
            CHECK_INT(result, there ? PAGES_PRESENT : PAGES_ADDED);
            CHECK(order == 3 || !there);
            count += !there;
        }
        CHECK_INT(pages.keys, count);
        CHECK_INT(btree_list(&pages, values, INDEX_KEYS + 1), count);
        qsort(sorted, count, sizeof *sorted, compare_keys);
        for (uint64_t i = 0; i + 1 < count; i += count / 7) {
            CHECK_INT(btree_read(&pages, NULL, i + 1, &value, 1), 1);
            CHECK_INT(value, sorted[i + 1].value);
            CHECK_INT(btree_read(&pages, sorted[i].key, 0, &value, 1), 1);
            CHECK_INT(value, sorted[i + 1].value);
        }
        CHECK_INT(btree_read(&pages, NULL, count - 1, &value, 1), 1);
        CHECK_INT(btree_read(&pages, sorted[count - 1].key, 0, &value, 1), 0);
        for (uint64_t i = 0; i < count; i++) {
            CHECK(values[i] == sorted[i].value);
            CHECK(btree_find(&pages, sorted[i].key, &value));
            CHECK_INT(value, sorted[i].value);
            sorted[i].key[PAGE_KEY_BYTES - 1] = 1;
            CHECK(!btree_find(&pages, sorted[i].key, &value));
        }
        btree_close(&pages);
    }
}

TEST(an_index_counts_its_pages)
{
    struct btree pages;
    uint8_t key[PAGE_KEY_BYTES] = {0};
    uint64_t value;
    CHECK(btree_open(&pages, 100));
    CHECK_INT(btree_touched(&pages), 1); // the root is new
    CHECK_INT(btree_touched(&pages), 0);
    for (int i = 0; i < PAGE_ENTRIES; i++) {
        key[0] = (uint8_t)i;
        CHECK_INT(btree_insert(&pages, key, 0), PAGES_ADDED);
    }
    CHECK_INT(btree_touched(&pages), 1);
    key[0] = PAGE_ENTRIES;
    CHECK_INT(btree_insert(&pages, key, 0), PAGES_ADDED);
    CHECK_INT(btree_touched(&pages), 3); // two leaves, and a root above them
    CHECK(btree_find(&pages, key, &value));
    CHECK_INT(btree_touched(&pages), 2);
    btree_close(&pages);
}

// It says that it is full before it has changed anything.
TEST(an_index_fills_up)
{
    static uint64_t values[20 * PAGE_ENTRIES];
    for (uint32_t max = 1; max < 20; max++) {
        struct btree pages;
        uint8_t key[PAGE_KEY_BYTES];
        uint64_t random = 1, added = 0, value;
        CHECK(btree_open(&pages, max));
        for (int i = 0; i < 20 * PAGE_ENTRIES; i++) {
            make_key(0, 0, &random, key);
            enum btree_result result = btree_insert(&pages, key, 7);
            CHECK(result != PAGES_PRESENT);
            CHECK_INT(btree_find(&pages, key, &value), !result);
            added += result == PAGES_ADDED;
        }
        CHECK_AT_MOST(pages.used, max);
        CHECK_INT(added, btree_list(&pages, values, LENGTH_OF(values)));
        btree_close(&pages);
    }
}

#endif
