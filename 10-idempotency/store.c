// store.c: see store.h. Read store_add() and store_commit() first, then settle().
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "smaller.h"

#define CLOCK_STEP_MS   1000 // a clock that goes back by less is taken as it is
#define EXPIRED_AT_ONCE 1000 // keys that a request may have to remove

// ---- keys that expire ----------------------------------------------------------------------

// The time, by the clock on the wall: a key outlives the process, and so it expires by that
// clock. Where the clock has been put back, keys from the future are left: they count as kept
// now.
static int64_t look_at_the_clock(struct store *store)
{
    int64_t now_ms = (int64_t)ulid_now_ms();
    if (now_ms < store->latest_ms - CLOCK_STEP_MS) {
        for (uint32_t i = store->first_unexpired; i < store->charge_count; i++)
            if (store->charges[i]->key_from_ms > now_ms)
                store->charges[i]->key_from_ms = now_ms;
        for (struct record *mark = store->mark; mark; mark = mark->next)
            if (mark->key_from_ms > now_ms)
                mark->key_from_ms = now_ms;
        store->latest_ms = now_ms;
    }
    if (now_ms > store->latest_ms)
        store->latest_ms = now_ms;
    return now_ms;
}

static bool has_expired(const struct store *store, const struct record *record, int64_t now_ms)
{
    return record->state == DURABLE && now_ms - record->key_from_ms >= store->key_ttl_ms;
}

// The charge stays: only its key is forgotten.
static void forget_key(struct store *store, struct record *charge)
{
    char line[RECORD_BYTES];
    if (!charge->name_length)
        return;
    table_remove(&store->keys, charge);
    store->live_bytes -= charge->line_length;
    charge->name_length = 0;
    store->live_bytes += record_write(charge, line);
}

// The oldest keys stand in front, so that those which have expired are the first ones.
static void expire(struct store *store, uint32_t max)
{
    int64_t now_ms = look_at_the_clock(store);
    for (uint32_t i = 0; i < max && store->first_unexpired < store->charge_count &&
                         has_expired(store, store->charges[store->first_unexpired], now_ms);
         i++)
        forget_key(store, store->charges[store->first_unexpired++]);
    for (uint32_t i = 0; i < max && store->mark && has_expired(store, store->mark, now_ms);
         i++) {
        struct record *mark = store->mark;
        store->mark = mark->next;
        if (!store->mark)
            store->last_mark = &store->mark;
        table_remove(&store->marks, mark);
        store->live_bytes -= mark->line_length;
        free(mark);
    }
}

struct record *store_find_key(struct store *store, struct http_text key)
{
    expire(store, EXPIRED_AT_ONCE);
    struct record *charge = table_find(&store->keys, key);
    // expire() may not have come to this charge yet.
    if (charge && has_expired(store, charge, look_at_the_clock(store))) {
        forget_key(store, charge);
        charge = NULL;
    }
    return charge;
}

bool store_is_marked(struct store *store, struct http_text key)
{
    expire(store, EXPIRED_AT_ONCE);
    const struct record *mark = table_find(&store->marks, key);
    return mark && !has_expired(store, mark, look_at_the_clock(store));
}

// ---- records that are durable --------------------------------------------------------------

static bool keep_charge(struct store *store, struct record *charge)
{
    struct balance *balance = &store->balances[charge->currency];
    store->charges[store->charge_count++] = charge;
    if (charge->succeeded) {
        balance->count++;
        balance->sum += (uint64_t)charge->amount;
    }
    return true;
}

// Two requests that passed the check at the same time both mark: the second mark is not kept.
static bool keep_mark(struct store *store, struct record *mark)
{
    if (!table_add(&store->marks, mark))
        return false;
    mark->next = NULL;
    *store->last_mark = mark;
    store->last_mark = &mark->next;
    return true;
}

static bool keep_account(struct store *store, struct record *account)
{
    struct record *old = table_find(&store->accounts, record_name(account));
    account->existed = old;
    if (old) {
        table_remove(&store->accounts, old);
        store->live_bytes -= old->line_length;
        free(old);
    }
    return account->kind == ACCOUNT && table_add(&store->accounts, account);
}

