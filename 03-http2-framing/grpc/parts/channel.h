// channel.h: the client's end: a connection to a server, and calls on it. It waits by poll(),
// so that what comes is taken while messages are sent, and deadlines end calls.
//
//     static struct channel channel;
//     channel_connect(&channel, host, port);
//     struct reply reply = {0};
//     channel_ask(&channel, "/toDo.ToDo/createToDo", bytes, length, 0, &reply);
//     if (reply.status == RPC_OK) ... reply.message ...
//     reply_free(&reply);
//     channel_close(&channel);
//
// A call with several messages: channel_call() with a handler of its own (call.h), and then
// channel_await() until a flag of the caller is set.
#ifndef CHANNEL_H
#define CHANNEL_H

#include "call.h"

#define CHANNEL_BYTES       65536
#define CHANNEL_PATIENCE_MS 20000 // without a deadline a client waits so long for anything

struct channel {
    struct calls calls;
    int fd; // -1: there is no connection
    char authority[300];
    size_t in_length, out_at, out_length;
    // Called with what was read, and with what is about to be written; may be NULL.
    void (*seen)(struct channel *, bool to_server, const uint8_t *bytes, size_t length);
    uint64_t up, down; // bytes that were sent, and that have come
    uint8_t in[CHANNEL_BYTES], out[CHANNEL_BYTES];
};

// Connects; dies if there is no server. channel_begin() on a connection that is there.
void channel_connect(struct channel *channel, const char *host, int port);
void channel_begin(struct channel *channel, int fd, const char *authority);

// Says good-bye (GOAWAY) and closes; calls that are under way end with UNAVAILABLE.
void channel_close(struct channel *channel);

// Begins a call; dies if the connection takes none. The first bytes leave with the next step.
struct call *channel_call(struct channel *channel, const struct handler *handler, void *state,
                          int64_t timeout_ms);

// Sends and takes what there is, and waits at most `ms` for more. False: the connection is
// gone.
bool channel_step(struct channel *channel, int ms);

// Steps until *done, or for `ms`. False: it is not done.
bool channel_await(struct channel *channel, const bool *done, int ms);

// ---- one message each way ------------------------------------------------------------------

struct reply {
    bool done;
    int status;
    char text[RPC_TEXT_BYTES];
    struct bytes message; // the last one
    uint32_t messages;
    // The fields of the answer's trailers and of its head, while they are valid; may be NULL.
    void (*fields)(const struct hpack_list *fields, bool trailers);
};

// Calls a method with one message, and waits for the end. Returns whether the status is OK.
bool channel_ask(struct channel *channel, const char *path, const void *message, size_t length,
                 int64_t timeout_ms, struct reply *reply);

// The same without waiting: reply->done says when it is done. `handler` has to stay until then;
// its path says what to call, and reply_handler() has set the rest.
struct handler reply_handler(const char *path);
struct call *channel_send(struct channel *channel, const struct handler *handler,
                          const void *message, size_t length, int64_t timeout_ms,
                          struct reply *reply);
void reply_free(struct reply *reply);

#endif
