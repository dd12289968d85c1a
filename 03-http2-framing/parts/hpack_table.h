// hpack_table.h: the two tables of HPACK (RFC 7541 §2.3): the static one, which is the same for
// all programs, and the dynamic one, which each direction of a connection fills as it goes.
#ifndef HPACK_TABLE_H
#define HPACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HPACK_STATIC_ENTRIES 61
#define HPACK_TABLE_MAX      4096 // of a dynamic table, by §4.1: lengths, and 32 for each entry
#define HPACK_FIELD_OVERHEAD 32

// The fields that client and server use, by their index in the static table (Appendix A).
enum hpack_name {
    HPACK_OTHER_NAME,
    HPACK_AUTHORITY = 1,
    HPACK_METHOD = 2,
    HPACK_PATH = 4,
    HPACK_SCHEME = 6,
    HPACK_STATUS = 8,
    HPACK_ALLOW = 22,
    HPACK_AUTHORIZATION = 23,
    HPACK_CONTENT_LENGTH = 28,
    HPACK_CONTENT_TYPE = 31,
    HPACK_COOKIE = 32,
    HPACK_DATE = 33,
    HPACK_EXPECT = 35,
    HPACK_HOST = 38,
    HPACK_LINK = 45,
    HPACK_TRANSFER_ENCODING = 57,
    HPACK_USER_AGENT = 58,
};

enum hpack_indexing {
    HPACK_INDEXED,     // the field goes into the dynamic table: it will come again
    HPACK_NOT_INDEXED, // the field does not: it will not come again
    HPACK_NEVER,       // the field is a secret: no proxy may index it either (§7.1.3)
};

struct hpack_field {
    const char *name, *value; // not ended by a zero: the lengths count
    uint32_t name_length, value_length;
    uint8_t static_name; // its first index in the static table; 0: none, or not known
    uint8_t indexing;    // enum hpack_indexing
};

struct hpack_entry {
    uint32_t at; // where its name begins; its value follows
    uint16_t name_length, value_length;
    uint8_t static_name;
};

// A dynamic table (§2.3.2). All zero is an empty one that owns no memory.
struct hpack_table {
    struct hpack_entry *entries; // a ring: entry number n is at n % capacity
    char *bytes;                 // their names and values, the oldest first
    uint32_t entry_capacity, byte_capacity;
    uint32_t added;     // entries that were ever added
    uint32_t count;     // entries that are in the table now
    uint32_t base, end; // bytes[0] has position `base`; the next name goes to position `end`
    uint32_t size, max; // by §4.1
};

// Prepares the static table. Call it before any other function here.
void hpack_table_begin(void);

// Adds an entry (§4.4): older ones make room for it. One that is larger than the whole table
// empties it, and is not added: that is no error. False: no memory.
bool hpack_table_add(struct hpack_table *table, const struct hpack_field *field);

// Sets the greatest size. The oldest entries are removed until the others fit.
void hpack_table_resize(struct hpack_table *table, uint32_t max);

// Finds the field with this index in the two tables (§2.3.3). False: there is none.
bool hpack_table_get(const struct hpack_table *table, uint32_t index,
                     struct hpack_field *field);

// Returns the best index for a field; 0: neither table has its name. Sets *whole if the entry
// has the field's value too, and not only its name.
uint32_t hpack_table_find(const struct hpack_table *table, const struct hpack_field *field,
                          bool *whole);

// Frees the memory; the table is empty then.
void hpack_table_free(struct hpack_table *table);

// Returns the first index of this name in the static table; 0: it is not there.
uint8_t hpack_static_name(const char *name, uint32_t length);

// The field of a name and value that end in a zero.
struct hpack_field hpack_field(const char *name, const char *value);

// What a field counts in a table and in a list (§4.1).
uint32_t hpack_field_size(const struct hpack_field *field);

#endif
