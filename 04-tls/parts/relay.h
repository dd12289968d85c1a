// relay.h: one client's connection through terminate.c: TLS to the client, plain TCP to the
// server behind, and what is on its way between the two.
#ifndef RELAY_H
#define RELAY_H

#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "forward.h"
#include "net.h"

#define RELAY_BUFFER_BYTES (64 << 10) // on each way
#define RELAY_HANDSHAKE_MS 10000
#define RELAY_LINGER_MS    2000 // after our last byte, for the client's last ones

// What all of them share.
struct relay_settings {
    SSL_CTX *ctx;
    const char *upstream; // as the user wrote it
    struct sockaddr_storage address;
    socklen_t address_length;
    int idle_ms; // in which something has to move
    long requests;
};

struct buffer {
    size_t at, end; // what is in it is between the two
    char bytes[RELAY_BUFFER_BYTES];
};

struct relay {
    struct relay_settings *settings;
    SSL *ssl;
    int client, upstream; // descriptors; upstream -1: not connected (any more)
    bool established;     // the handshake with the client is done
    bool connected;       // the upstream has taken the connection
    bool client_ended;    // there will be no more requests, and
    bool upstream_told;   // the upstream knows
    bool upstream_ended;
    bool answered;     // the upstream has sent something
    bool send_blocked; // the client's socket takes nothing now
    bool again;        // it is not waiting: there was only enough done for one turn
    bool lingering;    // all is said; only to be read to the end
    bool broken;       // close it, without a word
    int64_t deadline_ns;
    char address[NET_NAME];
    struct forward forward;
    struct buffer from_client, to_upstream, to_client; // plaintext, all three
};

// Begins one with a client that was accepted, a descriptor that does not block. NULL: there is
// no memory for it, and the descriptor is closed.
struct relay *relay_open(int client, struct relay_settings *settings);
void relay_close(struct relay *relay);

// What to ask poll() for, about the client and about the upstream.
void relay_watch(const struct relay *relay, struct pollfd polls[2]);

// Does what poll() says that can be done, and what is due. When it returns, the relay waits for
// something, or is broken.
void relay_serve(struct relay *relay, const struct pollfd polls[2]);

#endif
