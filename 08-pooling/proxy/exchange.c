// exchange.c: the answer's way through the proxy, see exchange.h. Read exchange_take_answer()
// first, then begin_answer(): it decides whether the answer is stored or passed on.
#include "exchange.h"

#include <stdlib.h>
#include <time.h>

#include "answers.h"
#include "collapse.h"
#include "log.h"
#include "settings.h"
#include "tunnel.h"
#include "upstream.h"

#define FRAME_BYTES  40 // of a chunk's size line, its end, and the last chunk
#define INTERIMS_MAX 100

struct exchange *exchange_open(struct client *client)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->client = client;
    x->fd = -1;
    client->exchange = x;
    return x;
}

void exchange_release(struct exchange *x)
{
    if (x->client || x->upstream || x->pending)
        return;
    if (x->flight)
        flight_end(x->flight, FLIGHT_LOST, 0);
    if (x->stale)
        cache_release(x->stale);
    if (x->filling)
        cache_release(x->filling);
    pipe_free(&x->up);
    pipe_free(&x->down);
    free(x->head);
    free(x->key);
    free(x->request_head);
    free(x);
}

static void end_flight(struct exchange *x, enum flight_end how, int status)
{
    if (x->flight)
        flight_end(x->flight, how, status);
    x->flight = NULL;
}

static void leave_upstream(struct exchange *x, bool keep)
{
    struct upstream *up = x->upstream;
    x->upstream = NULL;
    if (up)
        upstream_done(up, keep);
}

static void wake_client(struct exchange *x)
{
    if (x->client)
        conn_wake(&x->client->conn);
}

void exchange_leave(struct exchange *x)
{
    bool is_needed = flight_has_waiting(x->flight) || (x->filling && !x->overflowed);
    x->client = NULL;
    if (x->is_tunnel) {
        tunnel_lost(x, 0);
        return;
    }
    if (!is_needed)
        end_flight(x, FLIGHT_LOST, 0);
    if (!is_needed)
        leave_upstream(x, false);
    exchange_release(x);
}

// ---- the end -------------------------------------------------------------------------------

// All of the answer is here.
static void complete(struct exchange *x)
{
    struct entry *entry = x->filling;
    x->done = true;
    if (entry) {
        enum flight_end how = FLIGHT_STORED;
        cache_list(entry);
        if (!entry->listed || entry->freshness.no_cache ||
            entry->freshness.lifetime <= cache_age(entry))
            how = FLIGHT_NOT_STORABLE; // each has to ask for itself
        end_flight(x, how, 0);
        cache_release(entry);
        x->filling = NULL;
    }
    end_flight(x, FLIGHT_NOT_STORABLE, 0);
    leave_upstream(x, x->reusable && x->body.done && !pipe_left(&x->up) &&
                          x->head_at == x->head_length);
    wake_client(x);
    exchange_release(x);
}

// Answers the exchange's client with an entry: its content, or that the client has it already.
static void answer_with(struct exchange *x, struct entry *entry, const char *word)
{
    struct client *client = x->client;
    struct http_head request = {0}, stored;
    struct http_out out = pipe_space(&x->down);
    bool has_it = false;
    if (!client)
        return;
    cache_head(entry, &stored);
    if (x->request_head && stored.status == 200) {
        http_read_request(x->request_head, x->request_length, &request);
        has_it = freshness_client_has_it(&request, &stored);
    }
    client->framing = FRAMED_BY_LENGTH;
    if (has_it)
        answer_put_not_modified(client, entry, word, &out);
    else
        answer_put_entry(client, entry, word, &out);
    x->down.end += out.length;
    x->answered = x->done = true;
    if (!has_it && !client->head_only)
        client->entry = cache_hold(entry);
    client->entry_at = 0;
    log_line("client %s: %s: %d %s", client->address, x->line, entry->status, word);
}

