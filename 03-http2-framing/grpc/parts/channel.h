// channel.h: the client's end: a connection to a server, and calls on it.
//
//     static struct channel channel;
//     channel_connect(&channel, host, port);
//     struct call *call = channel_call(&channel, &handler, NULL, 0); // a handler of its own
//     call_send(call, bytes, length);
//     call_half_close(call);
//     while (!is_over && channel_step(&channel, -1))
//         ;
//     channel_close(&channel);
#ifndef CHANNEL_H
#define CHANNEL_H

#include "call.h"
#include "transport_socket.h"

#define CHANNEL_PATIENCE_MS 20000 // without a deadline a client waits so long for anything

struct channel {
    struct transport_socket socket;
    struct calls calls;
};

// Connects; dies if there is no server.
void channel_connect(struct channel *channel, const char *host, int port);

// Says good-bye (GOAWAY) and closes; calls that are under way end with UNAVAILABLE.
void channel_close(struct channel *channel);

// Begins a call; dies if the connection takes none. The first bytes leave with the next step.
struct call *channel_call(struct channel *channel, const struct handler *handler, void *state,
                          int64_t timeout_ms);

// Sends and takes what there is, and waits at most `ms` for more. False: the connection is
// gone.
bool channel_step(struct channel *channel, int ms);

#endif
