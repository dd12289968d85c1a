// hpack_table.c: see hpack_table.h.
#include "hpack_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ENTRIES 8   // that a dynamic table has room for at first
#define FIRST_BYTES   128 // and bytes

// ---- the static table (Appendix A): number 1 is the first ----------------------------------

static const struct {
    const char *name, *value;
} static_table[HPACK_STATIC_ENTRIES + 1] = {{"", ""},
                                            {":authority", ""},
                                            {":method", "GET"},
                                            {":method", "POST"},
                                            {":path", "/"},
                                            {":path", "/index.html"},
                                            {":scheme", "http"},
                                            {":scheme", "https"},
                                            {":status", "200"},
                                            {":status", "204"},
                                            {":status", "206"},
                                            {":status", "304"},
                                            {":status", "400"},
                                            {":status", "404"},
                                            {":status", "500"},
                                            {"accept-charset", ""},
                                            {"accept-encoding", "gzip, deflate"},
                                            {"accept-language", ""},
                                            {"accept-ranges", ""},
                                            {"accept", ""},
                                            {"access-control-allow-origin", ""},
                                            {"age", ""},
                                            {"allow", ""},
                                            {"authorization", ""},
                                            {"cache-control", ""},
                                            {"content-disposition", ""},
                                            {"content-encoding", ""},
                                            {"content-language", ""},
                                            {"content-length", ""},
                                            {"content-location", ""},
                                            {"content-range", ""},
                                            {"content-type", ""},
                                            {"cookie", ""},
                                            {"date", ""},
                                            {"etag", ""},
                                            {"expect", ""},
                                            {"expires", ""},
                                            {"from", ""},
                                            {"host", ""},
                                            {"if-match", ""},
                                            {"if-modified-since", ""},
                                            {"if-none-match", ""},
                                            {"if-range", ""},
                                            {"if-unmodified-since", ""},
                                            {"last-modified", ""},
                                            {"link", ""},
                                            {"location", ""},
                                            {"max-forwards", ""},
                                            {"proxy-authenticate", ""},
                                            {"proxy-authorization", ""},
                                            {"range", ""},
                                            {"referer", ""},
                                            {"refresh", ""},
                                            {"retry-after", ""},
                                            {"server", ""},
                                            {"set-cookie", ""},
                                            {"strict-transport-security", ""},
                                            {"transfer-encoding", ""},
                                            {"user-agent", ""},
                                            {"vary", ""},
                                            {"via", ""},
                                            {"www-authenticate", ""}};

static uint8_t static_length[HPACK_STATIC_ENTRIES + 1]; // of the names
static uint8_t value_length[HPACK_STATIC_ENTRIES + 1];
static uint8_t static_first[HPACK_STATIC_ENTRIES + 1]; // the first entry with the same name

void hpack_table_begin(void)
{
    if (static_first[1])
        return;
    for (uint8_t i = 1; i <= HPACK_STATIC_ENTRIES; i++) {
        bool same = !strcmp(static_table[i].name, static_table[i - 1].name);
        static_length[i] = (uint8_t)strlen(static_table[i].name);
        value_length[i] = (uint8_t)strlen(static_table[i].value);
        static_first[i] = i;
        if (same)
            static_first[i] = static_first[i - 1];
    }
}

uint8_t hpack_static_name(const char *name, uint32_t length)
{
    for (uint8_t i = 1; i <= HPACK_STATIC_ENTRIES; i++)
        if (static_length[i] == length && !memcmp(static_table[i].name, name, length))
            return i;
    return 0;
}

struct hpack_field hpack_field(const char *name, const char *value)
{
    uint32_t length = (uint32_t)strlen(name);
    return (struct hpack_field){.name = name,
                                .value = value,
                                .name_length = length,
                                .value_length = (uint32_t)strlen(value),
                                .static_name = hpack_static_name(name, length)};
}

// ---- the dynamic table ---------------------------------------------------------------------

uint32_t hpack_field_size(const struct hpack_field *field) // §4.1
{
    return HPACK_FIELD_OVERHEAD + field->name_length + field->value_length;
}

static struct hpack_entry *entry_at(const struct hpack_table *table, uint32_t age)
{
    return &table->entries[(table->added - 1 - age) & (table->entry_capacity - 1)];
}

static void evict(struct hpack_table *table, uint32_t max)
{
    while (table->size > max) {
        const struct hpack_entry *oldest = entry_at(table, table->count - 1);
        table->size -= HPACK_FIELD_OVERHEAD + oldest->name_length + oldest->value_length;
        table->count--;
    }
}

