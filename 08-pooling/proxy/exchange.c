// exchange.c: the answer's way through the proxy, see exchange.h. Read exchange_take_answer()
// first, then begin_answer(): it decides whether the answer is stored or passed on.
#include "exchange.h"

#include <stdlib.h>

#include "answers.h"
#include "collapse.h"
#include "content.h"
#include "log.h"
#include "storing.h"
#include "tunnel.h"
#include "upstream.h"

#define INTERIMS_MAX 100

// Copies a text to the end of others, which it moves.
static struct http_text append(char **end, struct http_text text)
{
    struct http_text kept = {memcpy(*end, text.at, text.length), text.length};
    *end += text.length;
    return kept;
}

struct exchange *exchange_open(struct client *client, struct http_text request,
                               const struct route *route, struct http_text head)
{
    size_t length = request.length + route->key.length + head.length;
    struct exchange *x = calloc(1, sizeof *x + length);
    if (!x)
        return NULL;
    char *end = x->text;
    x->client = client;
    client->exchange = x;
    x->head = append(&end, head);
    x->route = *route;
    x->route.key = append(&end, route->key);
    request = append(&end, request);
    http_read_request(request.at, request.length, &x->request);
    return x;
}

void exchange_release(struct exchange *x)
{
    if (x->client || x->upstream || x->pending)
        return;
    flight_end(x, FLIGHT_LOST, 0);
    cache_release(x->stale);
    cache_release(x->filling);
    pipe_free(&x->up);
    pipe_free(&x->down);
    free(x);
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
    bool is_needed = x->waiting || (x->filling && !x->overflowed);
    x->client = NULL;
    if (x->is_tunnel) {
        tunnel_lost(x, 0);
        return;
    }
    if (!is_needed) {
        flight_end(x, FLIGHT_LOST, 0);
        leave_upstream(x, false);
    }
    exchange_release(x);
}

// ---- the end -------------------------------------------------------------------------------

// All of the answer is here.
static void complete(struct exchange *x)
{
    struct entry *entry = x->filling;
    enum flight_end how = FLIGHT_NOT_STORABLE; // each has to ask for itself
    x->done = true;
    if (entry) {
        cache_list(entry);
        if (entry->listed && !entry->freshness.no_cache &&
            entry->freshness.lifetime > cache_age(entry))
            how = FLIGHT_STORED;
        cache_release(entry);
        x->filling = NULL;
    }
    flight_end(x, how, 0);
    leave_upstream(x, x->reusable && x->body.done && !pipe_left(&x->up) &&
                          x->head_at == x->head.length);
    wake_client(x);
    exchange_release(x);
}

void exchange_fail(struct exchange *x, int status, const char *why)
{
    struct client *client = x->client;
    leave_upstream(x, false);
    flight_end(x, FLIGHT_FAILED, status);
    cache_release(x->filling);
    x->filling = NULL;
    if (!client) {
        exchange_release(x);
        return;
    }
    conn_wake(&client->conn);
    if (status >= 500 && storing_may_answer_stale(x, false)) {
        storing_answer(x, x->stale, "STALE");
        return;
    }
    log_line("client %s: %s: %d, %s", client->address, x->line, status, why);
    client->is_reset = x->answered;
    if (x->answered)
        return;
    client->last = client->last || status < 500 || !x->body.done;
    struct http_out out = pipe_space(&x->down);
    answer_put_own(client, status, why, &out);
    x->down.end += out.length;
    x->answered = x->done = true;
}

void exchange_answer_ends(struct exchange *x, bool cleanly)
{
    if (x->answered && !x->done && cleanly && x->answer.state == BODY_TO_CLOSE) {
        struct http_out out = pipe_space(&x->down);
        if (!x->filling && x->client && x->client->framing == FRAMED_BY_CHUNKS)
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

// Without a length the client is told of the content's end by chunks, or, in HTTP/1.0, by the
// connection's end.
static void choose_framing(struct client *client, bool has_length)
{
    client->framing = FRAMED_BY_LENGTH;
    if (!has_length)
        client->framing = client->old ? FRAMED_BY_CLOSE : FRAMED_BY_CHUNKS;
    client->last = client->last || client->framing == FRAMED_BY_CLOSE;
}

// Begins to store the answer. Its client reads it from the store while it comes.
static void store(struct exchange *x, struct entry *entry)
{
    struct client *client = x->client;
    x->filling = entry;
    if (!client)
        return;
    choose_framing(client, entry->expected >= 0 || entry->status == 204);
    struct http_out out = pipe_space(&x->down);
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
    choose_framing(client, x->answer.done || answer->content_length >= 0);
    client->last = client->last || !x->body.done;
    if (x->route.is_read)
        word = "MISS";
    answer_put_head(client, answer, word, &out);
    x->down.end += out.length;
}

static void begin_answer(struct exchange *x, const struct http_head *answer)
{
    struct entry *entry = NULL;
    const char *why = "not a GET that may be stored";
    bool server_error = x->status >= 500 && x->status <= 504 && x->status != 501;
    if (!x->is_safe && x->status < 400)
        storing_invalidate(x, answer);
    if (x->stale && x->status == 304) {
        storing_refresh(x, answer);
        return;
    }
    if (server_error && storing_may_answer_stale(x, true)) {
        storing_answer(x, x->stale, "STALE");
        flight_end(x, FLIGHT_FAILED, x->status);
        x->reusable = false;
        x->answer.done = true;
        return;
    }
    x->answered = true;
    if (x->may_store)
        why = freshness_refusal(&x->request, answer);
    if (!why)
        entry = storing_make_entry(x, answer);
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
    flight_end(x, FLIGHT_NOT_STORABLE, 0);
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
    bool is_wrong_upgrade = head.status == 101 && (!x->route.is_upgrade || !x->client);
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
        flight_end(x, FLIGHT_NOT_STORABLE, 0);
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

static size_t take_content(struct exchange *x, struct upstream *up, const char *bytes,
                           size_t length)
{
    ssize_t used;
    if (x->filling)
        used = fill(x, bytes, length);
    else // into the pipe, at the client's pace
        used = content_pass(&x->answer, x->client->framing == FRAMED_BY_CHUNKS, &x->down, bytes,
                            length);
    if (up->exchange != x)
        return 0;
    if (used < 0) {
        exchange_fail(x, 502, x->answer.why);
        return 0;
    }
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
