// pattern.c: see pattern.h. Read answer_pattern_charge() first, and then what follows it, in
// the order in which it happens.
//
//     check     is this key marked?                (the database is asked, and answers)
//     mark      it is now                          (on the disk)
//     process   the bank is asked
//     charge    the charge is kept                 (on the disk)
//
// Between check and mark a second request finds no mark either: both charge. Between mark and
// charge a crash leaves a mark without a charge: the retry is told "already done", and nobody
// has paid. To change the order only changes which of the two it is.
#include "pattern.h"

#include <stdlib.h>

#include "charges.h"
#include "crashpoint.h"
#include "key.h"
#include "problem.h"

// "return; // already done": what the first answer was, nobody knows any more.
static void answer_skipped(struct session *s)
{
    static const char text[] = "{\"object\":\"skipped\",\"detail\":\"already processed\"}\n";
    s->api->figures.skipped++;
    session_answer(s, 200, "", (struct http_text){text, sizeof text - 1});
}

static void give_up(struct session *s)
{
    if (s->charge)
        store_forget(&s->api->store, s->charge);
    s->charge = NULL;
    charge_not_kept(s);
}

static void is_charged(struct session *s)
{
    if (!s->charge) {
        charge_not_kept(s);
        return;
    }
    crash_at("after-charge");
    charge_answer(s, s->charge, false);
}

static void is_marked(struct session *s)
{
    if (!s->durable) {
        give_up(s);
        return;
    }
    crash_at("after-mark");
    charge_make(s, is_charged);
}

static void mark(struct session *s)
{
    struct record *record = s->mark;
    s->mark = NULL;
    crash_at("after-check");
    if (!session_keep(s, record, is_marked)) {
        free(record);
        give_up(s);
    }
}

void answer_pattern_charge(struct session *s, const struct request *request)
{
    char text[KEY_MAX + 1];
    struct http_text key = {text, 0}, none = {NULL, 0};
    if (!charge_is_welcome(s) || !(key.length = charge_key(s, request, text)))
        return;
    struct record *charge = charge_read(s, request->content, none);
    if (!charge || !charge_take(s, charge))
        return;
    if (store_is_marked(&s->api->store, key)) {
        store_forget(&s->api->store, charge);
        answer_skipped(s);
        return;
    }
    s->mark = record_new(MARK, key, none);
    if (!s->mark)
        give_up(s);
    else if (s->api->settings.lookup_ms)
        session_wait(s, s->api->settings.lookup_ms, mark);
    else
        mark(s);
}

void pattern_abandon(struct session *s)
{
    if (!s->mark)
        return;
    store_forget(&s->api->store, s->charge);
    s->charge = NULL;
    free(s->mark);
}