void hpack_table_resize(struct hpack_table *table, uint32_t max)
{
    evict(table, max);
    table->max = max;
}

static bool grow_entries(struct hpack_table *table)
{
    uint32_t capacity = 2 * table->entry_capacity;
    if (capacity == 0)
        capacity = FIRST_ENTRIES;
    struct hpack_entry *entries = malloc(capacity * sizeof *entries);
    if (!entries)
        return false;
    for (uint32_t age = 0; age < table->count; age++)
        entries[(table->added - 1 - age) & (capacity - 1)] = *entry_at(table, age);
    free(table->entries);
    table->entries = entries;
    table->entry_capacity = capacity;
    return true;
}

// Makes room for `length` bytes at the end: by moving all to the front, and when that would be
// too little to gain, in a larger block. At twice the table's limit there is always much to
// gain.
static bool make_room(struct hpack_table *table, uint32_t length)
{
    uint32_t start = table->count ? entry_at(table, table->count - 1)->at : table->end;
    uint32_t live = table->end - start, capacity = table->byte_capacity;
    if (table->bytes && table->end - table->base + length <= capacity)
        return true;
    if (capacity == 0)
        capacity = FIRST_BYTES;
    while (capacity < 2 * (live + length) && capacity < 2 * HPACK_TABLE_MAX)
        capacity *= 2;
    if (live)
        memmove(table->bytes, table->bytes + (start - table->base), live);
    table->base = start;
    char *bytes = realloc(table->bytes, capacity);
    if (!bytes)
        return false;
    table->bytes = bytes;
    table->byte_capacity = capacity;
    return true;
}

bool hpack_table_add(struct hpack_table *table, const struct hpack_field *field)
{
    uint32_t size = hpack_field_size(field), length = field->name_length + field->value_length;
    if (size > table->max) {
        evict(table, 0);
        return true;
    }
    evict(table, table->max - size);
    if (!make_room(table, length) ||
        (table->count == table->entry_capacity && !grow_entries(table)))
        return false;
    char *to = table->bytes + (table->end - table->base);
    memcpy(to, field->name, field->name_length);
    memcpy(to + field->name_length, field->value, field->value_length);
    table->added++;
    table->count++;
    table->size += size;
    *entry_at(table, 0) =
        (struct hpack_entry){table->end, (uint16_t)field->name_length,
                             (uint16_t)field->value_length, field->static_name};
    table->end += length;
    return true;
}

bool hpack_table_get(const struct hpack_table *table, uint32_t index, struct hpack_field *field)
{
    if (index == 0 || index - 1 >= HPACK_STATIC_ENTRIES + table->count)
        return false;
    if (index <= HPACK_STATIC_ENTRIES) {
        *field = (struct hpack_field){.name = static_table[index].name,
                                      .value = static_table[index].value,
                                      .name_length = static_length[index],
                                      .value_length = value_length[index],
                                      .static_name = static_first[index]};
        return true;
    }
    const struct hpack_entry *entry = entry_at(table, index - HPACK_STATIC_ENTRIES - 1);
    const char *name = table->bytes + (entry->at - table->base);
    *field = (struct hpack_field){.name = name,
                                  .value = name + entry->name_length,
                                  .name_length = entry->name_length,
                                  .value_length = entry->value_length,
                                  .static_name = entry->static_name};
    return true;
}

static bool same(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
    return a_length == b_length && !memcmp(a, b, a_length);
}

uint32_t hpack_table_find(const struct hpack_table *table, const struct hpack_field *field,
                          bool *whole)
{
    uint32_t name = field->static_name;
    if (name == 0)
        name = hpack_static_name(field->name, field->name_length);
    *whole = true;
    for (uint32_t i = name; i && i <= HPACK_STATIC_ENTRIES && static_first[i] == name; i++)
        if (same(static_table[i].value, value_length[i], field->value, field->value_length))
            return i;
    for (uint32_t age = 0; age < table->count; age++) {
        const struct hpack_entry *entry = entry_at(table, age);
        const char *text = table->bytes + (entry->at - table->base);
        if (!same(text, entry->name_length, field->name, field->name_length))
            continue;
        if (same(text + entry->name_length, entry->value_length, field->value,
                 field->value_length))
            return HPACK_STATIC_ENTRIES + 1 + age;
        if (name == 0)
            name = HPACK_STATIC_ENTRIES + 1 + age;
    }
    *whole = false;
    return name;
}

void hpack_table_free(struct hpack_table *table)
{
    free(table->entries);
    free(table->bytes);
    *table = (struct hpack_table){0};
}
