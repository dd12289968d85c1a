// transport_socket.h: a client's socket for a transport: for the clients of the variations, and
// their scenes. It waits by poll(), so that what comes is taken while something is sent.
//
//     static struct transport transport;
//     static struct transport_socket s;
//     if (transport_socket_open(&s, &transport, "127.0.0.1", 8203))
//         transport_begin(&transport, &user, true, 100);
//     while (...)
//         transport_sockets_step(sockets, 1, 1000);
//     transport_socket_close(&s);
#ifndef TRANSPORT_SOCKET_H
#define TRANSPORT_SOCKET_H

#include "transport.h"

#define TRANSPORT_SOCKET_BYTES 65536
#define TRANSPORT_SOCKETS_MAX  64 // that wait together

struct transport_socket {
    int fd; // -1: the connection is lost
    struct transport *transport;
    char authority[300]; // HOST:PORT
    // Called with what was read, and with what was sent, in any pieces; may be NULL.
    void (*seen)(bool to_server, const uint8_t *bytes, size_t length);
    uint64_t up, down; // bytes that were sent, and that have come
    size_t in_length, out_at, out_length;
    uint8_t in[TRANSPORT_SOCKET_BYTES], out[TRANSPORT_SOCKET_BYTES];
};

// Connects, and lends the transport room for output: it is ready to begin. False, and errno:
// there is no server.
bool transport_socket_open(struct transport_socket *s, struct transport *transport,
                           const char *host, int port);

// Before the transport is called: lends it what is left of the room for output, and tells it
// the time.
void transport_socket_lend(struct transport_socket *s);

// Lets the streams write, and sends it, as often as they have something and the kernel takes
// it.
void transport_socket_send(struct transport_socket *s);

// Sends and takes what there is on these connections (NULL: none), and waits at most `ms` for
// something, -1 for ever. One that is at its end is lost then: its streams are broken.
void transport_sockets_step(struct transport_socket *sockets[], int count, int ms);

// Says GOAWAY and closes, if the connection is not lost already.
void transport_socket_close(struct transport_socket *s);

#endif
