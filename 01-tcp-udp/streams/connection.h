// connection.h: one connection: it takes datagrams and gives datagrams, and knows neither
// sockets nor clocks. Both ends are the same code.
//
//     connection_receive(c, &header, frames, ...);              a datagram has come
//     while ((length = connection_send(c, out, now, &to)) > 0)  those that may leave now
//     connection_expire(c, now)                                 when connection_due_ns() is
//     past
//
// What it is made of: streams (stream.h), which packets are lost (recovery.h), the address of
// the other end (path.h).
#ifndef CONNECTION_H
#define CONNECTION_H

#include <sys/socket.h>

#include "path.h"
#include "recovery.h"

#define STREAMS_MAX       64    // that a client may open in one connection
#define REQUEST_WINDOW    1024  // bytes that a client may send on a stream
#define STREAM_WINDOW     16384 // bytes that a server may send on a stream,
#define CONNECTION_WINDOW 65536 // and on all of them, until the client allows more
#define IDLE_NS           INT64_C(10000000000) // without a packet the connection is over
#define HANDSHAKE_NS      INT64_C(10000000000) // until both ends have heard of each other
#define KEEP_ALIVE_NS     INT64_C(2000000000)  // a client that waits asks whether all is well
#define SIZE_PROBES       3  // tries with the largest datagram (RFC 9000 §14.3, in short)
#define KEY_MAX           64 // bytes of a key
#define TAG_BYTES         16 // of the proof behind a packet

struct connection;

// What the program does. NULL: nothing to do.
struct connection_user {
    // Writes the bytes of a stream from `offset` on: for the first time, or again.
    void (*fill)(struct connection *, struct stream *, uint64_t offset, uint8_t *out,
                 size_t length);
    // Bytes have come, in order; `end`: and there are no more.
    void (*arrived)(struct connection *, struct stream *, const uint8_t *bytes, size_t length,
                    bool end);
    void (*was_reset)(struct connection *, struct stream *, uint64_t code);
    // Something happened that is worth a line.
    void (*told)(struct connection *, const char *text);
};

enum connection_state {
    CONNECTING, // the other end is not known to be where it says it is
    OPEN,
    CLOSING, // one CLOSE is to be sent
    CLOSED
};

struct connection {
    const struct connection_user *user;
    void *context;   // the program's own
    const char *key; // NULL: packets have no tag
    bool is_server;
    bool knows_peer; // a packet has come that only the other end can have sent
    enum connection_state state;
    uint8_t id[ID_BYTES], peer_id[ID_BYTES];
    uint8_t original_id[ID_BYTES]; // that the client had made up for the server
    uint8_t token[TOKEN_MAX];      // of the server's retry
    size_t token_length;           // 0: it has not asked for it

    struct recovery recovery;
    struct path path, old_path;
    bool has_old_path;
    bool pad_next;        // the next datagram is to be a large one
    int size_probes_left; // of the largest datagram
    bool size_probe_due;

    struct ranges received;  // numbers of packets,
    uint64_t received_below; // and all below this one: they are not looked at again
    uint64_t largest;        // number that has come; UINT64_MAX: none
    int64_t largest_ns, ack_due_ns;
    int ack_pending; // packets that ask for an ACK
    bool ping_due, response_due;
    uint8_t response[CHALLENGE_BYTES];

    uint64_t credit, out_max; // new bytes that the peer takes; its window's end
    uint64_t window, in_max, in_total, in_taken;
    bool max_data_due;
    struct stream *streams[STREAMS_MAX]; // that of id 4n at n; NULL: not open
    uint8_t turn;                        // the stream that comes first in the next packet
    uint32_t stream_window;

    uint64_t close_code; // why it ends
    char reason[REASON_MAX];
    bool closed_by_peer;
    int64_t began_ns, heard_ns, asked_ns;
    uint64_t duplicates, packets_in;
};

// Begins a connection. A client knows no id of the server yet: it makes one up, `peer_id`. A
// server uses connection_accept(). False: no memory.
bool connection_begin(struct connection *c, const struct connection_user *user,
                      const uint8_t id[ID_BYTES], const uint8_t peer_id[ID_BYTES],
                      const struct sockaddr_storage *peer, int64_t now);

// The same for a server, for a first packet that has come. `validated`: by a token.
bool connection_accept(struct connection *c, const struct connection_user *user,
                       const uint8_t id[ID_BYTES], const struct header *first,
                       const struct sockaddr_storage *peer, bool validated, int64_t now);

void connection_end(struct connection *c);

// A client opens a stream. NULL: STREAMS_MAX are open, or there is no memory.
struct stream *connection_open_stream(struct connection *c);

// The program has `here` bytes for the stream, and that is all: `whole`.
void connection_offer(struct stream *stream, uint64_t here, bool whole);

// Gives the stream up, and says why.
void connection_reset_stream(struct stream *stream, uint64_t code);

// A datagram for this connection has come: its header, the frames behind it, the length of all.
void connection_receive(struct connection *c, const struct header *header,
                        const uint8_t *frames, size_t length, size_t datagram_length,
                        const struct sockaddr_storage *from, int64_t now);

// Writes the next datagram, at most DATAGRAM_MAX bytes. Returns its length; 0: none for now.
size_t connection_send(struct connection *c, uint8_t *out, int64_t now,
                       struct sockaddr_storage *to);

int64_t connection_due_ns(const struct connection *c);
void connection_expire(struct connection *c, int64_t now);

// The client has another address now, or thinks so.
void connection_moved(struct connection *c);

// Ends the connection: the other end is told.
void connection_close(struct connection *c, uint64_t code, const char *reason);

// True when the packet's tag is right, or none is asked for; then *length is without it.
bool tag_is_right(const char *key, const uint8_t *datagram, size_t *length);

// ---- for connection.c, receive.c and send.c ------------------------------------------------

// Opens the stream with the id 4 x place. NULL: no memory.
struct stream *connection_add_stream(struct connection *c, uint8_t place);

void connection_tell(struct connection *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
