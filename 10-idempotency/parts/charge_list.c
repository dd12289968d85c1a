// charge_list.c: see charge_list.h.
#include "charge_list.h"

#include "problem.h"

#define PAGE_MAX     100 // charges of one answer
#define PAGE_DEFAULT 10

void charge_put(struct http_out *out, const struct record *charge)
{
    http_put_text(out, "{\"id\":\"");
    http_put(out, charge->id, ID_LENGTH);
    http_put_text(out, "\",\"object\":\"charge\",\"amount\":");
    http_put_number(out, (uint64_t)charge->amount, 10);
    http_put_text(out, ",\"currency\":\"");
    http_put_text(out, record_currencies[charge->currency]);
    http_put_text(out, "\",\"source\":");
    json_put(out, record_text(charge));
    if (charge->succeeded)
        http_put_text(out, ",\"status\":\"succeeded\"");
    else
        http_put_text(out, ",\"status\":\"declined\"");
    http_put_text(out, ",\"created_ms\":");
    http_put_number(out, (uint64_t)charge->created_ms, 10);
    http_put_text(out, "}");
}

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
    charge_put(&out, store->charges[i]);
    http_put(&out, "\n", 1);
    connection_answer(c, 200, "", (struct http_text){text, out.length});
}

// A page begins behind the last id of the one before, and not at a number of charges: those
// that are made meanwhile do not move it.
void answer_charge_list(struct connection *c, const struct request *request)
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
    uint32_t i = 0;
    if (after.at)
        i = store_after(store, after);
    uint32_t left = store->charge_count - i, count = left;
    if (count > (uint32_t)most)
        count = (uint32_t)most;
    http_put_text(&out, "{\"object\":\"list\",\"data\":[");
    for (uint32_t end = i + count; i < end; i++) {
        charge_put(&out, store->charges[i]);
        if (i + 1 < end)
            http_put_text(&out, ",\n");
    }
    if (left > count)
        http_put_text(&out, "],\"has_more\":true}\n");
    else
        http_put_text(&out, "],\"has_more\":false}\n");
    connection_answer(c, 200, "Cache-Control: no-store\r\n",
                      (struct http_text){text, out.length});
}
