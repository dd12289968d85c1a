// charges.c: see charges.h. Read answer_charge() first: it is the lesson.
#include "charges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashpoint.h"
#include "key.h"
#include "problem.h"

#define PAGE_MAX     100 // charges of one answer
#define PAGE_DEFAULT 10
#define CHARGE_BYTES 256 // of one in an answer

// ---- what a request asks for ---------------------------------------------------------------

// A bucket with as many tokens as a tenth of a second brings: whoever finds none is too many.
static bool is_within_capacity(struct api *api, int64_t now_ns)
{
    double most = api->settings.capacity / 10.0 + 1;
    api->tokens += (double)(now_ns - api->filled_ns) * 1e-9 * api->settings.capacity;
    api->tokens = api->tokens < most ? api->tokens : most;
    api->filled_ns = now_ns;
    if (api->settings.capacity && api->tokens < 1)
        return false;
    api->tokens -= api->settings.capacity ? 1 : 0;
    return true;
}

bool charge_is_welcome(struct session *s)
{
    struct api *api = s->api;
    int64_t now_ns = conn_now(&s->conn);
    char fields[40] = "";
    struct http_out out = {fields, sizeof fields - 1, 0, false};
    bool outage = now_ns < api->outage_until_ns;
    int seconds = outage ? api->retry_after : 1;
    api->figures.posts++;
    if (!outage && is_within_capacity(api, now_ns))
        return true;
    api->figures.overloaded++;
    if (seconds) {
        http_put_text(&out, "Retry-After: ");
        http_put_number(&out, (uint64_t)seconds, 10);
        http_put_text(&out, "\r\n");
    }
    problem(s, 503, fields, NULL, "There is more to do than can be done now.");
    return false;
}

size_t charge_key(struct session *s, const struct request *request, char *key)
{
    int length = key_read(request->head, key);
    if (length == 0)
        problem(s, 400, "", "Idempotency-Key", "This operation must carry a key.");
    else if (length < 0)
        problem(s, 400, "", "Idempotency-Key",
                "The key must be one string of 1 to 255 characters.");
    return length > 0 ? (size_t)length : 0;
}

static const char *const names[] = {"amount", "currency", "source"};

// A member that is none of the three: a misspelt one must not be passed over in silence.
static const struct json_value *find_unknown(const struct json *json)
{
    for (const struct json_value *value = json->values + 1; value < json->values + json->count;
         value++)
        if (value->parent == 0 && !http_is(value->name, names[0]) &&
            !http_is(value->name, names[1]) && !http_is(value->name, names[2]))
            return value;
    return NULL;
}

// Reads what is wanted into the three values; returns the name of the one that is wrong, ""
// if none is, and sets *fault.
static const char *read_values(const struct json *json, int64_t *amount, int *currency,
                               struct http_text *source, const char **fault)
{
    const struct json_value *values[3];
    for (int i = 0; i < 3; i++)
        if (!(values[i] = json_member(json, names[i]))) {
            *fault = "It is missing.";
            return names[i];
        }
    *fault = "It must be an integer from 1 to 99999999: cents, not euros.";
    if (!json_integer(values[0], 1, AMOUNT_MAX, amount))
        return names[0];
    *fault = "It must be one of eur, usd, gbp, chf, jpy.";
    *currency = values[1]->type == JSON_STRING ? record_currency(values[1]->text) : -1;
    if (*currency < 0)
        return names[1];
    *fault = "It must be a token of up to 64 letters, digits, '_', '-', '.'.";
    *source = values[2]->text;
    if (values[2]->type != JSON_STRING || !record_is_word(*source, SOURCE_MAX))
        return names[2];
    return "";
}

struct record *charge_read(struct session *s, struct http_text content, struct http_text key)
{
    struct json *json = &s->api->json;
    struct http_text source;
    int64_t amount = 0;
    int currency = -1;
    const char *fault, *wrong;
    char name[SOURCE_MAX + 1];
    if (!json_read(json, content.at, content.length)) {
        problem(s, 400, "", NULL,
                "The content is not JSON, or has more in it than is allowed.");
        return NULL;
    }
    if (json->values[0].type != JSON_OBJECT) {
        problem(s, 400, "", NULL, "The content must be an object.");
        return NULL;
    }
    wrong = read_values(json, &amount, &currency, &source, &fault);
    const struct json_value *unknown = find_unknown(json);
    if (!*wrong && unknown) {
        bool plain = record_is_word(unknown->name, SOURCE_MAX); // else it is not repeated
        snprintf(name, sizeof name, "%.*s", (int)unknown->name.length, unknown->name.at);
        wrong = plain ? name : NULL;
        fault = "There is a member that is not known.";
    }
    if (!wrong || *wrong) {
        problem(s, 400, "", wrong, fault);
        return NULL;
    }
    struct record *charge = record_new(CHARGE, key, source);
    if (!charge) {
        charge_not_kept(s);
        return NULL;
    }
    charge->amount = amount;
    charge->currency = (uint8_t)currency;
    return charge;
}

