// relay.h: one client's connection through the proxy: TLS to the client, plain TCP to the
// server behind (the upstream), and what is on its way between the two.
#ifndef RELAY_H
#define RELAY_H

#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "forward.h"
#include "net.h"

#define RELAY_BUFFER_BYTES (32 << 10) // four for each relay; a whole head finds room in one
#define RELAY_LINGER_MS    2000       // after the last byte, for the client's last ones
#define RELAY_PACE_MS      10000      // in which a client has to send, or to take,
#define RELAY_PACE_BYTES   10000      // so many bytes of content; a slower client is closed

// What all of them share.
struct relay_settings {
    SSL_CTX *ctx;
    const char *upstream; // as the user wrote it
    struct sockaddr_storage address;
    socklen_t address_length;
    struct forward_proxy proxy;
    int head_ms; // that a handshake may take, and a request's head, however they come
    int idle_ms; // without a request, or without a byte of the upstream
    long requests;
};

struct buffer {
    size_t at, end; // what is in it is between the two
    char bytes[RELAY_BUFFER_BYTES];
};

// What a relay waits for. Each stage has a deadline for the whole of it: a byte now and then
// buys no time.
enum stage {
    STAGE_HANDSHAKE,
    STAGE_IDLE,     // for the first byte of a request
    STAGE_HEAD,     // for the rest of its head
    STAGE_CONTENT,  // for its content
    STAGE_UPSTREAM, // for an answer
    STAGE_TAKE,     // for the client to take the answer
    STAGE_LINGER,   // for the client to close: all is said
};

struct relay {
    struct relay_settings *settings;
    SSL *ssl;
    int client, upstream; // descriptors; upstream -1: not connected (any more)
    bool established;     // the handshake with the client is done
    bool connected;       // the upstream has taken the connection
    bool client_ended;    // the client will send no more requests
    bool upstream_closed; // the upstream has said, by FIN, that it will send no more
    bool upstream_ended;  // no more answers will come, for whatever reason
    bool send_blocked;    // the client's socket takes nothing now
    bool again;           // the relay is not waiting: it has done enough for one turn
    bool broken;          // close it, without a word
    enum stage stage;
    int64_t stage_ns;     // when the stage began
    uint64_t stage_bytes; // that the client has sent, or that were sent to it, since then
    int stage_queue;      // bytes that the kernel held for the client then
    int64_t deadline_ns;  // when it has to be over
    long stage_requests;  // requests that had passed when it began
    char address[NET_NAME];
    struct forward forward;
    // Plaintext, all four; the two in the middle are rewritten from the outer ones.
    struct buffer from_client, to_upstream, to_client, from_upstream;
};

static inline size_t buffer_left(const struct buffer *buffer)
{
    return buffer->end - buffer->at;
}

// Moves what is in a buffer to its beginning. Returns how much room there is behind it.
static inline size_t make_room(struct buffer *buffer)
{
    memmove(buffer->bytes, buffer->bytes + buffer->at, buffer_left(buffer));
    buffer->end -= buffer->at;
    buffer->at = 0;
    return RELAY_BUFFER_BYTES - buffer->end;
}

// Begins one with a client that was accepted, a descriptor that does not block. NULL: there is
// no memory for it, and the descriptor is closed.
struct relay *relay_open(int client, struct relay_settings *settings);
void relay_close(struct relay *relay);

// What to ask poll() for, about the client and about the upstream; a descriptor of -1: nothing.
void relay_watch(const struct relay *relay, struct pollfd polls[2]);

// Does what poll() says that can be done, and what is due. When it returns, the relay waits for
// something, or is broken.
void relay_serve(struct relay *relay, short client_events, short upstream_events);

// True if the relay waits for something that the client has to do.
bool relay_waits_for_client(const struct relay *relay);

// Its place is needed for others.
void relay_give_up(struct relay *relay);

#endif
