// charge_list.c: see charge_list.h.
#include "charge_list.h"

#include "problem.h"
#include "smaller.h"

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

// ---- pages ---------------------------------------------------------------------------------

// A page of the list: where it begins, and how many charges it has at most.
struct page {
    bool newest_first;
    uint32_t
        begin; // so many charges of the list are not shown, since they come before the page
    int64_t most;
};

// Reads an integer of the query. False: it is none, or not in these bounds.
static bool read_number(struct http_text text, int64_t min, int64_t max, int64_t *number)
{
    const struct json_value value = {.type = JSON_NUMBER, .text = text};
    return !text.at || json_integer(&value, min, max, number);
}

// How many charges come before the page that follows this id.
static uint32_t behind(const struct store *store, bool newest_first, struct http_text id)
{
    uint32_t older = store_after(store, id); // the charge of this id is one of them
    if (newest_first && store_find(store, id) < store->charge_count)
        older--;
    if (newest_first)
        return store->charge_count - older;
    return older;
}

// Reads what the client asks for. Returns NULL, or the parameter that is wrong: *why says more.
static const char *read_page(const struct store *store, struct http_text query,
                             struct page *page, const char **why)
{
    struct http_text order = http_parameter(query, "order"),
                     after = http_parameter(query, "after");
    int64_t offset = 0;
    *page = (struct page){.newest_first = order.at != NULL, .most = PAGE_DEFAULT};
    *why = "It must be an integer from 1 to 100.";
    if (!read_number(http_parameter(query, "limit"), 1, PAGE_MAX, &page->most))
        return "limit";
    *why = "It must be the id of a charge.";
    if (after.at && after.length != ID_LENGTH)
        return "after";
    *why = "It must be \"newest\", or not be there: then the oldest come first.";
    if (order.at && !http_is(order, "newest"))
        return "order";
    *why = "It must be an integer, and not stand beside \"after\".";
    struct http_text skip = http_parameter(query, "offset");
    if (!read_number(skip, 0, CHARGES_MAX, &offset) || (skip.at && after.at))
        return "offset";
    if (after.at)
        page->begin = behind(store, page->newest_first, after);
    else
        page->begin = smaller((size_t)offset, store->charge_count);
    return NULL;
}

// With `after` a page begins behind the last id of the page before, and charges that are made
// meanwhile do not move it. With `offset` it begins at a number of charges: those that are made
// meanwhile do move it, if the newest come first. Scene `pages` has both.
void answer_charge_list(struct connection *c, const struct request *request)
{
    const struct store *store = &c->api->store;
    char text[PAGE_MAX * CHARGE_BYTES + 100];
    struct http_out out = {text, sizeof text, 0, false};
    struct page page;
    const char *why, *wrong = read_page(store, request->query, &page, &why);
    if (wrong) {
        problem(c, 400, "", wrong, why);
        return;
    }
    uint32_t left = store->charge_count - page.begin, count = left;
    if (count > (uint32_t)page.most)
        count = (uint32_t)page.most;
    http_put_text(&out, "{\"object\":\"list\",\"data\":[");
    for (uint32_t i = page.begin; i < page.begin + count; i++) {
        uint32_t at = i;
        if (page.newest_first)
            at = store->charge_count - 1 - i;
        charge_put(&out, store->charges[at]);
        if (i + 1 < page.begin + count)
            http_put_text(&out, ",\n");
    }
    if (left > count)
        http_put_text(&out, "],\"has_more\":true}\n");
    else
        http_put_text(&out, "],\"has_more\":false}\n");
    connection_answer(c, 200, "Cache-Control: no-store\r\n",
                      (struct http_text){text, out.length});
}