// ---- making it -----------------------------------------------------------------------------

void charge_not_kept(struct session *s)
{
    s->api->figures.failed++;
    problem(s, 503, "Retry-After: 1\r\n", NULL, "It cannot be kept now, so it was not done.");
}

// What the bank says; it knows nothing about keys.
static void ask_bank(struct session *s)
{
    static const char bad[] = "tok_declined";
    struct http_text source = record_text(s->charge);
    bool declined = source.length >= sizeof bad - 1 && !memcmp(source.at, bad, sizeof bad - 1);
    s->charge->succeeded = !declined;
    s->api->figures.declined += declined;
    s->api->figures.charged += !declined;
}

// The bank has answered: charge, key and answer become one record.
static void bank_has_answered(struct session *s)
{
    ask_bank(s);
    crash_at("before-journal");
    if (!session_keep(s, s->charge, s->made)) {
        store_forget(&s->api->store, s->charge);
        s->charge = NULL;
        s->made(s);
    }
}

void charge_make(struct session *s, void (*then)(struct session *s))
{
    s->made = then;
    if (s->api->settings.process_ms)
        session_wait(s, s->api->settings.process_ms, bank_has_answered);
    else
        bank_has_answered(s);
}

void charge_abandon(struct session *s)
{
    if (s->record)
        s->record->waiter = NULL;
    if (!s->charge || s->charge->state != PENDING)
        return;
    ask_bank(s);
    if (!store_add(&s->api->store, s->charge))
        store_forget(&s->api->store, s->charge);
}

bool charge_take(struct session *s, struct record *charge)
{
    int status = store_take(&s->api->store, charge);
    if (status) {
        s->api->figures.failed++;
        problem(s, status, status == 503 ? "Retry-After: 60\r\n" : "", NULL,
                "There is no room for a further one.");
        free(charge);
        return false;
    }
    s->charge = charge;
    return true;
}

// ---- answers -------------------------------------------------------------------------------

static void put_charge(struct http_out *out, const struct record *charge)
{
    http_put_text(out, "{\"id\":\"");
    http_put(out, charge->id, ID_LENGTH);
    http_put_text(out, "\",\"object\":\"charge\",\"amount\":");
    http_put_number(out, (uint64_t)charge->amount, 10);
    http_put_text(out, ",\"currency\":\"");
    http_put_text(out, record_currencies[charge->currency]);
    http_put_text(out, "\",\"source\":");
    json_put(out, record_text(charge));
    http_put_text(out,
                  charge->succeeded ? ",\"status\":\"succeeded\"" : ",\"status\":\"declined\"");
    http_put_text(out, ",\"created_ms\":");
    http_put_number(out, (uint64_t)charge->created_ms, 10);
    http_put_text(out, "}");
}

// All that the answer says is in the record, so it is the same each time; where the same charge
// might be written otherwise by the next version of the server, the bytes would have to be
// kept.
void charge_answer(struct session *s, const struct record *charge, bool replayed)
{
    char text[CHARGE_BYTES], fields[120];
    struct http_out out = {text, sizeof text, 0, false},
                    more = {fields, sizeof fields - 1, 0, false};
    http_put_text(&more, "Location: /charges/");
    http_put(&more, charge->id, ID_LENGTH);
    http_put_text(&more, replayed ? "\r\nIdempotent-Replayed: true\r\n" : "\r\n");
    fields[more.length] = '\0';
    s->api->figures.replayed += replayed;
    if (!charge->succeeded) {
        problem(s, 402, fields, "source", "The bank has declined the charge.");
        return;
    }
    put_charge(&out, charge);
    http_put(&out, "\n", 1);
    session_answer(s, 201, fields, (struct http_text){text, out.length});
}

