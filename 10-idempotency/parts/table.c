// table.c: see table.h. A record stands in the slot that its name's hash says, or in the next
// free one behind it.
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "smaller.h"

// ---- SipHash-1-3: without the seed, its values cannot be predicted -------------------------

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t hash(const uint64_t seed[2], struct http_text name)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
                     seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
    for (size_t at = 0; at <= name.length; at += 8) {
        size_t length = smaller(name.length - at, 8);
        uint64_t word = 0;
        if (length < 8) // the last word
            word = (uint64_t)name.length << 56;
        for (size_t i = 0; i < length; i++)
            word |= (uint64_t)(uint8_t)name.at[at + i] << (8 * i);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// ---- the table -----------------------------------------------------------------------------

bool table_begin(struct table *table, uint32_t max)
{
    *table = (struct table){.size = 16, .max = max};
    while (table->size < max / 3 * 4)
        table->size *= 2;
    // Pages that are never used take no memory.
    table->slots = calloc(table->size, sizeof *table->slots);
    return table->slots && getrandom(table->seed, sizeof table->seed, 0) == sizeof table->seed;
}

void table_end(struct table *table)
{
    free(table->slots);
}

static uint32_t home(const struct table *table, struct http_text name)
{
    return (uint32_t)hash(table->seed, name) & (table->size - 1);
}

static bool is_name(const struct record *record, struct http_text name)
{
    struct http_text other = record_name(record);
    return other.length == name.length && !memcmp(other.at, name.at, name.length);
}

// The slot of this name, or the free one where it would stand.
static uint32_t find(const struct table *table, struct http_text name)
{
    uint32_t at = home(table, name);
    while (table->slots[at] && !is_name(table->slots[at], name))
        at = (at + 1) & (table->size - 1);
    return at;
}

struct record *table_find(const struct table *table, struct http_text name)
{
    return table->slots[find(table, name)];
}

bool table_add(struct table *table, struct record *record)
{
    if (table->count == table->max)
        return false;
    table->slots[find(table, record_name(record))] = record;
    table->count++;
    return true;
}

void table_remove(struct table *table, const struct record *record)
{
    uint32_t mask = table->size - 1, hole = find(table, record_name(record));
    if (table->slots[hole] != record)
        return;
    table->count--;
    // Those behind it move up, unless that would put them before their place.
    for (uint32_t at = (hole + 1) & mask; table->slots[at]; at = (at + 1) & mask) {
        uint32_t from = home(table, record_name(table->slots[at]));
        if (((at - from) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole] = NULL;
}
