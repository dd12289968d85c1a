// h2_client.h: the client's end of an HTTP/2 connection, for the scenes. It sends requests,
// reads the frames that come, and opens the windows again. It calls a listener for each frame.
// h2_receive.h checks what the server may send.
//
//     struct h2_client *client = ...;             // large: static
//     h2_open(client, H2_WINDOW, NULL);
//     uint32_t stream = h2_get(client, "/");
//     if (h2_await(client, stream)) ... h2_answer(client, stream)->status ...
//     h2_close(client);
#ifndef H2_CLIENT_H
#define H2_CLIENT_H

#include "h2_receive.h"

#define ANSWER_MS    10000     // the server has to send the next bytes within this time
#define H2_ANSWERS   256       // of the last requests are kept
#define H2_WINDOW    (1 << 20) // bytes: what a client that is in a hurry opens
#define H2_BYTES     65536     // of each buffer
#define H2_AUTHORITY 300

struct h2_client;

// Functions that the client calls; each may be NULL.
struct h2_listener {
    // For each frame in either direction. The nine bytes of its header are in front of its
    // payload. If it has come from the server, client->position and client->read_ns say where
    // it was, and when.
    void (*frame)(struct h2_client *client, bool to_server, const struct frame *frame);
    // For each header block, after its last frame: the fields in it.
    void (*fields)(struct h2_client *client, bool to_server, const struct hpack_field *fields,
                   size_t count);
};

struct h2_client {
    int fd;
    const struct h2_listener *listener;
    uint32_t next_stream; // of the next request: 1, 3, 5; a scene may set another one
    struct h2_receiver receiver;
    struct response responses[H2_ANSWERS];
    struct hpack_encoder encoder;
    bool generous;      // opens the windows again by itself
    uint32_t half;      // when so many bytes are used, it sends WINDOW_UPDATE
    bool closed;        // the connection is at its end
    struct fault fault; // what the server did wrong
    uint64_t position;  // bytes of the connection before the frame that is looked at
    int64_t read_ns;    // when its last byte was read
    size_t in_at, in_length, out_length;
    uint8_t in[H2_BYTES], out[H2_BYTES];
};

// Says where the server is, once for all connections.
void h2_server_at(const char *host, int port);

// "127.0.0.1:8003", for :authority and Host.
const char *h2_authority(void);

// Connects to the server. Calls on the connection wait ANSWER_MS at most. Dies if there is no
// server.
int h2_connect(void);

// Connects and begins; dies if there is no server. Each stream and the connection get a window
// of `window` bytes; 0: the default, and only the scene sends WINDOW_UPDATE. `listener` may be
// NULL. The first bytes are sent with the first request.
void h2_open(struct h2_client *client, uint32_t window, const struct h2_listener *listener);

// The same on a connection that is open already.
void h2_begin(struct h2_client *client, int fd, uint32_t window,
              const struct h2_listener *listener);

// Sends GOAWAY and closes the connection.
void h2_close(struct h2_client *client);

// Makes a request on the stream client->next_stream: with these fields, or a GET with the few
// that are needed. Returns the stream. It is sent with the next h2_flush(), or with the next
// call that waits.
uint32_t h2_request(struct h2_client *client, const struct hpack_field *fields, size_t count);
uint32_t h2_get(struct h2_client *client, const char *path);

// The four fields that each request has. The path does not go into the dynamic table, because
// it will not come again.
#define H2_FIELDS 4
void h2_fields(struct hpack_field fields[H2_FIELDS], const char *path);

// For frames that a scene makes itself: write them at h2_space(), at most H2_ROOM bytes; then
// call h2_wrote() with their end.
#define H2_ROOM 4096
uint8_t *h2_space(struct h2_client *client);
void h2_wrote(struct h2_client *client, const uint8_t *end);

// Opens a window (0: the connection's) by so many bytes.
void h2_widen(struct h2_client *client, uint32_t stream, uint32_t increment);

// Sends SETTINGS_INITIAL_WINDOW_SIZE: it counts when the server has acknowledged it.
void h2_initial_window(struct h2_client *client, uint32_t initial);

// Sends what was written.
void h2_flush(struct h2_client *client);

// Reads once and takes all frames that are whole. False: the connection is at its end. Dies
// when nothing comes for ANSWER_MS.
bool h2_step(struct h2_client *client);

// Reads on until the stream has ended, or all have, or a PING has come back, or SETTINGS are
// acknowledged. False: the connection ended first.
bool h2_await(struct h2_client *client, uint32_t stream);
bool h2_await_all(struct h2_client *client);
bool h2_ping(struct h2_client *client);

// Reads on until the server closes.
void h2_await_end(struct h2_client *client);

// Returns what has come on a stream. It is empty if there was no request on the stream, or if
// that was too long ago.
const struct response *h2_answer(struct h2_client *client, uint32_t stream);

#endif
