// requests.c: see requests.h. Read take_request() first, then consult_cache().
#include "requests.h"

#include <netdb.h>
#include <stdio.h>
#include <time.h>

#include "answers.h"
#include "collapse.h"
#include "content.h"
#include "log.h"
#include "route.h"
#include "settings.h"
#include "tunnel.h"
#include "upstream.h"

static struct http_out space_of(const struct client *client)
{
    return (struct http_out){conn_space(&client->conn), conn_room(&client->conn), 0, false};
}

// ---- the end of an answer ------------------------------------------------------------------

static void end_answer(struct client *client)
{
    struct exchange *x = client->exchange;
    bool unread = x && !x->body.done;
    cache_release(client->entry);
    client->entry = NULL;
    client->exchange = NULL;
    client->waits = client->failed = 0;
    client->alone = false;
    client->conn.paused = false;
    if (client->last || unread || client->conn.told_to_stop)
        conn_close(&client->conn);
    else
        conn_deadline(&client->conn, settings.idle_ms);
    if (!x)
        return;
    x->client = NULL;
    exchange_release(x);
}

// Answers at once, without any server.
static void answer_own(struct client *client, int status, const char *why)
{
    struct http_out out = space_of(client);
    answer_put_own(client, status, why, &out);
    conn_wrote(&client->conn, out.length);
    log_line("client %s: %d, %s", client->address, status, why);
    end_answer(client);
}

// The rest of what a client sends means nothing any more.
static size_t refuse(struct client *client, int status, const char *why, size_t length)
{
    client->last = true;
    answer_own(client, status, why);
    return length;
}

// ---- content from the store ----------------------------------------------------------------

// Sends what is here of the content. True if bytes were written, or the answer has ended.
static bool send_entry(struct client *client)
{
    struct entry *entry = client->entry;
    struct exchange *x = client->exchange;
    size_t room = conn_room(&client->conn), left = entry->length - client->entry_at;
    if (room < 2 * FRAME_BYTES)
        return false;
    struct http_out out = space_of(client);
    size_t part = smaller(left, room - FRAME_BYTES);
    struct http_text content = {NULL, part};
    bool last = part == left && entry->whole;
    if (part)
        content.at = entry->content + client->entry_at;
    content_put(&out, content, client->framing == FRAMED_BY_CHUNKS, last);
    conn_wrote(&client->conn, out.length);
    client->entry_at += part;
    if (last)
        end_answer(client);
    if (part < left || client->entry != entry)
        return true;
    if (x && x->overflowed) { // the rest comes through the pipe
        cache_release(entry);
        cache_release(x->filling);
        client->entry = x->filling = NULL;
        x->overflowed = false;
        if (x->upstream)
            conn_wake(&x->upstream->conn);
    }
    return part > 0;
}

bool client_produce(struct client *client)
{
    struct exchange *x = client->exchange;
    size_t given;
    if (x && x->is_tunnel)
        return tunnel_give(x, 0);
    given = x ? pipe_give(&x->down, &client->conn) : 0;
    if (given && x->upstream && x->upstream->conn.paused)
        conn_wake(&x->upstream->conn); // there is room again
    if (x && pipe_left(&x->down))
        return given > 0;
    if (client->entry)
        return send_entry(client) || given;
    if (!x || !x->done)
        return given > 0;
    end_answer(client);
    return true;
}

// Answers a request that needs no server.
static void answer_from_store(struct client *client, struct entry *entry, const char *word,
                              const struct http_head *request)
{
    struct http_out out = space_of(client);
    answer_begin_entry(client, request, entry, word, &out);
    conn_wrote(&client->conn, out.length);
    log_line("client %s: %.*s: %d %s", client->address, (int)request->target.length,
             request->target.at, entry->status, word);
    client->conn.paused = true; // unless all of it finds room at once
    if (client->entry)
        send_entry(client);
    else
        end_answer(client);
}

// ---- what becomes of a request -------------------------------------------------------------

enum consulted { IS_ANSWERED, HAS_TO_WAIT, HAS_TO_ASK };

// May the store answer? Else *stale is what the server is to be asked about, and *may_share
// says whether others may wait for the answer.
static enum consulted consult_cache(struct client *client, const struct http_head *head,
                                    const struct route *route, struct entry **stale,
                                    bool *may_share)
{
    struct directives request;
    enum cache_use use = USE_VALIDATED;
    struct entry *entry = cache_find(route->key, head);
    directives_read(head, &request);
    *may_share = false;
    if (entry)
        use = freshness_use(&entry->freshness, &request, cache_age(entry));
    if (entry && use == USE_VALIDATED && client->failed &&
        freshness_may_serve_stale(&entry->freshness, &request, cache_age(entry), false))
        use = USE_STALE;
    if (use != USE_VALIDATED) {
        answer_from_store(client, entry, use == USE_FRESH ? "HIT" : "STALE", head);
        return IS_ANSWERED;
    }
    if (request.only_if_cached || client->failed) {
        answer_own(client, client->failed ? client->failed : 504,
                   "it is not in the store, or no longer fresh");
        return IS_ANSWERED;
    }
    if (client->head_only || request.no_store || (!entry && route->is_conditional))
        return HAS_TO_ASK;
    *stale = entry;
    if (settings.no_collapse || client->alone || request.no_cache || request.max_age == 0 ||
        client->waits >= COLLAPSE_WAITS || flight_is_hopeless(route->key))
        return HAS_TO_ASK;
    struct exchange *flight = flight_find(route->key);
    *may_share = !flight;
    if (!flight)
        return HAS_TO_ASK;
    flight_join(flight, client);
    conn_deadline(&client->conn, settings.collapse_ms);
    return HAS_TO_WAIT;
}

