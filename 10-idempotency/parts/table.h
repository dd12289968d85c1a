// table.h: records by their names: a hash table of a fixed size, so that no request ever waits
// until it has grown.
#ifndef TABLE_H
#define TABLE_H

#include "record.h"

struct table {
    struct record **slots;
    uint32_t size, max, count; // size: a power of two, more than max
    uint64_t seed[2]; // secret, so that a client cannot choose names that fall into one place
};

// Room for `max` records. False: there is no memory.
bool table_begin(struct table *table, uint32_t max);
void table_end(struct table *table); // the records are not its own

struct record *table_find(const struct table *table, struct http_text name);

// Adds a record whose name is not in it. False: it is full.
bool table_add(struct table *table, struct record *record);

// Removes a record that is in it.
void table_remove(struct table *table, const struct record *record);

#endif