// A record has become durable. True: it stays in memory; false: it is not needed any more, and
// the caller frees it.
static bool keep(struct store *store, struct record *record)
{
    bool kept;
    if (record->kind == CHARGE)
        kept = keep_charge(store, record);
    else if (record->kind == MARK)
        kept = !table_find(&store->marks, record_name(record)) && keep_mark(store, record);
    else
        kept = keep_account(store, record);
    if (kept)
        store->live_bytes += record->line_length;
    return kept;
}

// ---- the group -----------------------------------------------------------------------------

int store_take(struct store *store, struct record *charge)
{
    if (store->taken == CHARGES_MAX)
        return 507;
    if (charge->name_length && !table_add(&store->keys, charge))
        return 503;
    store->taken++;
    return 0;
}

void store_forget(struct store *store, struct record *charge)
{
    if (charge->name_length)
        table_remove(&store->keys, charge);
    store->taken--;
    free(charge);
}

static bool has_room(const struct store *store, const struct record *record)
{
    return (record->kind != MARK || store->marks.count + store->coming[MARK] < KEYS_MAX) &&
           (record->kind != ACCOUNT ||
            store->accounts.count + store->coming[ACCOUNT] < ACCOUNTS_MAX);
}

bool store_add(struct store *store, struct record *record)
{
    char line[RECORD_BYTES];
    struct ulid id;
    record->created_ms = record->key_from_ms = look_at_the_clock(store);
    if (!has_room(store, record))
        return false;
    if (record->kind == CHARGE) {
        if (!ulid_next(&store->ids, (uint64_t)record->created_ms, &id))
            return false;
        memcpy(record->id, "ch_", 3);
        ulid_write(&id, record->id + 3);
    }
    size_t length = record_write(record, line);
    if (!length || !journal_append(&store->journal, line, length))
        return false;
    if (record->kind == MARK || record->kind == ACCOUNT)
        store->coming[record->kind]++;
    record->state = WRITTEN;
    record->next = NULL;
    *store->last = record;
    store->last = &record->next;
    store->delay.records++;
    return true;
}

// The group is on the disk, or (`durable` is false) could not be written. Each of its records
// is kept or freed, and the connection that waits for the record is told.
static void settle(struct store *store, bool durable)
{
    struct record *record = store->first, *next;
    store->first = NULL;
    store->last = &store->first;
    memset(store->coming, 0, sizeof store->coming);
    for (; record; record = next) {
        next = record->next;
        record->state = PENDING;
        if (durable)
            record->state = DURABLE;
        bool kept = durable && keep(store, record);
        if (record->waiter)
            store->settled(record->waiter, record);
        record->waiter = NULL;
        if (!durable && record->kind == CHARGE)
            store_forget(store, record);
        else if (!kept)
            free(record);
    }
}

// ---- compaction ----------------------------------------------------------------------------

static bool append_fresh(struct store *store, struct journal *fresh, struct record *record)
{
    char line[RECORD_BYTES];
    return journal_append_fresh(&store->journal, fresh, line, record_write(record, line));
}

// Writes a new journal of what is true now. All charges stay, for they are the books; keys and
// marks that have expired do not, nor accounts that were deleted or put again. The loop stands
// still meanwhile.
static void rewrite(struct store *store, uint64_t waste)
{
    struct journal fresh;
    bool good = journal_begin_fresh(&store->journal, &fresh);
    for (uint32_t i = 0; good && i < store->charge_count; i++)
        good = append_fresh(store, &fresh, store->charges[i]);
    for (struct record *mark = store->mark; good && mark; mark = mark->next)
        good = append_fresh(store, &fresh, mark);
    for (uint32_t i = 0; good && i < store->accounts.size; i++)
        if (store->accounts.slots[i])
            good = append_fresh(store, &fresh, store->accounts.slots[i]);
    if (good && journal_replace(&store->journal, &fresh)) {
        store->rewrites++;
    } else {
        fprintf(stderr, "no compaction: %s\n", store->journal.error);
        store->waste_max = 2 * waste; // not again at once
    }
}

