// storing.c: see storing.h. Read storing_refresh() first.
#include "storing.h"

#include <time.h>

#include "answers.h"
#include "collapse.h"
#include "log.h"

void storing_answer(struct exchange *x, struct entry *entry, const char *word)
{
    struct http_out out = pipe_space(&x->down);
    if (!x->client)
        return;
    answer_begin_entry(x->client, &x->request, entry, word, &out);
    x->down.end += out.length;
    x->answered = x->done = true;
    log_line("client %s: %s: %d %s", x->client->address, x->line, entry->status, word);
}

bool storing_may_answer_stale(const struct exchange *x, bool server_error)
{
    struct directives directives;
    if (!x->stale || !x->client || x->answered)
        return false;
    directives_read(&x->request, &directives);
    return freshness_may_serve_stale(&x->stale->freshness, &directives, cache_age(x->stale),
                                     server_error);
}

// ---- what has changed --------------------------------------------------------------------

// Removes what is stored for this URI, if it is one of the same server (RFC 9111 §4.4).
static void invalidate(const struct exchange *x, struct http_text uri)
{
    char text[CACHE_KEY_BYTES];
    struct http_out key = {text, sizeof text, 0, false};
    const char *scheme = memmem(x->route.key.at, x->route.origin_length, "http://", 7);
    size_t origin_length = x->route.origin_length - (size_t)(scheme - x->route.key.at);
    if (uri.length > origin_length && !strncasecmp(uri.at, scheme, origin_length)) {
        uri.at += origin_length;
        uri.length -= origin_length;
    }
    if (!uri.length || *uri.at != '/')
        return;
    http_put(&key, x->route.key.at, x->route.origin_length);
    http_put(&key, uri.at, uri.length);
    if (key.overflow)
        return;
    flight_outdate((struct http_text){text, key.length});
}

void storing_invalidate(const struct exchange *x, const struct http_head *answer)
{
    flight_outdate(x->route.key);
    invalidate(x, http_field(answer, "location"));
    invalidate(x, http_field(answer, "content-location"));
}

struct entry *storing_make_entry(struct exchange *x, const struct http_head *answer)
{
    static char text[ANSWER_HEAD_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    struct freshness freshness = freshness_read(answer, x->sent_s, time(NULL));
    answer_put_stored_head(answer, &out);
    if (out.overflow)
        return NULL;
    return cache_make(x->route.key, &x->request, answer, (struct http_text){text, out.length},
                      &freshness);
}

// Adds those fields of `from` to a head that `over` does not name (RFC 9111 §3.2).
static void add_fields(struct http_head *to, const struct http_head *from,
                       const struct http_head *over)
{
    for (size_t i = 0; i < from->field_count && to->field_count < HTTP_FIELDS; i++) {
        bool is_named = over && http_is_token(from->fields[i].name, "via"); // the proxy's own
        for (size_t j = 0; over && j < over->field_count; j++)
            is_named =
                is_named || (over->fields[j].name.length == from->fields[i].name.length &&
                             !strncasecmp(over->fields[j].name.at, from->fields[i].name.at,
                                          from->fields[i].name.length));
        if (!is_named)
            to->fields[to->field_count++] = from->fields[i];
    }
}

void storing_refresh(struct exchange *x, const struct http_head *answer)
{
    struct http_head stored;
    struct http_head merged = {.minor = 1, .content_length = (int64_t)x->stale->length};
    cache_head(x->stale, &stored);
    struct http_text tag = http_field(answer, "etag");
    if (tag.at && !freshness_same_tag(tag, http_field(&stored, "etag"))) {
        if (x->stale->listed)
            cache_remove(x->stale);
        exchange_fail(x, 502, "the server's 304 is about something else");
        return;
    }
    merged.status = stored.status;
    add_fields(&merged, &stored, answer);
    add_fields(&merged, answer, NULL);
    struct entry *entry = storing_make_entry(x, &merged);
    bool stays = entry && cache_reserve(entry, x->stale->length);
    if (stays)
        cache_fill(entry, (struct http_text){x->stale->content, x->stale->length});
    else if (entry)
        cache_release(entry);
    if (!stays)
        entry = cache_hold(x->stale);
    entry->shut = entry->shut || !x->may_store || freshness_refusal(&x->request, &merged);
    if (stays && entry->shut && x->stale->listed)
        cache_remove(x->stale);
    storing_answer(x, entry, "REVALIDATED");
    if (stays)
        x->filling = entry; // complete() lists it
    else
        cache_release(entry);
}
