// stats.c: see stats.h.
#include "stats.h"

#include "problem.h"

#define OUTAGE_MAX_MS 60000

static void put(struct http_out *out, const char *text, uint64_t number)
{
    http_put_text(out, text);
    http_put_number(out, number, 10);
}

static void answer_text(struct connection *c, struct http_out *out)
{
    http_put_text(out, "}\n");
    connection_answer(c, 200, "Cache-Control: no-store\r\n",
                      (struct http_text){out->bytes, out->length});
}

// The balance of one currency, since amounts of two currencies cannot be added.
void answer_balance(struct connection *c, const struct request *request)
{
    char text[200];
    struct http_out out = {text, sizeof text, 0, false};
    struct http_text wanted = http_parameter(request->query, "currency");
    int currency = 0; // eur
    if (wanted.at)
        currency = record_currency(wanted);
    if (currency < 0) {
        problem(c, 400, "", "currency", "It must be one of eur, usd, gbp, chf, jpy.");
        return;
    }
    http_put_text(&out, "{\"object\":\"balance\",\"currency\":\"");
    http_put_text(&out, record_currencies[currency]);
    put(&out, "\",\"count\":", c->api->store.balances[currency].count);
    put(&out, ",\"sum\":", c->api->store.balances[currency].sum);
    answer_text(c, &out);
}

void answer_stats(struct connection *c, const struct request *request)
{
    const struct stats *stats = &c->api->stats;
    const struct store *store = &c->api->store;
    char text[1500];
    struct http_out out = {text, sizeof text, 0, false};
    (void)request;
    put(&out, "{\"requests\":", stats->requests);
    put(&out, ",\"posts\":", stats->posts);
    put(&out, ",\"charged\":", stats->charged);
    put(&out, ",\"declined\":", stats->declined);
    put(&out, ",\"replayed\":", stats->replayed);
    put(&out, ",\"conflicts\":", stats->conflicts);
    put(&out, ",\"mismatches\":", stats->mismatches);
    put(&out, ",\"skipped\":", stats->skipped);
    put(&out, ",\"overloaded\":", stats->overloaded);
    put(&out, ",\"failed\":", stats->failed);
    put(&out, ",\"dropped\":", stats->dropped);
    put(&out, ",\n \"process_ms\":", (uint64_t)c->api->settings.process_ms);
    put(&out, ",\"lookup_ms\":", (uint64_t)c->api->settings.lookup_ms);
    put(&out, ",\"key_ttl_ms\":", (uint64_t)store->key_ttl_ms);
    put(&out, ",\"to_drop\":", (uint64_t)c->api->settings.drop);
    put(&out, ",\n \"charges\":", store->charge_count);
    put(&out, ",\"under_way\":", store->taken - store->charge_count);
    put(&out, ",\"keys\":", store->keys.count);
    put(&out, ",\"marks\":", store->marks.count);
    put(&out, ",\"accounts\":", store->accounts.count);
    put(&out, ",\n \"journal\":{\"bytes\":", (uint64_t)store->journal.end);
    put(&out, ",\"live_bytes\":", store->live_bytes);
    put(&out, ",\"syncs\":", store->journal.syncs);
    put(&out, ",\"rewrites\":", store->rewrites);
    put(&out, ",\"recovered\":", store->journal.recovered);
    put(&out, ",\"cut\":", store->journal.cut);
    http_put_text(&out, "}");
    answer_text(c, &out);
}

void answer_outage(struct connection *c, const struct request *request)
{
    struct json *json = &c->api->json;
    int64_t ms, seconds = 0;
    bool good = json_read(json, request->content.at, request->content.length) &&
                json->values[0].type == JSON_OBJECT;
    const struct json_value *length = NULL, *after = NULL;
    if (good) {
        length = json_member(json, "ms");
        after = json_member(json, "retry_after");
    }
    if (!length || !json_integer(length, 0, OUTAGE_MAX_MS, &ms)) {
        problem(c, 400, "", "ms", "It must be an integer from 0 to 60000.");
        return;
    }
    if (after && !json_integer(after, 1, 60, &seconds)) {
        problem(c, 400, "", "retry_after", "It must be an integer from 1 to 60.");
        return;
    }
    c->api->outage_until_ns = conn_now(&c->conn) + ms * 1000000;
    c->api->retry_after = (int)seconds;
    connection_answer(c, 204, "", (struct http_text){"", 0});
}
