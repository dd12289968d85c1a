// reply.c: see reply.h.
#include "reply.h"

#include <stdio.h>

#include "net.h"

bool channel_await(struct channel *channel, const bool *done, int ms)
{
    int64_t end_ns = now_ns() + ms * INT64_C(1000000);
    while (!*done) {
        int64_t left_ms = (end_ns - now_ns()) / 1000000;
        if (left_ms < 0 || !channel_step(channel, (int)left_ms + 1))
            return *done;
    }
    return true;
}

static void keep_message(struct call *call, const uint8_t *bytes, size_t length)
{
    struct reply *reply = call->state;
    bytes_free(&reply->message);
    reply->messages++;
    if (!bytes_add(&reply->message, bytes, length))
        die("no memory for a message of %zu bytes", length);
}

static void keep_status(struct call *call)
{
    struct reply *reply = call->state;
    reply->done = true;
    reply->status = call->status;
    snprintf(reply->text, sizeof reply->text, "%s", call->text);
    if (call->status == RPC_OK && reply->messages != 1) {
        reply->status = RPC_UNIMPLEMENTED;
        snprintf(reply->text, sizeof reply->text, "%u messages in place of one",
                 reply->messages);
    }
}

static void show_head(struct call *call, const struct hpack_list *fields)
{
    struct reply *reply = call->state;
    if (reply->fields)
        reply->fields(fields, false);
}

static void show_trailers(struct call *call, const struct hpack_list *fields)
{
    struct reply *reply = call->state;
    if (reply->fields)
        reply->fields(fields, true);
}

struct handler reply_handler(const char *path)
{
    return (struct handler){.path = path,
                            .begin = show_head,
                            .message = keep_message,
                            .trailers = show_trailers,
                            .ended = keep_status};
}

struct call *channel_send(struct channel *channel, const struct handler *handler,
                          const void *message, size_t length, int64_t timeout_ms,
                          struct reply *reply)
{
    reply->done = false;
    reply->messages = 0;
    struct call *call = channel_call(channel, handler, reply, timeout_ms);
    call_send(call, message, length);
    if (!reply->done)
        call_half_close(call);
    return call;
}

bool channel_ask(struct channel *channel, const char *path, const void *message, size_t length,
                 int64_t timeout_ms, struct reply *reply)
{
    struct handler handler = reply_handler(path);
    struct call *call = channel_send(channel, &handler, message, length, timeout_ms, reply);
    if (!channel_await(channel, &reply->done, CHANNEL_PATIENCE_MS) && !reply->done) {
        call_cancel(call);
        channel_step(channel, 0);
        reply->status = RPC_DEADLINE_EXCEEDED;
        snprintf(reply->text, sizeof reply->text, "nothing has come for %d seconds",
                 CHANNEL_PATIENCE_MS / 1000);
    }
    return reply->status == RPC_OK;
}

void reply_free(struct reply *reply)
{
    bytes_free(&reply->message);
}
