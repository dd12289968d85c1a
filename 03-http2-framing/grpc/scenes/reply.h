// reply.h: calls with one message each way, for the scenes and the tests: they wait for the
// end, or look whether it has come.
//
//     struct reply reply = {0};
//     channel_ask(&channel, "/toDo.ToDo/createToDo", bytes, length, 0, &reply);
//     if (reply.status == RPC_OK) ... reply.message ...
//     reply_free(&reply);
#ifndef REPLY_H
#define REPLY_H

#include "channel.h"

// Steps until *done, or for `ms`. False: it is not done.
bool channel_await(struct channel *channel, const bool *done, int ms);

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
