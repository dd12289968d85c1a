// answers.c: the connections to the backends of layer 7, and the answers that come on them. The
// rules are those of the pool in ../pool.c: a connection that waits is used before a new one is
// opened, the one used last comes first, it does not wait for ever, and it is looked at before
// a request that cannot be repeated goes out on it.
//
// Read backend_leg_take() first, then take_answer_head().
#include <errno.h>
#include <stdlib.h>

#include "layer7.h"
#include "log.h"

static char bytes_out[FORWARD_HEAD_BYTES + LEG_IN_BYTES];

// ---- connections that wait -----------------------------------------------------------------

static void unlist(struct backend_leg *leg)
{
    if (!leg->listed)
        return;
    leg->listed = false;
    if (leg->before)
        leg->before->next = leg->next;
    else
        leg->backend->idle = leg->next;
    if (leg->next)
        leg->next->before = leg->before;
}

// False: the backend has closed the connection, or sent what nobody has asked for.
static bool looks_alive(const struct backend_leg *leg)
{
    char byte;
    return recv(leg->leg.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct backend_leg *backend_leg_take(struct backend *backend, struct client *client)
{
    struct backend_leg *leg = backend->idle;
    bool check = !client->safe || client->repeats > 0 || client->was_stale;
    while (leg && (leg->leg.broken || (check && !looks_alive(leg))))
        leg = leg->next;
    if (leg) {
        unlist(leg);
        leg->reused = true;
        leg->no_more = false;
        leg_deadline(&leg->leg, settings.answer_ms);
    } else {
        struct leg *fresh =
            leg_connect(&layer7_backend, &backend->address, settings.connect_ms);
        if (!fresh)
            return NULL;
        leg = backend_leg_of(fresh);
        leg->backend = backend;
    }
    leg->client = client;
    backend->active++;
    return leg;
}

void backend_leg_leave(struct backend_leg *leg)
{
    leg->backend->active--;
    leg->client->to = NULL;
    leg->client = NULL;
}

// The leg is free for another request.
static void release(struct backend_leg *leg)
{
    if (leg->no_more || leg->leg.broken || settings.keep_ms == 0 || leg_is_stopping() ||
        leg_waiting(&leg->leg)) {
        leg_abort(&leg->leg, false);
        return;
    }
    leg->before = NULL;
    leg->next = leg->backend->idle;
    if (leg->next)
        leg->next->before = leg;
    leg->backend->idle = leg;
    leg->listed = true;
    leg_resume(&leg->leg); // if it closes, or says something, the balancer is to know
    leg_deadline(&leg->leg, settings.keep_ms);
}

static void connected(struct leg *leg)
{
    struct backend_leg *to = backend_leg_of(leg);
    to->backend->connections++;
    leg_deadline(leg, settings.answer_ms);
}

// ---- answers -------------------------------------------------------------------------------

// The answer is whole: both connections are free.
static void end_answer(struct backend_leg *leg)
{
    struct client *client = leg->client;
    leg->no_more = leg->no_more || client->in_content;
    health_succeeded(leg->backend);
    backend_leg_leave(leg);
    release(leg);
    end_request(client);
}

// An answer breaks off. The client must not take it for a whole one: where only the end of the
// connection ends it, the client gets a reset.
static void cut_answer(struct client *client)
{
    log_line("client %s: an answer was cut", client->address);
    client->last = true;
    if (client->answer_body.state == BODY_TO_CLOSE)
        leg_abort(&client->leg, true);
    else
        leg_close(&client->leg);
}

// What comes is no HTTP/1, or not what was asked for.
static void refuse_answer(struct backend_leg *leg)
{
    struct client *client = leg->client;
    leg_abort(&leg->leg, true);
    backend_leg_leave(leg);
    leg->backend->errors++;
    health_failed(leg->backend, "its answer is no HTTP/1");
    if (client->answer_sent)
        cut_answer(client);
    else
        answer_self(client, 502, "the backend's answer is no HTTP/1", false);
}

// An answer before the answer: it passes, but not to a client of HTTP/1.0.
static bool take_interim(struct backend_leg *leg, const struct http_head *head,
                         const struct forward *forward, struct http_out *out)
{
    struct client *client = leg->client;
    bool switches = head->status == 101;
    if (switches && !client->upgrade)
        return false;
    if (client->old)
        return true;
    forward_answer_head(forward, head, true, false, out);
    if (switches) {
        pass_upgrade(head, out);
        leg_join(&leg->leg, &client->leg, settings.tunnel_ms); // it is no longer HTTP
        leg_resume(&client->leg);
    }
    return true;
}

static size_t take_answer_head(struct backend_leg *leg, const char *bytes, size_t length,
                               struct http_out *out)
{
    struct client *client = leg->client;
    struct forward forward = {.by = &layer7_proxy, .asked[0].old = client->old};
    struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (result == 0)
        return 0;
    if (result < 0 || (head.status < 200 && !take_interim(leg, &head, &forward, out))) {
        refuse_answer(leg);
        return length;
    }
    if (head.status < 200)
        return head.length;
    backend_answered(leg->backend, leg_now() - client->since_ns);
    http_body_of_response(&client->answer_body, &head, client->head);
    bool to_close = !client->answer_body.done && client->answer_body.state == BODY_TO_CLOSE;
    client->plain = client->old && head.chunked;
    if (to_close || client->plain)
        client->last = true;
    leg->no_more = !head.keep_alive || to_close;
    client->in_answer = true;
    forward_answer_head(&forward, &head, !client->last && !leg_is_stopping(), !client->old,
                        out);
    if (settings.sticky && client->bound != leg->backend) {
        out->length -= 2;
        sticky_put(out, leg->backend);
        http_put_text(out, "\r\n");
    }
    return head.length;
}

static size_t take_answer_content(struct backend_leg *leg, const char *bytes, size_t length,
                                  struct http_out *out)
{
    struct client *client = leg->client;
    uint64_t content_bytes = 0; // nobody asks for it
    ssize_t used = forward_pass_content(&client->answer_body, bytes, length, client->plain, out,
                                        &content_bytes);
    if (used < 0) {
        refuse_answer(leg);
        return length;
    }
    return (size_t)used;
}

static void moved(struct leg *leg, size_t length)
{
    backend_moved(backend_leg_of(leg)->backend, length);
}

// Head and content that came together leave together.
static size_t received(struct leg *leg, const char *bytes, size_t length)
{
    struct backend_leg *from = backend_leg_of(leg);
    struct client *client = from->client;
    struct http_out out = {bytes_out, sizeof bytes_out, 0, false};
    size_t used = 0, part = 1;
    if (!client) { // nobody has asked
        leg_abort(leg, false);
        return length;
    }
    backend_moved(from->backend, length);
    while (part && used < length && from->client && !leg->joined &&
           !(client->in_answer && client->answer_body.done)) {
        if (client->in_answer)
            part = take_answer_content(from, bytes + used, length - used, &out);
        else
            part = take_answer_head(from, bytes + used, length - used, &out);
        used += part;
    }
    if (!from->client) // it was refused
        return length;
    leg_pass(leg, &client->leg, bytes_out, out.length);
    client->answer_sent = client->in_answer;
    if (client->in_answer && client->answer_body.done) {
        from->no_more = from->no_more || used < length;
        end_answer(from);
        return length;
    }
    if (client->in_answer)
        leg_deadline(leg, settings.answer_ms);
    return used;
}

// ---- the rest of a connection's life -------------------------------------------------------

static void drained(struct leg *leg)
{
    struct client *client = backend_leg_of(leg)->client;
    if (client && client->in_content)
        leg_resume(&client->leg);
}

static void ended(struct leg *leg)
{
    struct backend_leg *from = backend_leg_of(leg);
    struct client *client = from->client;
    if (client && client->in_answer && client->answer_body.state == BODY_TO_CLOSE)
        end_answer(from);
    else
        leg_abort(leg, false);
}

static void timeout(struct leg *leg)
{
    struct backend_leg *from = backend_leg_of(leg);
    struct client *client = from->client;
    if (client && leg->paused) // it waits for the client
        leg_deadline(leg, settings.answer_ms);
    else if (client && client->in_content && !client->in_answer) // so does the backend
        leg_deadline(leg, settings.answer_ms);
    else {
        leg->error = ETIMEDOUT;
        leg_abort(leg, client != NULL);
    }
}

static void closed(struct leg *leg)
{
    struct backend_leg *from = backend_leg_of(leg);
    struct client *client = from->client;
    unlist(from);
    if (!client)
        return;
    bool late = leg->error == ETIMEDOUT;
    const char *why = "closed before it has answered";
    if (leg->error)
        why = strerror(leg->error);
    backend_leg_leave(from);
    if (leg->joined) // a tunnel: the client's leg ends as well
        return;
    if (client->in_answer) {
        from->backend->errors++;
        health_failed(from->backend, "an answer was cut");
        cut_answer(client);
    } else
        try_another(client, from->backend, late ? 504 : 502, why, !leg->connecting,
                    from->reused);
}

const struct leg_kind layer7_backend = {.bytes = sizeof(struct backend_leg),
                                        .received = received,
                                        .moved = moved,
                                        .connected = connected,
                                        .drained = drained,
                                        .ended = ended,
                                        .timeout = timeout,
                                        .closed = closed};
