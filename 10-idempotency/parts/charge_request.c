// charge_request.c: see charge_request.h.
#include "charge_request.h"

#include <stdio.h>
#include <string.h>

#include "key.h"
#include "charges.h"
#include "problem.h"

// ---- is there room for it? -----------------------------------------------------------------

// A bucket of tokens, which takes as many as a tenth of a second brings. Each request takes one
// token; a request that finds none is one too many.
static bool is_within_capacity(struct api *api, int64_t now_ns)
{
    double most = api->settings.capacity / 10.0 + 1;
    api->tokens += (double)(now_ns - api->filled_ns) * 1e-9 * api->settings.capacity;
    if (api->tokens > most)
        api->tokens = most;
    api->filled_ns = now_ns;
    if (api->settings.capacity == 0)
        return true;
    if (api->tokens < 1)
        return false;
    api->tokens--;
    return true;
}

bool charge_is_welcome(struct connection *c)
{
    struct api *api = c->api;
    int64_t now_ns = conn_now(&c->conn);
    char fields[40] = "";
    struct http_out out = {fields, sizeof fields - 1, 0, false};
    bool outage = now_ns < api->outage_until_ns;
    int seconds = 1;
    if (outage)
        seconds = api->retry_after;
    api->stats.posts++;
    if (!outage && is_within_capacity(api, now_ns))
        return true;
    api->stats.overloaded++;
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
    if (length <= 0)
        return 0;
    return (size_t)length;
}

// ---- what does it ask for? -----------------------------------------------------------------

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
    if (values[1]->type == JSON_STRING)
        *currency = record_currency(values[1]->text);
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
        snprintf(name, sizeof name, "%.*s", (int)unknown->name.length, unknown->name.at);
        wrong = NULL; // the answer repeats the name only if it is a plain word
        if (record_is_word(unknown->name, SOURCE_MAX))
            wrong = name;
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
