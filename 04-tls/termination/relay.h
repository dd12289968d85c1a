// relay.h: one client's connection through the proxy: TLS to the client, plain TCP to the
// server behind (the upstream), and the bytes on their way between the two.
#ifndef RELAY_H
#define RELAY_H

#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "forward.h"
#include "net.h"

#define RELAY_BUFFER_BYTES (32 << 10) // each relay has four; a whole head finds room in one
#define RELAY_LINGER_MS    2000  // after its last byte the proxy waits so long for the client
#define RELAY_PACE_MS      10000 // in this time a client has to send, or to take,
#define RELAY_PACE_BYTES   10000 // so many bytes of content; a slower client is closed

// What all relays share.
struct relay_settings {
    SSL_CTX *ctx;
    const char *upstream; // as the user wrote it
    struct sockaddr_storage address;
    socklen_t address_length;
    struct forward_proxy proxy;
    int head_ms; // a handshake, and a request's head, may each take so long
    int idle_ms; // a relay waits so long for a request, or for a byte of the upstream
    long requests;
};

struct buffer {
    size_t at, end; // its bytes stand between these two
    char bytes[RELAY_BUFFER_BYTES];
};

// What a relay waits for. The deadline is for a whole stage: a byte now and then gives no more
// time.
enum stage {
    STAGE_HANDSHAKE, // it waits for the end of the handshake
    STAGE_IDLE,      // it waits for the first byte of a request
    STAGE_HEAD,      // it waits for the rest of a request's head
    STAGE_CONTENT,   // it waits for a request's content
    STAGE_UPSTREAM,  // it waits for the upstream's answer
    STAGE_TAKE,      // it waits until the client has taken the answer
    STAGE_LINGER,    // all is sent: it waits until the client closes
};

struct relay {
    struct relay_settings *settings;
    SSL *ssl;
    int client, upstream; // descriptors; upstream -1: not connected (any more)
    bool established;     // the handshake with the client is done
    bool connected;       // the upstream has taken the connection
    bool client_ended;    // the client will send no more requests
    bool upstream_closed; // the upstream has sent its FIN: it will send no more bytes
    bool upstream_ended;  // no more answers will come
    bool send_blocked;    // the client's socket takes nothing now
    bool again;           // it has more to do, but the other relays have their turn first
    bool broken;          // it is to be closed without a close_notify
    enum stage stage;
    int64_t stage_ns;     // when the stage began
    uint64_t stage_bytes; // bytes from and to the client since then
    int stage_queue;      // bytes that the kernel held for the client at that time
    int64_t deadline_ns;  // when the stage has to be over
    long stage_requests;  // how many requests had passed when it began
    char address[NET_NAME];
    struct forward forward;
    // All four hold plaintext. to_upstream is made from from_client, to_client from
    // from_upstream.
    struct buffer from_client, to_upstream, to_client, from_upstream;
};

static inline size_t buffer_left(const struct buffer *buffer)
{
    return buffer->end - buffer->at;
}

// Moves the bytes of a buffer to its beginning. Returns how much room there is behind them.
static inline size_t make_room(struct buffer *buffer)
{
    memmove(buffer->bytes, buffer->bytes + buffer->at, buffer_left(buffer));
    buffer->end -= buffer->at;
    buffer->at = 0;
    return RELAY_BUFFER_BYTES - buffer->end;
}

// Makes a relay for a client that was accepted; the descriptor must not block. NULL: there is
// no memory, and the descriptor is closed.
struct relay *relay_open(int client, struct relay_settings *settings);
void relay_close(struct relay *relay);

// Sets what poll() has to wait for, at the client and at the upstream. A descriptor of -1:
// nothing.
void relay_watch(const struct relay *relay, struct pollfd polls[2]);

// Does what can be done after these events of poll(), and what a deadline asks for. Afterwards
// the relay waits for something, or is broken.
void relay_serve(struct relay *relay, short client_events, short upstream_events);

// True if the relay waits for its client.
bool relay_waits_for_client(const struct relay *relay);

// Ends the relay, because another client needs its place.
void relay_give_up(struct relay *relay);

#endif