static bool may_answer_stale(const struct exchange *x, bool server_error)
{
    struct http_head request;
    struct directives directives;
    if (!x->stale || !x->client || x->answered || !x->request_head)
        return false;
    http_read_request(x->request_head, x->request_length, &request);
    directives_read(&request, &directives);
    return freshness_may_serve_stale(&x->stale->freshness, &directives, cache_age(x->stale),
                                     server_error);
}

void exchange_fail(struct exchange *x, int status, const char *why)
{
    struct client *client = x->client;
    struct http_out out;
    leave_upstream(x, false);
    end_flight(x, FLIGHT_FAILED, status);
    if (x->filling) {
        cache_release(x->filling);
        x->filling = NULL;
    }
    if (!client) {
        exchange_release(x);
        return;
    }
    conn_wake(&client->conn);
    if (status >= 500 && may_answer_stale(x, false)) {
        answer_with(x, x->stale, "STALE");
        return;
    }
    log_line("client %s: %s: %d, %s", client->address, x->line, status, why);
    client->is_reset = x->answered;
    if (x->answered)
        return;
    client->last = client->last || status < 500 || !x->body.done;
    out = pipe_space(&x->down);
    answer_put_own(client, status, why, &out);
    x->down.end += out.length;
    x->answered = x->done = true;
}

void exchange_answer_ends(struct exchange *x, bool cleanly)
{
    if (x->answered && !x->done && cleanly && x->answer.state == BODY_TO_CLOSE) {
        struct http_out out = pipe_space(&x->down);
        if (!x->filling && x->client && x->framing == FRAMED_BY_CHUNKS)
            http_put_text(&out, "0\r\n\r\n");
        x->down.end += out.length;
        complete(x);
    } else if (!x->head_at) {
        exchange_fail(x, 502, "the server does not take the connection");
    } else {
        exchange_fail(x, 502, "the server has closed before the end of its answer");
    }
}

// ---- the head of the answer ----------------------------------------------------------------

static struct http_text key_of(const struct exchange *x)
{
    return (struct http_text){x->key, x->key_length};
}

// Removes what is stored for this URI, if it is one of the same server (RFC 9111 §4.4).
static void invalidate(const struct exchange *x, struct http_text uri)
{
    char text[CACHE_KEY_BYTES];
    struct http_out key = {text, sizeof text, 0, false};
    const char *scheme = memmem(x->key, x->origin_length, "http://", 7);
    size_t origin_length = x->origin_length - (size_t)(scheme - x->key);
    if (uri.length > origin_length && !strncasecmp(uri.at, scheme, origin_length)) {
        uri.at += origin_length;
        uri.length -= origin_length;
    }
    if (!uri.length || *uri.at != '/')
        return;
    http_put(&key, x->key, x->origin_length);
    http_put(&key, uri.at, uri.length);
    if (key.overflow)
        return;
    cache_remove_key((struct http_text){text, key.length});
    flight_outdate((struct http_text){text, key.length});
}

// A request that changes something has succeeded.
static void invalidate_all(const struct exchange *x, const struct http_head *answer)
{
    cache_remove_key(key_of(x));
    flight_outdate(key_of(x));
    invalidate(x, http_field(answer, "location"));
    invalidate(x, http_field(answer, "content-location"));
}

