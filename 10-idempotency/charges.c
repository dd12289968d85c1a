// charges.c: see charges.h. answer_charge() is the lesson. Behind it is what becomes of a
// charge: charge_take(), charge_make(), bank_has_answered(), answer_made_charge().
#include "charges.h"

#include <stdlib.h>
#include <string.h>

#include "charge_list.h"
#include "charge_request.h"
#include "crashpoint.h"
#include "key.h"
#include "problem.h"

static bool is_same(const struct record *charge, const struct record *again);
static void answer_again(struct connection *c, const struct record *charge, bool same);
static void answer_made_charge(struct connection *c);

// ---- POST /charges -------------------------------------------------------------------------

// The server looks whether the key is known (store_find_key()), and takes it (charge_take()).
// No other request comes between the two: there is one thread, and it does not wait there. The
// key is stored in the record of its charge, which is one line of the journal: after a crash
// both are there, or neither.
void answer_charge(struct connection *c, const struct request *request)
{
    char text[KEY_MAX + 1];
    struct http_text key = {text, 0};
    // The next three functions (parts/charge_request.c) answer the request themselves where
    // they find something wrong.
    if (!charge_is_welcome(c))
        return;
    key.length = charge_key(c, request, text);
    if (key.length == 0)
        return;
    struct record *charge = charge_read(c, request->content, key);
    if (!charge)
        return;
    const struct record *first = store_find_key(&c->api->store, key);
    if (first) {
        bool same = is_same(first, charge);
        free(charge);
        answer_again(c, first, same);
    } else if (charge_take(c, charge)) {
        charge_make(c, answer_made_charge);
    }
}

// Does the second request ask for the same operation as the first one? The record of the charge
// has all that the first one asked for, so the two are compared, and not hashes of them.
static bool is_same(const struct record *charge, const struct record *again)
{
    struct http_text source = record_text(charge), other = record_text(again);
    return charge->amount == again->amount && charge->currency == again->currency &&
           source.length == other.length && !memcmp(source.at, other.at, source.length);
}

// The key is known (draft-ietf-httpapi-idempotency-key-header §2.6, §2.7).
static void answer_again(struct connection *c, const struct record *charge, bool same)
{
    if (!same) {
        c->api->stats.mismatches++;
        problem(c, 422, "", "Idempotency-Key", "This key stands for another request.");
    } else if (charge->state != DURABLE) {
        c->api->stats.conflicts++;
        problem(c, 409, "", "Idempotency-Key", "The first request with this key is under way.");
    } else {
        answer_with_charge(c, charge, true);
    }
}

// POST /naive/charges: the same without a key. A client that asks twice pays twice.
void answer_naive_charge(struct connection *c, const struct request *request)
{
    if (!charge_is_welcome(c))
        return;
    struct record *charge = charge_read(c, request->content, (struct http_text){NULL, 0});
    if (charge && charge_take(c, charge))
        charge_make(c, answer_made_charge);
}

// ---- making a charge -----------------------------------------------------------------------

bool charge_take(struct connection *c, struct record *charge)
{
    int status = store_take(&c->api->store, charge);
    if (!status) {
        c->charge = charge;
        return true;
    }
    c->api->stats.failed++;
    free(charge);
    if (status == 503)
        problem(c, 503, "Retry-After: 60\r\n", NULL, "There is no room for one more key.");
    else
        problem(c, 507, "", NULL, "There is no room for one more charge.");
    return false;
}

// Stores the bank's decision: this bank declines each source that begins with "tok_declined".
static void store_decision(struct connection *c)
{
    static const char bad[] = "tok_declined";
    struct http_text source = record_text(c->charge);
    bool declined = source.length >= sizeof bad - 1 && !memcmp(source.at, bad, sizeof bad - 1);
    c->charge->succeeded = !declined;
    c->api->stats.declined += declined;
    c->api->stats.charged += !declined;
}

// The bank has answered. Charge, key and answer are one record: connection_write_record() adds
// it to the journal's present group, and the connection waits. c->when_made is called when the
// group is on the disk, or could not be written.
static void bank_has_answered(struct connection *c)
{
    store_decision(c);
    crash_at("before-journal");
    if (!connection_write_record(c, c->charge, c->when_made)) {
        store_forget(&c->api->store, c->charge);
        c->charge = NULL;
        c->when_made(c);
    }
}

// There is no bank: its work is a wait of --process-ms.
void charge_make(struct connection *c, void (*then)(struct connection *c))
{
    c->when_made = then;
    if (c->api->settings.process_ms)
        connection_wait(c, c->api->settings.process_ms, bank_has_answered);
    else
        bank_has_answered(c);
}

void charge_abandon(struct connection *c)
{
    if (c->record)
        c->record->waiter = NULL;
    if (!c->charge || c->charge->state != PENDING)
        return;
    store_decision(c);
    if (!store_add(&c->api->store, c->charge))
        store_forget(&c->api->store, c->charge);
}

// ---- answers -------------------------------------------------------------------------------

// The charge is on the disk, or (c->charge is NULL) it never will be.
static void answer_made_charge(struct connection *c)
{
    if (!c->charge) {
        charge_not_kept(c);
        return;
    }
    crash_at("before-reply");
    if (c->api->settings.drop > 0) {
        c->api->settings.drop--;
        c->api->stats.dropped++;
        connection_drop(c);
        return;
    }
    answer_with_charge(c, c->charge, false);
}

void charge_not_kept(struct connection *c)
{
    c->api->stats.failed++;
    problem(c, 503, "Retry-After: 1\r\n", NULL,
            "The journal cannot be written now, so nothing was done.");
}

// The answer is made from the record, so its content is the same each time. (If the next
// version of the server wrote a charge differently, the record would have to keep the answer's
// bytes.)
void answer_with_charge(struct connection *c, const struct record *charge, bool replayed)
{
    char text[CHARGE_BYTES], fields[120];
    struct http_out out = {text, sizeof text, 0, false},
                    more = {fields, sizeof fields - 1, 0, false};
    http_put_text(&more, "Location: /charges/");
    http_put(&more, charge->id, ID_LENGTH);
    if (replayed)
        http_put_text(&more, "\r\nIdempotent-Replayed: true");
    http_put_text(&more, "\r\n");
    fields[more.length] = '\0';
    c->api->stats.replayed += replayed;
    if (!charge->succeeded) {
        problem(c, 402, fields, "source", "The bank has declined the charge.");
        return;
    }
    charge_put(&out, charge);
    http_put(&out, "\n", 1);
    connection_answer(c, 201, fields, (struct http_text){text, out.length});
}
