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

bool charge_is_welcome(struct connection *c)
{
    struct api *api = c->api;
    int64_t now_ns = conn_now(&c->conn);
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
    problem(c, 503, fields, NULL, "There is more to do than can be done now.");
    return false;
}

size_t charge_key(struct connection *c, const struct request *request, char *key)
{
    int length = key_read(request->head, key);
    if (length == 0)
        problem(c, 400, "", "Idempotency-Key", "This operation must carry a key.");
    else if (length < 0)
        problem(c, 400, "", "Idempotency-Key",
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

struct record *charge_read(struct connection *c, struct http_text content, struct http_text key)
{
    struct json *json = &c->api->json;
    struct http_text source;
    int64_t amount = 0;
    int currency = -1;
    const char *fault, *wrong;
    char name[SOURCE_MAX + 1];
    if (!json_read(json, content.at, content.length)) {
        problem(c, 400, "", NULL,
                "The content is not JSON, or has more in it than is allowed.");
        return NULL;
    }
    if (json->values[0].type != JSON_OBJECT) {
        problem(c, 400, "", NULL, "The content must be an object.");
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
        problem(c, 400, "", wrong, fault);
        return NULL;
    }
    struct record *charge = record_new(CHARGE, key, source);
    if (!charge) {
        charge_not_kept(c);
        return NULL;
    }
    charge->amount = amount;
    charge->currency = (uint8_t)currency;
    return charge;
}

// ---- making it -----------------------------------------------------------------------------

void charge_not_kept(struct connection *c)
{
    c->api->figures.failed++;
    problem(c, 503, "Retry-After: 1\r\n", NULL, "It cannot be kept now, so it was not done.");
}

// What the bank says; it knows nothing about keys.
static void ask_bank(struct connection *c)
{
    static const char bad[] = "tok_declined";
    struct http_text source = record_text(c->charge);
    bool declined = source.length >= sizeof bad - 1 && !memcmp(source.at, bad, sizeof bad - 1);
    c->charge->succeeded = !declined;
    c->api->figures.declined += declined;
    c->api->figures.charged += !declined;
}

// The bank has answered: charge, key and answer become one record.
static void bank_has_answered(struct connection *c)
{
    ask_bank(c);
    crash_at("before-journal");
    if (!connection_keep(c, c->charge, c->made)) {
        store_forget(&c->api->store, c->charge);
        c->charge = NULL;
        c->made(c);
    }
}

void charge_make(struct connection *c, void (*then)(struct connection *c))
{
    c->made = then;
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
    ask_bank(c);
    if (!store_add(&c->api->store, c->charge))
        store_forget(&c->api->store, c->charge);
}

bool charge_take(struct connection *c, struct record *charge)
{
    int status = store_take(&c->api->store, charge);
    if (status) {
        c->api->figures.failed++;
        problem(c, status, status == 503 ? "Retry-After: 60\r\n" : "", NULL,
                "There is no room for a further one.");
        free(charge);
        return false;
    }
    c->charge = charge;
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
void charge_answer(struct connection *c, const struct record *charge, bool replayed)
{
    char text[CHARGE_BYTES], fields[120];
    struct http_out out = {text, sizeof text, 0, false},
                    more = {fields, sizeof fields - 1, 0, false};
    http_put_text(&more, "Location: /charges/");
    http_put(&more, charge->id, ID_LENGTH);
    http_put_text(&more, replayed ? "\r\nIdempotent-Replayed: true\r\n" : "\r\n");
    fields[more.length] = '\0';
    c->api->figures.replayed += replayed;
    if (!charge->succeeded) {
        problem(c, 402, fields, "source", "The bank has declined the charge.");
        return;
    }
    put_charge(&out, charge);
    http_put(&out, "\n", 1);
    connection_answer(c, 201, fields, (struct http_text){text, out.length});
}

// Its charge is on the disk, or will never be.
static void charge_is_made(struct connection *c)
{
    if (!c->charge) {
        charge_not_kept(c);
        return;
    }
    crash_at("before-reply");
    if (c->api->settings.drop > 0) {
        c->api->settings.drop--;
        c->api->figures.dropped++;
        connection_drop(c);
        return;
    }
    charge_answer(c, c->charge, false);
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
static void answer_again(struct connection *c, const struct record *charge, bool same)
{
    if (!same) {
        c->api->figures.mismatches++;
        problem(c, 422, "", "Idempotency-Key", "This key stands for another request.");
    } else if (charge->state != DURABLE) {
        c->api->figures.conflicts++;
        problem(c, 409, "", "Idempotency-Key", "The first request with this key is under way.");
    } else {
        charge_answer(c, charge, true);
    }
}

// Between the look whether a key is known and the moment at which it is taken nothing else
// happens: one thread, no wait. And what says that the key has been used is the charge itself,
// written in one piece: after a crash both are there, or neither.
void answer_charge(struct connection *c, const struct request *request)
{
    char text[KEY_MAX + 1];
    struct http_text key = {text, 0};
    if (!charge_is_welcome(c) || !(key.length = charge_key(c, request, text)))
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
        charge_make(c, charge_is_made);
    }
}

// The same without a key: who asks twice pays twice.
void answer_naive_charge(struct connection *c, const struct request *request)
{
    if (!charge_is_welcome(c))
        return;
    struct record *charge = charge_read(c, request->content, (struct http_text){NULL, 0});
    if (charge && charge_take(c, charge))
        charge_make(c, charge_is_made);
}

// ---- GET -----------------------------------------------------------------------------------

void answer_one_charge(struct connection *c, const struct request *request)
{
    const struct store *store = &c->api->store;
    char text[CHARGE_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    uint32_t i = store_find(store, request->rest);
    if (i == store->charge_count) {
        problem(c, 404, "", NULL, "There is no charge of this id.");
        return;
    }
    put_charge(&out, store->charges[i]);
    http_put(&out, "\n", 1);
    connection_answer(c, 200, "", (struct http_text){text, out.length});
}

// A page begins behind the last id of the one before, and not at a number of charges: those
// that are made meanwhile do not move it.
void answer_charges(struct connection *c, const struct request *request)
{
    const struct store *store = &c->api->store;
    char text[PAGE_MAX * CHARGE_BYTES + 100];
    struct http_out out = {text, sizeof text, 0, false};
    struct http_text limit = http_parameter(request->query, "limit"),
                     after = http_parameter(request->query, "after");
    struct json_value number = {.type = JSON_NUMBER, .text = limit};
    int64_t most = PAGE_DEFAULT;
    if (limit.at && !json_integer(&number, 1, PAGE_MAX, &most)) {
        problem(c, 400, "", "limit", "It must be an integer from 1 to 100.");
        return;
    }
    if (after.at && after.length != ID_LENGTH) {
        problem(c, 400, "", "after", "It must be the id of a charge.");
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
    connection_answer(c, 200, "Cache-Control: no-store\r\n",
                      (struct http_text){text, out.length});
}
