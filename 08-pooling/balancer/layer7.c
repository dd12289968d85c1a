// layer7.c: HTTP/1.1. The balancer reads each request, picks a backend for it, and sends it on
// a connection of its own; the next request of the same client may go to another backend.
//
// Read received() first, then begin_request(), send_request() and try_another(). What comes
// back is in answers.c; which fields pass is in ../../common/forward.c.
#include "layer7.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_server.h"
#include "log.h"

#define ANSWER_BYTES  20000 // of the balancer's own answers: the page of all backends
#define CONTENT_MS    10000 // in this time a client has to send
#define CONTENT_BYTES 10000 // so many bytes of content
#define KEPT_MAX      1024  // a longer request is freed when it is answered

const struct forward_proxy layer7_proxy = {"workbench", false};

// What a backend is to get: a head, and content that came with it.
static char bytes_out[FORWARD_HEAD_BYTES + LEG_IN_BYTES];

void layer7_opened(struct leg *leg, const struct sockaddr_storage *address)
{
    struct client *client = client_of(leg);
    client->what.address_hash = address_hash(address);
    if (getnameinfo((const struct sockaddr *)address, sizeof *address, client->address,
                    sizeof client->address, NULL, 0, NI_NUMERICHOST))
        strcpy(client->address, "unknown");
    client->since_ns = now_ns(); // not the round's: clients of one round have an order
    leg_deadline(leg, settings.idle_ms);
}

// ---- the balancer's own answers ------------------------------------------------------------

void answer(struct client *client, int status, const char *type, const char *fields,
            struct http_text content)
{
    static char bytes[ANSWER_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    const struct http_server http = {
        .keep_alive = !client->last, .head_only = client->head, .http10 = client->old};
    http_server_answer(&http, &out, status, type, fields, content);
    leg_send(&client->leg, bytes, out.length);
    end_request(client);
}

void answer_self(struct client *client, int status, const char *why, bool close)
{
    char text[300];
    int length =
        snprintf(text, sizeof text, "%d %s: %.200s\n", status, http_reason(status), why);
    if (close || client->in_content)
        client->last = true; // where the next request begins is not known
    log_line("client %s: answered %d by the balancer: %s", client->address, status, why);
    answer(client, status, "text/plain", "", (struct http_text){text, (size_t)length});
}

void end_request(struct client *client)
{
    client->busy = client->began = client->in_answer = client->answer_sent = false;
    client->since_ns = leg_now();
    if (client->kept_size > KEPT_MAX) {
        free(client->kept);
        client->kept = NULL;
        client->kept_size = 0;
    }
    if (client->last || client->in_content || leg_is_stopping()) {
        leg_close(&client->leg);
        return;
    }
    leg_deadline(&client->leg, settings.idle_ms);
    leg_resume(&client->leg);
}

// ---- a request -----------------------------------------------------------------------------

// Appends to what can be sent again. A long request is not kept.
static void keep(struct client *client, const char *bytes, size_t length)
{
    size_t needed = client->kept_length + length;
    if (needed > REPEAT_BYTES)
        client->kept_all = false;
    if (!client->kept_all)
        return;
    if (needed > client->kept_size) {
        char *larger = realloc(client->kept, needed);
        client->kept_all = larger != NULL;
        if (!larger)
            return;
        client->kept = larger;
        client->kept_size = needed;
    }
    memcpy(client->kept + client->kept_length, bytes, length);
    client->kept_length = needed;
}

// Which backend gets the request: the one that the client is bound to, else the algorithm's.
static struct backend *choose(struct client *client)
{
    struct backend *b = client->bound;
    if (b && !(client->what.tried >> b->index & 1) && backend_is_healthy(b))
        return b;
    return pick(settings.algorithm, client->group, &client->what);
}

// Sends the request, or what is here of it. Connecting may fail at once: then the next backend
// has its turn.
static void send_request(struct client *client, const char *bytes, size_t length)
{
    struct backend *b = choose(client);
    if (!b) {
        answer_self(client, 503, "no backend is left for this request", false);
        return;
    }
    b->requests++;
    client->to = backend_leg_take(b, client);
    if (!client->to) {
        try_another(client, b, 502, strerror(errno), false, false);
        return;
    }
    log_line("%s from %s to %s", client->line, client->address, b->name);
    client->since_ns = leg_now();
    backend_moved(b, length);
    leg_send(&client->to->leg, bytes, length);
    if (client->in_content && leg_waiting(&client->to->leg))
        leg_pause(&client->leg);
}

void try_another(struct client *client, struct backend *failed, int status, const char *why,
                 bool was_sent, bool reused)
{
    // A connection that had waited was closed: that happens, and is no fault of the backend.
    bool stale = was_sent && reused && status == 502 && !client->was_stale;
    bool safe = client->kept_all && (client->safe || !was_sent);
    client->to = NULL;
    if (!stale) {
        failed->errors++;
        client->what.tried |= 1u << failed->index;
        health_failed(failed, why);
    }
    if (!settings.retry || !safe || client->repeats > 0) {
        answer_self(client, status, why, false);
        return;
    }
    if (stale)
        client->was_stale = true;
    else
        client->repeats++;
    send_request(client, client->kept, client->kept_length);
}

// RFC 9110 §9.2.2: doing it twice is the same as doing it once.
static bool is_safe_to_repeat(const struct http_head *head)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
        if (http_is(head->method, safe[i]))
            return true;
    return false;
}

