// cache.c: see cache.h. Read cache_find() first, then cache_list().
#include "cache.h"

#include <stdlib.h>
#include <sys/random.h>

#include "forward.h"
#include "measure.h"
#include "net.h"
#include "smaller.h"

#define BYTES_PER_BUCKET 1024 // of the store's limit: one bucket of the table
#define BUCKETS_MIN      1024
#define ALLOCATION_BYTES 16 // that malloc() keeps beside each allocation
#define FIRST_ROOM       4096
#define VARY_BYTES       8192 // of the request's values of the fields in Vary

static struct {
    struct cache_limits limits;
    struct cache_figures figures;
    struct entry **buckets;
    size_t mask; // the number of buckets is a power of two
    struct entry *newest, *oldest;
    uint64_t secret; // nobody can choose keys that all fall into one bucket
} cache;

void cache_begin(const struct cache_limits *limits)
{
    size_t buckets = BUCKETS_MIN;
    while (buckets < limits->bytes / BYTES_PER_BUCKET)
        buckets *= 2;
    cache.limits = *limits;
    cache.mask = buckets - 1;
    cache.buckets = calloc(buckets, sizeof *cache.buckets);
    if (!cache.buckets || getrandom(&cache.secret, sizeof cache.secret, 0) < 0)
        die("no memory for the cache");
}

void cache_end(void)
{
    while (cache.oldest)
        cache_remove(cache.oldest);
    free(cache.buckets);
}

const struct cache_figures *cache_figures(void)
{
    return &cache.figures;
}

// Each bit of the value takes part in about half the bits of the result.
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 32) * 0x9e3779b97f4a7c15;
    return (value ^ value >> 29) * 0xbf58476d1ce4e5b9;
}

uint64_t cache_hash(struct http_text key)
{
    uint64_t hash = cache.secret ^ key.length;
    for (size_t at = 0; at < key.length; at += sizeof hash) {
        uint64_t part = 0;
        memcpy(&part, key.at + at, smaller(sizeof part, key.length - at));
        hash = mix(hash ^ part);
    }
    return mix(hash ^ cache.secret);
}

// ---- Vary ----------------------------------------------------------------------------------

// Writes the request's values, as the server gets them, of all fields that the answer's Vary
// names: "name:value\n" each.
static bool write_vary(const struct http_head *answer, const struct http_head *request,
                       struct http_out *out)
{
    struct http_list names = {.head = answer, .name = "vary"};
    for (struct http_text name; http_list_next(&names, &name);) {
        http_put(out, name.at, name.length);
        for (size_t i = 0; i < request->field_count; i++) {
            const struct http_field *field = &request->fields[i];
            if (field->name.length != name.length ||
                strncasecmp(field->name.at, name.at, name.length) ||
                !forward_passes(request, name))
                continue;
            http_put(out, ":", 1);
            if (field->value.length)
                http_put(out, field->value.at, field->value.length);
        }
        http_put(out, "\n", 1);
    }
    return !out->overflow;
}

// True if the request has the same values in these fields as the one that the entry was made
// for (RFC 9111 §4.1).
static bool is_variant_for(const struct entry *entry, const struct http_head *request)
{
    char text[VARY_BYTES];
    struct http_head head;
    struct http_out out = {text, sizeof text, 0, false};
    if (!entry->vary_length)
        return true;
    cache_head(entry, &head);
    return write_vary(&head, request, &out) && out.length == entry->vary_length &&
           !memcmp(text, entry->text + entry->key_length, out.length);
}

void cache_head(const struct entry *entry, struct http_head *head)
{
    http_read_response(entry->text + entry->key_length + entry->vary_length, entry->head_length,
                       head);
}

// ---- the table, and the order of use -------------------------------------------------------

static bool has_key(const struct entry *entry, uint64_t hash, struct http_text key)
{
    return entry->hash == hash && entry->key_length == key.length &&
           !memcmp(entry->text, key.at, key.length);
}

static void leave_order(struct entry *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        cache.newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        cache.oldest = entry->newer;
}

static void enter_order(struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache.newest;
    if (cache.newest)
        cache.newest->newer = entry;
    else
        cache.oldest = entry;
    cache.newest = entry;
}

struct entry *cache_find(struct http_text key, const struct http_head *request)
{
    uint64_t hash = cache_hash(key);
    struct entry *entry = cache.buckets[hash & cache.mask];
    // A newer entry stands before an older one.
    while (entry && !(has_key(entry, hash, key) && is_variant_for(entry, request)))
        entry = entry->next;
    if (entry && entry != cache.newest) {
        leave_order(entry);
        enter_order(entry);
    }
    return entry;
}

int64_t cache_age(const struct entry *entry)
{
    return entry->freshness.age + (now_ns() - entry->stored_ns) / 1000000000;
}

// ---- entries -------------------------------------------------------------------------------

