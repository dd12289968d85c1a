// pair.h: a client's calls and a server's in one program, without sockets: the tests move the
// bytes between them, in pieces of any size, and set the clock.
#ifndef PAIR_H
#define PAIR_H

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "log.h"
#include "services.h"
#include "todo.h"

#define PAIR_ROOM 65536

struct end {
    struct calls calls;
    uint8_t out[PAIR_ROOM];
    struct bytes sent;                 // bytes on their way to the other end
    uint8_t in[PAIR_ROOM + 16384 * 2]; // bytes that are here, and not used
    size_t in_length;
};

struct pair {
    struct end client, server;
    int64_t now_ns;
    size_t piece; // bytes that arrive at once; 0: all there are
};

static const struct handler *const pair_services[] = {todo_service, health_service,
                                                      test_service, NULL};

static inline void pair_lend(struct pair *pair, struct end *end)
{
    transport_lend(&end->calls.transport, pair->now_ns, end->out, sizeof end->out);
}

static inline void pair_collect(struct end *end)
{
    struct transport *transport = &end->calls.transport;
    if (!bytes_add(&end->sent, end->out, transport->out_length))
        abort();
    transport->out_length = 0;
}

static inline void pair_begin(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    pair->now_ns = 1000000000;
    log_begin(true);
    pair->client.calls.authority = "test";
    pair->server.calls.services = pair_services;
    pair_lend(pair, &pair->client);
    calls_begin(&pair->client.calls, true, 1000);
    pair_collect(&pair->client);
    pair_lend(pair, &pair->server);
    calls_begin(&pair->server.calls, false, 1000);
    pair_collect(&pair->server);
}

// Lets one end write what it may. True: it has written something.
static inline bool pair_write(struct pair *pair, struct end *end)
{
    size_t before = end->sent.length;
    pair_lend(pair, end);
    calls_due(&end->calls);
    transport_send(&end->calls.transport);
    pair_collect(end);
    return end->sent.length > before;
}

// Moves a piece from one end to the other. True: there was one.
static inline bool pair_move(struct pair *pair, struct end *from, struct end *to)
{
    size_t length = from->sent.length;
    if (pair->piece && length > pair->piece)
        length = pair->piece;
    if (length > sizeof to->in - to->in_length)
        length = sizeof to->in - to->in_length;
    if (length == 0)
        return false;
    memcpy(to->in + to->in_length, bytes_at(&from->sent), length);
    bytes_drop(&from->sent, length);
    to->in_length += length;
    pair_lend(pair, to);
    size_t used = transport_take(&to->calls.transport, to->in, to->in_length);
    pair_collect(to);
    to->in_length -= used;
    memmove(to->in, to->in + used, to->in_length);
    return true;
}

// Moves bytes until nothing moves any more.
static inline void pair_run(struct pair *pair)
{
    bool moved = true;
    while (moved) {
        moved = pair_write(pair, &pair->client);
        moved |= pair_move(pair, &pair->client, &pair->server);
        moved |= pair_write(pair, &pair->server);
        moved |= pair_move(pair, &pair->server, &pair->client);
    }
}

// The clock goes on by `ms`, and what is due happens.
static inline void pair_wait(struct pair *pair, int ms)
{
    pair->now_ns += ms * INT64_C(1000000);
    pair_run(pair);
}

static inline void pair_end(struct pair *pair)
{
    struct end *const ends[] = {&pair->client, &pair->server};
    for (int i = 0; i < 2; i++) {
        pair_lend(pair, ends[i]);
        transport_end(&ends[i]->calls.transport);
        bytes_free(&ends[i]->sent);
    }
}

// ---- calls ---------------------------------------------------------------------------------

// What a test sees of a call.
struct seen {
    struct call *call; // NULL: it is over
    bool ended, hold;
    int status, messages;
    size_t bytes; // of all messages
    char text[RPC_TEXT_BYTES];
    uint8_t last[200]; // the last message, if it is not longer
    size_t last_length;
};

static inline void seen_message(struct call *call, const uint8_t *bytes, size_t length)
{
    struct seen *seen = call->state;
    seen->messages++;
    seen->bytes += length;
    seen->last_length = length;
    if (length && length <= sizeof seen->last)
        memcpy(seen->last, bytes, length);
    call->hold = seen->hold;
}

static inline void seen_ended(struct call *call)
{
    struct seen *seen = call->state;
    seen->call = NULL;
    seen->ended = true;
    seen->status = call->status;
    strcpy(seen->text, call->text);
}

// Begins a call of this method; the handler is one of a few that stay.
static inline struct call *pair_call(struct pair *pair, const char *path, int timeout_ms,
                                     struct seen *seen)
{
    static struct handler handlers[8];
    static int next;
    struct handler *handler = &handlers[next++ % 8];
    for (int i = 0; i < 8; i++)
        if (handlers[i].path && !strcmp(handlers[i].path, path))
            handler = &handlers[i];
    *handler = (struct handler){.path = path, .message = seen_message, .ended = seen_ended};
    memset(seen, 0, sizeof *seen);
    pair_lend(pair, &pair->client);
    seen->call = call_open(&pair->client.calls, handler, seen, timeout_ms);
    pair_collect(&pair->client);
    return seen->call;
}

// One message, and all that comes of it.
static inline void pair_ask(struct pair *pair, const char *path, const void *message,
                            size_t length, struct seen *seen)
{
    struct call *call = pair_call(pair, path, 0, seen);
    call_send(call, message, length);
    call_half_close(call);
    pair_run(pair);
}

#endif