// Makes an entry for this answer. NULL: there is no room for it.
static struct entry *make_entry(struct exchange *x, const struct http_head *answer)
{
    static char text[ANSWER_HEAD_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    struct http_head request;
    struct freshness freshness = freshness_read(answer, x->sent_s, time(NULL));
    http_read_request(x->request_head, x->request_length, &request);
    answer_put_stored_head(answer, &out);
    if (out.overflow)
        return NULL;
    return cache_make(key_of(x), &request, answer, (struct http_text){text, out.length},
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

// The server has said 304: what is stored is still good, and gets the new fields.
static void refresh(struct exchange *x, const struct http_head *answer)
{
    struct http_head stored, request;
    struct http_head merged = {.minor = 1, .content_length = (int64_t)x->stale->length};
    cache_head(x->stale, &stored);
    http_read_request(x->request_head, x->request_length, &request);
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
    struct entry *entry = make_entry(x, &merged);
    bool stays = entry && cache_reserve(entry, x->stale->length);
    if (stays)
        cache_fill(entry, (struct http_text){x->stale->content, x->stale->length});
    else if (entry)
        cache_release(entry);
    if (!stays)
        entry = cache_hold(x->stale);
    entry->shut = entry->shut || !x->may_store || freshness_refusal(&request, &merged);
    if (stays && entry->shut && x->stale->listed)
        cache_remove(x->stale);
    answer_with(x, entry, "REVALIDATED");
    if (stays)
        x->filling = entry; // complete() lists it
    else
        cache_release(entry);
}

// Begins to store the answer. Its client reads it from the store while it comes.
static void store(struct exchange *x, struct entry *entry)
{
    struct client *client = x->client;
    struct http_out out;
    x->filling = entry;
    if (!client)
        return;
    client->framing = FRAMED_BY_LENGTH;
    if (entry->expected < 0 && entry->status != 204)
        client->framing = client->old ? FRAMED_BY_CLOSE : FRAMED_BY_CHUNKS;
    client->last = client->last || client->framing == FRAMED_BY_CLOSE;
    x->framing = client->framing;
    out = pipe_space(&x->down);
    answer_put_entry(client, entry, "MISS", &out);
    x->down.end += out.length;
    client->entry = cache_hold(entry);
    client->entry_at = 0;
}

// Passes the answer on, without storing it.
static void pass_on(struct exchange *x, const struct http_head *answer)
{
    struct client *client = x->client;
    struct http_out out = pipe_space(&x->down);
    const char *word = NULL;
    client->framing = FRAMED_BY_LENGTH;
    if (!x->answer.done && answer->content_length < 0)
        client->framing = client->old ? FRAMED_BY_CLOSE : FRAMED_BY_CHUNKS;
    client->last = client->last || client->framing == FRAMED_BY_CLOSE || !x->body.done;
    x->framing = client->framing;
    if (x->is_get || x->asks_head)
        word = "MISS";
    answer_put_head(client, answer, word, &out);
    x->down.end += out.length;
}

static void begin_answer(struct exchange *x, const struct http_head *answer)
{
    struct http_head request;
    struct entry *entry = NULL;
    const char *why = "not a GET that may be stored";
    bool server_error = x->status >= 500 && x->status <= 504 && x->status != 501;
    if (!x->is_safe && x->status < 400)
        invalidate_all(x, answer);
    if (x->stale && x->status == 304) {
        refresh(x, answer);
        return;
    }
    if (server_error && may_answer_stale(x, true)) {
        answer_with(x, x->stale, "STALE");
        end_flight(x, FLIGHT_FAILED, x->status);
        x->reusable = false;
        x->answer.done = true;
        return;
    }
    x->answered = true;
    if (x->may_store && x->is_get) {
        http_read_request(x->request_head, x->request_length, &request);
        why = freshness_refusal(&request, answer);
    }
    if (!why)
        entry = make_entry(x, answer);
    if (entry)
        why = "MISS";
    else if (!why)
        why = "no room in the store";
    if (x->client)
        log_line("client %s: %s: %d, %s", x->client->address, x->line, x->status, why);
    if (x->stale && x->stale->listed && x->status < 500)
        cache_remove(x->stale); // there is something newer
    if (entry) {
        store(x, entry);
        return;
    }
    end_flight(x, FLIGHT_NOT_STORABLE, 0);
    if (x->client)
        pass_on(x, answer);
    else
        leave_upstream(x, false);
    exchange_release(x);
}

static size_t take_head(struct exchange *x, struct upstream *up, const char *bytes,
                        size_t length)
{
    struct http_head head;
    int result = http_read_response(bytes, length, &head);
    struct http_out out = pipe_space(&x->down);
    if (result < 0)
        exchange_fail(x, 502, head.why);
    if (result <= 0)
        return 0;
    if (out.size < ANSWER_HEAD_BYTES) { // 1xx that the client has not taken yet
        up->conn.paused = true;
        return 0;
    }
    bool is_wrong_upgrade = head.status == 101 && (!x->is_upgrade || !x->client);
    if (is_wrong_upgrade || (head.status < 200 && ++x->interim > INTERIMS_MAX)) {
        exchange_fail(x, 502, "the server sends a 1xx that nobody has asked for");
        return 0;
    }
    if (head.status < 200) {
        if (x->client && !x->client->old) // HTTP/1.0 has no such answers
            answer_put_interim(&head, &out);
        x->down.end += out.length;
        wake_client(x);
        if (head.status == 101)
            tunnel_begin_upgrade(x);
        return head.length;
    }
    x->status = head.status;
    http_body_of_response(&x->answer, &head, x->asks_head);
    x->reusable = head.keep_alive && x->answer.state != BODY_TO_CLOSE;
    begin_answer(x, &head);
    if (up->exchange != x)
        return 0;
    wake_client(x);
    if (x->answer.done)
        complete(x);
    return head.length;
}

// ---- its content ---------------------------------------------------------------------------

// Into the store, at the server's pace.
static ssize_t fill(struct exchange *x, const char *bytes, size_t length)
{
    struct http_text content;
    if (x->answer.state == BODY_LENGTH && x->answer.left < length)
        length = (size_t)x->answer.left;
    x->overflowed = x->overflowed || !cache_reserve(x->filling, length);
    if (x->overflowed) { // the client reads what is here; then the rest is passed on
        end_flight(x, FLIGHT_NOT_STORABLE, 0);
        wake_client(x);
        if (!x->client)
            exchange_fail(x, 502, "the answer is too long to be stored");
        return 0;
    }
    ssize_t used = http_body_take(&x->answer, bytes, length, &content);
    if (used > 0)
        cache_fill(x->filling, content);
    return used;
}

// Into the pipe, at the client's pace.
static ssize_t pass(struct exchange *x, const char *bytes, size_t length)
{
    struct http_text content;
    struct http_out out = pipe_space(&x->down);
    if (out.size < 2 * FRAME_BYTES)
        return 0;
    ssize_t used =
        http_body_take(&x->answer, bytes, smaller(length, out.size - FRAME_BYTES), &content);
    bool chunks = x->framing == FRAMED_BY_CHUNKS;
    if (used > 0 && content.length && chunks) {
        http_put_number(&out, content.length, 16);
        http_put(&out, "\r\n", 2);
    }
    if (used > 0 && content.length)
        http_put(&out, content.at, content.length);
    if (used > 0 && content.length && chunks)
        http_put(&out, "\r\n", 2);
    if (used > 0 && x->answer.done && chunks)
        http_put_text(&out, "0\r\n\r\n");
    x->down.end += out.length;
    return used;
}

static size_t take_content(struct exchange *x, struct upstream *up, const char *bytes,
                           size_t length)
{
    ssize_t used;
    if (x->filling)
        used = fill(x, bytes, length);
    else
        used = pass(x, bytes, length);
    if (up->exchange != x)
        return 0;
    if (used < 0)
        exchange_fail(x, 502, x->answer.why);
    if (used < 0)
        return 0;
    up->conn.paused = !used && (x->overflowed || pipe_left(&x->down));
    if (used)
        wake_client(x);
    if (x->answer.done)
        complete(x);
    return (size_t)used;
}

size_t exchange_take_answer(struct exchange *x, const char *bytes, size_t length)
{
    struct upstream *up = x->upstream;
    size_t used = 0, part = 1;
    while (part && used < length && up->exchange == x && !x->is_tunnel) {
        if (x->answered)
            part = take_content(x, up, bytes + used, length - used);
        else
            part = take_head(x, up, bytes + used, length - used);
        used += part;
    }
    return used;
}
