// check_then_mark.c: see check_then_mark.h. Read answer_check_then_mark() first, and then what
// stands above it, upwards: mark(), when_marked(), when_charged().
//
//     check     is this key marked?                (takes --lookup-ms, as in a database)
//     mark      the key is marked                  (on the disk)
//     process   the bank is asked                  (takes --process-ms)
//     charge    the charge is kept                 (on the disk)
//
// If a second request comes between check and mark, it finds no mark either: both requests
// charge. If the server is killed between mark and charge, there is a mark without a charge:
// the retry is told "already done", and no charge was made. Another order of the steps only
// exchanges one error for the other.
#include "check_then_mark.h"

#include <stdlib.h>

#include "charge_request.h"
#include "charges.h"
#include "crashpoint.h"
#include "key.h"
#include "problem.h"

// "return; // already done" in the notes. The first answer was not kept, so it cannot be
// repeated.
static void answer_skipped(struct connection *c)
{
    static const char text[] = "{\"object\":\"skipped\",\"detail\":\"already processed\"}\n";
    c->api->stats.skipped++;
    connection_answer(c, 200, "", (struct http_text){text, sizeof text - 1});
}

static void give_up(struct connection *c)
{
    if (c->charge)
        store_forget(&c->api->store, c->charge);
    c->charge = NULL;
    charge_not_kept(c);
}

// The charge is on the disk, or could not be kept.
static void when_charged(struct connection *c)
{
    if (!c->charge) {
        charge_not_kept(c);
        return;
    }
    crash_at("after-charge");
    answer_with_charge(c, c->charge, false);
}

// The mark is on the disk, or could not be kept.
static void when_marked(struct connection *c)
{
    if (!c->durable) {
        give_up(c);
        return;
    }
    crash_at("after-mark");
    charge_make(c, when_charged);
}

static void mark(struct connection *c)
{
    struct record *record = c->mark;
    c->mark = NULL;
    crash_at("after-check");
    if (!connection_write_record(c, record, when_marked)) {
        free(record);
        give_up(c);
    }
}

void answer_check_then_mark(struct connection *c, const struct request *request)
{
    char text[KEY_MAX + 1];
    struct http_text key = {text, 0}, none = {NULL, 0};
    if (!charge_is_welcome(c))
        return;
    key.length = charge_key(c, request, text);
    if (key.length == 0)
        return;
    struct record *charge = charge_read(c, request->content, none);
    if (!charge || !charge_take(c, charge)) // takes room only: this charge has no key
        return;
    if (store_is_marked(&c->api->store, key)) {
        store_forget(&c->api->store, charge);
        answer_skipped(c);
        return;
    }
    c->mark = record_new(MARK, key, none);
    if (!c->mark)
        give_up(c);
    else if (c->api->settings.lookup_ms)
        connection_wait(c, c->api->settings.lookup_ms, mark);
    else
        mark(c);
}

void check_then_mark_abandon(struct connection *c)
{
    if (!c->mark)
        return;
    store_forget(&c->api->store, c->charge);
    c->charge = NULL;
    free(c->mark);
}