void pass_upgrade(const struct http_head *head, struct http_out *out)
{
    struct http_text to = http_field(head, "upgrade");
    out->length -= 2; // in front of the empty line
    http_put_text(out, "Connection: Upgrade\r\nUpgrade: ");
    http_put(out, to.at, to.length);
    http_put_text(out, "\r\n\r\n");
}

// The head as the backend gets it. A request to change the protocol passes as such: that is
// between the two ends, and the balancer makes a tunnel of the connection.
static size_t write_head(struct client *client, struct http_head *head)
{
    struct forward forward = {.by = &layer7_proxy, .client = client->address};
    struct http_out out = {bytes_out, sizeof bytes_out, 0, false};
    head->keep_alive = true; // whatever the client wants: this connection is the balancer's own
    forward_request_head(&forward, head, &out);
    if (client->upgrade)
        pass_upgrade(head, &out);
    return out.length;
}

static void begin_request(struct client *client, struct http_head *head)
{
    struct http_text path, query;
    http_split_target(head->target, &path, &query);
    snprintf(client->line, sizeof client->line, "%.*s %.*s", (int)head->method.length,
             head->method.at, (int)head->target.length, head->target.at);
    client->busy = true;
    client->last = !head->keep_alive;
    client->head = http_is(head->method, "HEAD");
    client->old = head->minor == 0;
    client->safe = is_safe_to_repeat(head);
    client->upgrade = !client->old && http_is(head->method, "GET") &&
                      http_list_has(head, "connection", "upgrade") &&
                      http_field(head, "upgrade").length > 0 && head->keep_alive;
    client->what.tried = 0;
    client->repeats = 0;
    client->was_stale = false;
    client->content_bytes = client->kept_length = 0;
    client->kept_all = true;
    client->bound = NULL;
    http_body_of_request(&client->body, head);
    client->in_content = !client->body.done;
    leg_deadline(&client->leg, client->in_content ? CONTENT_MS : NEVER);
    if (status_answer(client, head))
        return;
    int refused = forward_refuses(head);
    client->group = backends_find_group(head->host, path);
    if (refused)
        answer_self(client, refused, "this balancer takes no part in that", client->in_content);
    else if (!client->group)
        answer_self(client, 404, "no backends are for this host and path", false);
    else {
        if (settings.sticky)
            client->bound = sticky_find(head);
        size_t length = write_head(client, head);
        keep(client, bytes_out, length);
        send_request(client, bytes_out, length);
    }
}

