// store.h: all that the server knows: the charges in the order in which they were made, the
// keys, the accounts; and the journal, which is the truth. What is in memory can be made again
// out of it.
//
// A record is first added: it goes into the journal's present group. When store_commit() has
// brought the group to the disk, it is durable: only then does it count, and only then is its
// waiter told. If the group could not be written, its records are dropped, and their waiters
// are told that.
#ifndef STORE_H
#define STORE_H

#include "commit_delay.h"
#include "journal.h"
#include "record.h"
#include "table.h"
#include "ulid.h"

#define CHARGES_MAX  4000000 // then 507
#define KEYS_MAX     2000000 // then 503: some will expire
#define ACCOUNTS_MAX 10000   // then 507

struct balance {
    uint64_t count, sum;
};

struct store {
    struct journal journal;
    struct record **charges; // in the order of their ids, for a binary search
    uint32_t charge_count;
    uint32_t taken;           // the charges that there are, and those that are being made
    uint32_t first_unexpired; // the index of the first charge whose key has not expired
    struct table keys, marks, accounts;
    uint32_t coming[ACCOUNT + 1];     // marks and accounts in the present group
    struct record *mark, **last_mark; // the list of marks, the oldest first
    struct record *first, **last;     // the list of the present group's records
    struct commit_delay delay;        // how long the present group may wait
    struct ulid_source ids;
    int64_t key_ttl_ms;
    int64_t latest_ms; // the latest time that the clock on the wall has shown
    struct balance balances[CURRENCIES];
    uint64_t live_bytes; // the bytes of the journal's lines that are still needed
    uint64_t waste_max;  // so many bytes of other lines may be in the journal
    uint64_t rewrites;   // how often the journal was compacted
    bool failing;        // the last group could not be written
    struct json json;    // room to read a line
    // Called when a record is durable, or will never be. The record's waiter is not NULL; it
    // may be any object. If the record is not durable, it is freed when this returns.
    void (*settled)(void *waiter, struct record *record);
};

// Reads the journal, or begins one, for this process alone. False: see journal.error.
bool store_begin(struct store *store, const char *path);
void store_end(struct store *store);

// The charge that was made, or is being made, for a key that has not expired.
struct record *store_find_key(struct store *store, struct http_text key);
bool store_is_marked(struct store *store, struct http_text key);

// A charge is under way: its key, if it has one, is taken. Returns 0, or the status of a
// refusal: 503 if there are too many keys, 507 if there are too many charges.
int store_take(struct store *store, struct record *charge);

// The charge was not made after all: frees the charge, and its key.
void store_forget(struct store *store, struct record *charge);

// Adds a record to the present group. A charge gets its id and its time now. False: there is no
// room for it.
bool store_add(struct store *store, struct record *record);

// Brings the present group, if there is one, to the disk, and tells the waiters. To be called
// in each round of the loop. False: the group was not synced yet, because more records are
// likely to come at once; then the next round has to begin without a sleep.
bool store_commit(struct store *store);

// store_after(): the index of the first charge behind this id. store_find(): the index of the
// charge with this id. Both: charge_count if there is none.
uint32_t store_after(const struct store *store, struct http_text id);
uint32_t store_find(const struct store *store, struct http_text id);

#endif