// Begins to ask the server. False: there is no memory.
static bool ask_server(struct client *client, const char *bytes, const struct http_head *head,
                       const struct route *route, struct entry *stale, bool may_share)
{
    static char text[ANSWER_HEAD_BYTES];
    size_t length = route_write_head(head, route, client->address, stale, text, sizeof text);
    if (!length)
        return false;
    struct exchange *x = exchange_open(client, (struct http_text){bytes, head->length}, route,
                                       (struct http_text){text, length});
    if (!x)
        return false;
    x->asks_head = client->head_only;
    x->may_store = route->may_use_cache && !x->asks_head;
    x->sent_s = time(NULL);
    snprintf(x->line, sizeof x->line, "%.*s %.*s", (int)head->method.length, head->method.at,
             (int)head->target.length, head->target.at);
    http_body_of_request(&x->body, head);
    x->is_safe = x->body.done && (route->is_read || http_is(head->method, "OPTIONS") ||
                                  http_is(head->method, "TRACE"));
    if (stale)
        x->stale = cache_hold(stale);
    if (may_share)
        flight_begin(x);
    client->conn.paused = x->body.done;
    client->content_bytes = 0;
    conn_deadline(&client->conn, x->body.done ? settings.answer_ms : CONTENT_MS);
    upstream_find(x);
    return true;
}

static void purge(struct client *client, const struct route *route)
{
    if (flight_outdate(route->key))
        answer_own(client, 200, "it was in the store, and is no more");
    else
        answer_own(client, 404, "it was not in the store");
}

static size_t take_request(struct client *client, const char *bytes, size_t length)
{
    static struct route route;
    struct http_head head;
    struct entry *stale = NULL;
    bool may_share = false;
    int result = http_read_request(bytes, length, &head);
    if (!result && !client->began && length > strspn(bytes, "\r\n"))
        conn_deadline(&client->conn, HEAD_MS);
    client->began = !result;
    client->head_only = length >= 5 && !memcmp(bytes, "HEAD ", 5);
    if (result < 0)
        return refuse(client, -result, head.why, length);
    if (!result)
        return 0;
    client->head_only = http_is(head.method, "HEAD");
    client->last = !head.keep_alive;
    client->old = !head.minor;
    route_request(&head, client->is_local, &route);
    bool has_content = head.chunked || head.content_length > 0;
    if (route.refused && has_content)
        return refuse(client, route.refused, route.why, length);
    if (route.refused) {
        answer_own(client, route.refused, route.why);
        return head.length;
    }
    if (http_is(head.method, "PURGE") && !has_content) {
        purge(client, &route);
        return head.length;
    }
    if (route.may_use_cache) {
        enum consulted what = consult_cache(client, &head, &route, &stale, &may_share);
        if (what == IS_ANSWERED)
            return head.length;
        if (what == HAS_TO_WAIT)
            return 0; // the request stays where it is, and is read again
    }
    if (!ask_server(client, bytes, &head, &route, stale, may_share))
        return refuse(client, 503, "no memory", length);
    return head.length;
}

// ---- the loop's calls -----------------------------------------------------------------

size_t client_received(struct client *client, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    while (part && used < length && !client->conn.paused && !client->conn.closing) {
        struct exchange *x = client->exchange;
        if (x && x->is_tunnel)
            part = tunnel_take(x, 0, bytes + used, length - used);
        else if (x)
            part = request_content(client, bytes + used, length - used);
        else if (conn_room(&client->conn) >= ANSWER_HEAD_BYTES)
            part = take_request(client, bytes + used, length - used);
        else
            part = 0;
        used += part;
    }
    return used;
}

void client_opened(struct client *client)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    client->kind = CLIENT;
    getpeername(client->conn.fd, (struct sockaddr *)&address, &length);
    if (getnameinfo((struct sockaddr *)&address, length, client->address,
                    sizeof client->address, NULL, 0, NI_NUMERICHOST))
        snprintf(client->address, sizeof client->address, "unknown");
    client->is_local = !strncmp(client->address, "127.", 4) || !strcmp(client->address, "::1");
    conn_deadline(&client->conn, HEAD_MS);
}

void client_timeout(struct client *client)
{
    struct exchange *x = client->exchange;
    if (x && x->is_tunnel) {
        tunnel_timeout(x);
    } else if (x && x->pending && x->body.done) {
        exchange_fail(x, 504, "the server's name is not found in time");
    } else if (x && !x->body.done && !x->answered && !request_is_in_pace(client)) {
        exchange_fail(x, 408, "the request's content comes too slowly");
    } else if (x) {
        conn_deadline(&client->conn, CONTENT_MS);
    } else if (client->flight) {
        flight_leave(client);
        client->alone = true;
        client->conn.paused = false;
    } else if (client->began) {
        refuse(client, 408, "the request's head takes too long", 0);
    } else if (!client->entry) {
        conn_close(&client->conn);
    }
}

void client_woken(struct client *client)
{
    static const struct linger reset = {1, 0};
    struct exchange *x = client->exchange;
    if (client->is_reset) { // so that half an answer does not look like a whole one
        setsockopt(client->conn.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        client->conn.broken = true;
    } else if (x && x->is_tunnel) {
        tunnel_woken(x, 0);
    } else if (x) {
        client->conn.paused = x->body.done;
    } else if (!client->flight && !client->entry) {
        client->conn.paused = false;
    }
}

void client_stop(struct client *client)
{
    struct exchange *x = client->exchange;
    if (x && x->is_tunnel)
        tunnel_stop(x);
    else if (!x && !client->entry && !client->flight)
        conn_close(&client->conn);
}

void client_closed(struct client *client)
{
    struct exchange *x = client->exchange;
    flight_leave(client);
    cache_release(client->entry);
    client->entry = NULL;
    if (x)
        exchange_leave(x);
}