// The content passes as it is.
static size_t take_content(struct client *client, const char *bytes, size_t length)
{
    struct http_out out = {bytes_out, sizeof bytes_out, 0, false};
    size_t used = 0;
    while (client->in_content && used < length) {
        ssize_t part = forward_pass_content(&client->body, bytes + used, length - used, false,
                                            &out, &client->content_bytes);
        if (part < 0) {
            leg_abort(&client->to->leg, true);
            backend_leg_leave(client->to);
            answer_self(client, (int)-part, client->body.why, true);
            return length;
        }
        used += (size_t)part;
        client->in_content = !client->body.done;
        if (part == 0)
            break;
    }
    keep(client, bytes_out, out.length);
    backend_moved(client->to->backend, out.length);
    leg_pass(&client->leg, &client->to->leg, bytes_out, out.length);
    if (!client->in_content)
        leg_deadline(&client->leg, NEVER);
    return used;
}

static size_t take_head(struct client *client, const char *bytes, size_t length)
{
    struct http_head head;
    int result = http_read_request(bytes, length, &head);
    if (result == 0) {
        if (!client->began) { // the head has one deadline, however its bytes come
            client->since_ns = leg_now();
            leg_deadline(&client->leg, settings.head_ms);
        }
        client->began = true;
        return 0;
    }
    client->head = length >= 5 && !memcmp(bytes, "HEAD ", 5);
    if (result < 0) {
        client->busy = true;
        answer_self(client, -result, head.why, true);
        return length;
    }
    begin_request(client, &head);
    return head.length;
}

static size_t received(struct leg *leg, const char *bytes, size_t length)
{
    struct client *client = client_of(leg);
    if (client->in_content)
        return take_content(client, bytes, length);
    if (client->busy) { // the next request waits until this one is answered
        leg_pause(leg);
        return 0;
    }
    return take_head(client, bytes, length);
}

// ---- the rest of a client's life -----------------------------------------------------------

static void drained(struct leg *leg)
{
    if (client_of(leg)->to)
        leg_resume(&client_of(leg)->to->leg);
}

static void ended(struct leg *leg)
{
    struct client *client = client_of(leg);
    client->last = true;
    if (client->in_content)
        leg_abort(leg, false); // a part of the request will never come
    else if (!client->busy)
        leg_close(leg);
}

static void timeout(struct leg *leg)
{
    struct client *client = client_of(leg);
    if (client->in_content) {
        bool slow = !leg->paused && client->content_bytes < CONTENT_BYTES;
        client->content_bytes = 0;
        if (slow && client->in_answer)
            leg_abort(leg, true);
        else if (slow && client->to) {
            leg_abort(&client->to->leg, true);
            backend_leg_leave(client->to);
            answer_self(client, 408, "the content takes too long", true);
        } else
            leg_deadline(leg, CONTENT_MS);
    } else if (client->began) {
        client->busy = true;
        answer_self(client, 408, "the request's head takes too long", true);
    } else {
        leg_close(leg);
    }
}

static void closed(struct leg *leg)
{
    struct client *client = client_of(leg);
    if (client->to) {
        if (!leg->joined)
            leg_abort(&client->to->leg, leg->error || !leg->ended);
        backend_leg_leave(client->to);
    }
    free(client->kept);
}

// The program is to stop: who has a request under way still gets the answer.
void layer7_stop(struct leg *leg)
{
    if (!client_of(leg)->busy)
        leg_close(leg);
}

static struct client *slowest;

static void find_slowest(struct leg *leg)
{
    struct client *client = client_of(leg);
    bool waits = !client->busy || (client->in_content && !leg->paused);
    if (waits && !leg->closing && (!slowest || client->since_ns < slowest->since_ns))
        slowest = client;
}

bool layer7_make_place(void)
{
    slowest = NULL;
    leg_each(&layer7_client, find_slowest);
    if (slowest)
        leg_abort(&slowest->leg, false);
    return slowest != NULL;
}

static void moved(struct leg *leg, size_t length)
{
    backend_moved(client_of(leg)->to->backend, length);
}

const struct leg_kind layer7_client = {.bytes = sizeof(struct client),
                                       .received = received,
                                       .moved = moved,
                                       .drained = drained,
                                       .ended = ended,
                                       .timeout = timeout,
                                       .closed = closed};