// Its charge is on the disk, or will never be.
static void charge_is_made(struct session *s)
{
    if (!s->charge) {
        charge_not_kept(s);
        return;
    }
    crash_at("before-reply");
    if (s->api->settings.drop > 0) {
        s->api->settings.drop--;
        s->api->figures.dropped++;
        session_drop(s);
        return;
    }
    charge_answer(s, s->charge, false);
}

// ---- POST /charges -------------------------------------------------------------------------

// The same operation, asked for again? What was asked for is kept with the charge, so that it
// is compared itself, and not by a hash of it.
static bool is_same(const struct record *charge, const struct record *again)
{
    struct http_text source = record_text(charge), other = record_text(again);
    return charge->amount == again->amount && charge->currency == again->currency &&
           source.length == other.length && !memcmp(source.at, other.at, source.length);
}

// A request with a key that is known (draft-ietf-httpapi-idempotency-key-header §2.6, §2.7).
static void answer_again(struct session *s, const struct record *charge, bool same)
{
    if (!same) {
        s->api->figures.mismatches++;
        problem(s, 422, "", "Idempotency-Key", "This key stands for another request.");
    } else if (charge->state != DURABLE) {
        s->api->figures.conflicts++;
        problem(s, 409, "", "Idempotency-Key", "The first request with this key is under way.");
    } else {
        charge_answer(s, charge, true);
    }
}

// Between the look whether a key is known and the moment at which it is taken nothing else
// happens: one thread, no wait. And what says that the key has been used is the charge itself,
// written in one piece: after a crash both are there, or neither.
void answer_charge(struct session *s, const struct request *request)
{
    char text[KEY_MAX + 1];
    struct http_text key = {text, 0};
    if (!charge_is_welcome(s) || !(key.length = charge_key(s, request, text)))
        return;
    struct record *charge = charge_read(s, request->content, key);
    if (!charge)
        return;
    const struct record *first = store_find_key(&s->api->store, key);
    if (first) {
        bool same = is_same(first, charge);
        free(charge);
        answer_again(s, first, same);
    } else if (charge_take(s, charge)) {
        charge_make(s, charge_is_made);
    }
}

// The same without a key: who asks twice pays twice.
void answer_naive_charge(struct session *s, const struct request *request)
{
    if (!charge_is_welcome(s))
        return;
    struct record *charge = charge_read(s, request->content, (struct http_text){NULL, 0});
    if (charge && charge_take(s, charge))
        charge_make(s, charge_is_made);
}

// ---- GET -----------------------------------------------------------------------------------

void answer_one_charge(struct session *s, const struct request *request)
{
    const struct store *store = &s->api->store;
    char text[CHARGE_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    uint32_t i = store_find(store, request->rest);
    if (i == store->charge_count) {
        problem(s, 404, "", NULL, "There is no charge of this id.");
        return;
    }
    put_charge(&out, store->charges[i]);
    http_put(&out, "\n", 1);
    session_answer(s, 200, "", (struct http_text){text, out.length});
}

// A page begins behind the last id of the one before, and not at a number of charges: those
// that are made meanwhile do not move it.
void answer_charges(struct session *s, const struct request *request)
{
    const struct store *store = &s->api->store;
    char text[PAGE_MAX * CHARGE_BYTES + 100];
    struct http_out out = {text, sizeof text, 0, false};
    struct http_text limit = http_parameter(request->query, "limit"),
                     after = http_parameter(request->query, "after");
    struct json_value number = {.type = JSON_NUMBER, .text = limit};
    int64_t most = PAGE_DEFAULT;
    if (limit.at && !json_integer(&number, 1, PAGE_MAX, &most)) {
        problem(s, 400, "", "limit", "It must be an integer from 1 to 100.");
        return;
    }
    if (after.at && after.length != ID_LENGTH) {
        problem(s, 400, "", "after", "It must be the id of a charge.");
        return;
    }
    uint32_t i = after.at ? store_after(store, after) : 0, left = store->charge_count - i;
    uint32_t count = left < (uint32_t)most ? left : (uint32_t)most;
    http_put_text(&out, "{\"object\":\"list\",\"data\":[");
    for (uint32_t end = i + count; i < end; i++) {
        put_charge(&out, store->charges[i]);
        http_put_text(&out, i + 1 < end ? ",\n" : "");
    }
    http_put_text(&out, left > count ? "],\"has_more\":true}\n" : "],\"has_more\":false}\n");
    session_answer(s, 200, "Cache-Control: no-store\r\n", (struct http_text){text, out.length});
}