static size_t bytes_of(const struct entry *entry)
{
    return sizeof *entry + entry->key_length + entry->vary_length + entry->head_length +
           entry->room + 2 * ALLOCATION_BYTES;
}

struct entry *cache_hold(struct entry *entry)
{
    entry->users++;
    return entry;
}

void cache_release(struct entry *entry)
{
    if (!entry || --entry->users)
        return;
    cache.figures.bytes -= bytes_of(entry);
    free(entry->content);
    free(entry);
}

void cache_remove(struct entry *entry)
{
    struct entry **at = &cache.buckets[entry->hash & cache.mask];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    leave_order(entry);
    entry->listed = false;
    cache.figures.entries--;
    cache_release(entry);
}

int cache_remove_key(struct http_text key)
{
    uint64_t hash = cache_hash(key);
    int removed = 0;
    for (struct entry *entry = cache.buckets[hash & cache.mask], *next; entry; entry = next) {
        next = entry->next;
        if (has_key(entry, hash, key)) {
            cache_remove(entry);
            removed++;
        }
    }
    return removed;
}

// Evicts the least recently used entries until there is room for so many bytes. False: what is
// in use leaves no room.
static bool make_room(size_t bytes)
{
    while (cache.figures.bytes + bytes > cache.limits.bytes && cache.oldest) {
        cache_remove(cache.oldest);
        cache.figures.evicted++;
    }
    return cache.figures.bytes + bytes <= cache.limits.bytes;
}

struct entry *cache_make(struct http_text key, const struct http_head *request,
                         const struct http_head *answer, struct http_text head_text,
                         const struct freshness *freshness)
{
    char vary[VARY_BYTES];
    struct http_out out = {vary, sizeof vary, 0, false};
    if (answer->content_length > (int64_t)cache.limits.object_bytes ||
        !write_vary(answer, request, &out))
        return NULL;
    size_t bytes = sizeof(struct entry) + key.length + out.length + head_text.length;
    if (!make_room(bytes + 2 * ALLOCATION_BYTES))
        return NULL;
    struct entry *entry = malloc(bytes);
    if (!entry)
        return NULL;
    *entry = (struct entry){.hash = cache_hash(key),
                            .key_length = (uint32_t)key.length,
                            .vary_length = (uint32_t)out.length,
                            .head_length = (uint32_t)head_text.length,
                            .status = answer->status,
                            .users = 1,
                            .freshness = *freshness,
                            .stored_ns = now_ns(),
                            .expected = answer->content_length};
    if (answer->chunked || answer->status == 204)
        entry->expected = -1;
    memcpy(entry->text, key.at, key.length);
    memcpy(entry->text + key.length, vary, out.length);
    memcpy(entry->text + key.length + out.length, head_text.at, head_text.length);
    cache.figures.bytes += bytes_of(entry);
    return entry;
}

// Gives the content room for so many bytes, and counts them.
static bool resize(struct entry *entry, size_t room)
{
    if (room > entry->room && !make_room(room - entry->room))
        return false;
    char *content = realloc(entry->content, room);
    if (!content)
        return false;
    cache.figures.bytes += room - entry->room;
    entry->content = content;
    entry->room = room;
    return true;
}

bool cache_reserve(struct entry *entry, size_t bytes)
{
    size_t needed = entry->length + bytes, room = needed;
    if (needed > cache.limits.object_bytes)
        return false;
    if (needed <= entry->room)
        return true;
    if (entry->expected >= 0)
        room = (size_t)entry->expected;
    else if (needed > FIRST_ROOM)
        room = larger(needed, 2 * entry->room);
    return resize(entry, larger(room, needed));
}

void cache_fill(struct entry *entry, struct http_text content)
{
    if (content.length)
        memcpy(entry->content + entry->length, content.at, content.length);
    entry->length += content.length;
}

// Removes the entry that the new one replaces, and the oldest one where there are too many
// variants.
static void replace(const struct entry *entry)
{
    struct http_text key = {entry->text, entry->key_length};
    struct entry *last = NULL, *same = NULL;
    int variants = 0;
    for (struct entry *e = cache.buckets[entry->hash & cache.mask]; e; e = e->next) {
        if (!has_key(e, entry->hash, key))
            continue;
        variants++;
        last = e;
        if (e->vary_length == entry->vary_length &&
            !memcmp(e->text + e->key_length, entry->text + entry->key_length, e->vary_length))
            same = e;
    }
    if (same)
        cache_remove(same);
    else if (variants >= CACHE_VARIANTS)
        cache_remove(last);
}

void cache_list(struct entry *entry)
{
    struct entry **bucket = &cache.buckets[entry->hash & cache.mask];
    entry->whole = true;
    if (entry->shut)
        return;
    if (entry->length < entry->room && entry->length)
        resize(entry, entry->length); // what was too much
    replace(entry);
    entry->next = *bucket;
    *bucket = entry;
    enter_order(entry);
    entry->listed = true;
    entry->users++;
    cache.figures.entries++;
    cache.figures.stored++;
}
