// cache.h: the store of a shared cache: answers, found by their key and by what their Vary
// field names, the least recently used one thrown away when there is no room (RFC 9111 §2, §4).
//
// The key is made of the scheme, the host, the path and the query. An entry is used by those
// who hold it, and by the store while it is listed there; the last one frees it.
#ifndef CACHE_H
#define CACHE_H

#include "freshness.h"

#define CACHE_VARIANTS  16   // of one key; a further one takes the place of the oldest
#define CACHE_KEY_BYTES 9000 // of a key, at most

struct entry {
    struct entry *next;                            // in the same bucket of the table
    struct entry *newer, *older;                   // in the order of use
    uint64_t hash;                                 // of the key
    uint32_t key_length, vary_length, head_length; // of the three texts in text[]
    int status;
    int users;
    bool listed; // in the store
    bool whole;  // all of the content is here
    bool shut;   // it is not to be listed: something has changed meanwhile
    struct freshness freshness;
    int64_t stored_ns;   // of now_ns()
    size_t length, room; // of the content that is here; of what is allocated for it
    int64_t expected;    // content's length as its head says; -1: it does not say
    char *content;
    char text[]; // the key; the request's values of the fields in Vary; the head, with
                 // "\r\n\r\n"
};

struct cache_limits {
    size_t bytes;        // of all entries, with all that belongs to them
    size_t object_bytes; // of one content
};

struct cache_figures {
    size_t entries, bytes;
    long stored, evicted;
};

// Must come first. Dies where there is no memory.
void cache_begin(const struct cache_limits *limits);
void cache_end(void);
const struct cache_figures *cache_figures(void);

uint64_t cache_hash(struct http_text key);

// The newest entry for this key and these fields of the request; NULL if there is none. It is
// then the most recently used one. Valid until the next call that is not cache_age().
struct entry *cache_find(struct http_text key, const struct http_head *request);

// Seconds since the server made this answer, now.
int64_t cache_age(const struct entry *entry);

// Makes an entry, which the caller holds, for an answer with this head; `head_text` is what of
// it clients get, down to its empty line. NULL: it is too large, or there is no memory.
struct entry *cache_make(struct http_text key, const struct http_head *request,
                         const struct http_head *answer, struct http_text head_text,
                         const struct freshness *freshness);

// Makes sure that there is room for so many further bytes of content. False: it is too large,
// or there is no memory.
bool cache_reserve(struct entry *entry, size_t bytes);

// Adds content, for which there is room.
void cache_fill(struct entry *entry, struct http_text content);

// The content is whole: lists the entry, in place of one for the same request, and evicts the
// least recently used ones until there is room.
void cache_list(struct entry *entry);

// cache_release(NULL) does nothing.
struct entry *cache_hold(struct entry *entry);
void cache_release(struct entry *entry);

// Removes one entry; all entries of a key: returns how many there were.
void cache_remove(struct entry *entry);
int cache_remove_key(struct http_text key);

// The head of an entry, which points into its text.
void cache_head(const struct entry *entry, struct http_head *head);

#endif