static void compact(struct store *store)
{
    uint64_t used = (uint64_t)(store->journal.end - JOURNAL_HEAD);
    uint64_t waste = 0;
    if (used > store->live_bytes)
        waste = used - store->live_bytes;
    if (waste > store->waste_max && waste > store->live_bytes / 2)
        rewrite(store, waste);
}

bool store_commit(struct store *store)
{
    if (commit_delay_waits(&store->delay, now_ns()))
        return false;
    if (!store->first)
        return true;
    int64_t began_ns = now_ns();
    bool durable = journal_commit(&store->journal);
    commit_delay_synced(&store->delay, now_ns() - began_ns);
    if (durable && store->failing)
        fprintf(stderr, "the journal can be written again\n");
    else if (!durable && !store->failing) // printed once, and not for each client
        fprintf(stderr, "%s\n", store->journal.error);
    store->failing = !durable;
    settle(store, durable);
    expire(store, EXPIRED_AT_ONCE);
    compact(store);
    return true;
}

// ---- the beginning and the end -------------------------------------------------------------

// One line of the journal.
static bool take_line(void *context, const char *line, size_t length)
{
    struct store *store = context;
    struct record *record = record_read(&store->json, line, length);
    if (!record)
        return false;
    if (record->created_ms > store->latest_ms)
        store->latest_ms = record->created_ms;
    if (store->keys.count == KEYS_MAX || store->marks.count == KEYS_MAX)
        expire(store, UINT32_MAX); // the journal may have more keys than there were at a time
    if (record->kind != CHARGE) {
        if (!keep(store, record))
            free(record);
        return true;
    }
    struct ulid id;
    bool good =
        ulid_read(record->id + 3, ULID_LENGTH, &id) &&
        (!store->charge_count ||
         memcmp(record->id, store->charges[store->charge_count - 1]->id, ID_LENGTH) > 0);
    struct record *old = NULL;
    if (record->name_length)
        old = table_find(&store->keys, record_name(record));
    if (old) // the key was used again when it had expired
        forget_key(store, old);
    if (!good || store_take(store, record)) {
        free(record);
        return false;
    }
    store->ids.last = id;
    keep(store, record);
    return true;
}

bool store_begin(struct store *store, const char *path)
{
    store->last = &store->first;
    store->last_mark = &store->mark;
    store->charges = calloc(CHARGES_MAX, sizeof *store->charges);
    if (!store->charges || !table_begin(&store->keys, KEYS_MAX) ||
        !table_begin(&store->marks, KEYS_MAX) || !table_begin(&store->accounts, ACCOUNTS_MAX)) {
        snprintf(store->journal.error, sizeof store->journal.error, "no memory");
        return false;
    }
    if (!journal_open(&store->journal, path, take_line, store))
        return false;
    expire(store, UINT32_MAX);
    compact(store);
    return true;
}

void store_end(struct store *store)
{
    for (uint32_t i = 0; i < store->charge_count; i++)
        free(store->charges[i]);
    for (struct record *mark = store->mark, *next; mark; mark = next) {
        next = mark->next;
        free(mark);
    }
    for (uint32_t i = 0; i < store->accounts.size; i++)
        free(store->accounts.slots[i]);
    free(store->charges);
    table_end(&store->keys);
    table_end(&store->marks);
    table_end(&store->accounts);
    journal_close(&store->journal);
}

// ---- charges by id -------------------------------------------------------------------------

uint32_t store_after(const struct store *store, struct http_text id)
{
    uint32_t from = 0, to = store->charge_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        size_t length = smaller(id.length, ID_LENGTH);
        int order = memcmp(store->charges[middle]->id, id.at, length);
        if (order < 0 || (order == 0 && id.length >= ID_LENGTH))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

uint32_t store_find(const struct store *store, struct http_text id)
{
    uint32_t behind = store_after(store, id);
    if (id.length == ID_LENGTH && behind > 0 &&
        !memcmp(store->charges[behind - 1]->id, id.at, ID_LENGTH))
        return behind - 1;
    return store->charge_count;
}
