// talk.h: the client's end of an HTTP/2 connection (RFC 9113): it asks, it reads the frames
// that come, and it keeps both windows. Whoever wants to see the frames is told of each.
//
//     struct talk *talk = ...;             // large: static
//     talk_open(talk, TALK_WINDOW, NULL);
//     uint32_t stream = talk_get(talk, "/");
//     if (talk_await(talk, stream)) ... talk_reply(talk, stream)->status ...
//     talk_close(talk);
#ifndef TALK_H
#define TALK_H

#include "frame.h"
#include "hpack.h"

#define PATIENCE_MS    10000     // for what the server owes us
#define TALK_REPLIES   256       // of the last requests are kept
#define TALK_WINDOW    (1 << 20) // bytes: what a client that is in a hurry opens
#define TALK_BYTES     65536     // of each buffer
#define TALK_BLOCK_MAX 32768     // bytes of a header block, in all its frames
#define TALK_SETTINGS  8         // of ours that may wait for their ACK
#define TALK_WHY_BYTES 101
#define TALK_AUTHORITY 128

// What has come on a stream.
struct reply {
    uint32_t stream;
    int status;             // 0: not here yet
    uint32_t block_bytes;   // of its header block
    uint64_t content_bytes; // so far
    int64_t window;         // bytes that the server may still send here
    uint32_t used;          // bytes that it has sent, and that are not given back yet
    bool ended;             // by END_STREAM, or because nothing will come: then also
    bool reset;             // RST_STREAM, or GOAWAY
    uint32_t error;         // and its code
    int64_t ended_ns;
};

struct talk;

// Who is told; each may be NULL.
struct talk_listener {
    // A frame in either direction. The nine bytes of its header are in front of its payload. Of
    // one that has come, talk->position and talk->read_ns say where and when.
    void (*frame)(struct talk *talk, bool to_server, const struct frame *frame);
    // What the header block says that has come or gone, behind its last frame.
    void (*fields)(struct talk *talk, bool to_server, const struct hpack_field *fields,
                   size_t count);
    void (*content)(struct talk *talk, const struct reply *reply, const uint8_t *bytes,
                    size_t length);
};

struct talk {
    int fd;
    const struct talk_listener *listener;
    uint32_t next_stream; // of the next request: 1, 3, 5; a scene may want something else
    uint32_t last_stream; // the highest that was asked for
    uint32_t open;        // requests that are not answered yet
    uint32_t streams_max; // how many may be, by the server's SETTINGS
    struct reply replies[TALK_REPLIES];
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;

    bool generous;                   // gives windows back by itself
    int64_t window;                  // the connection's: bytes that the server may still send
    uint32_t used;                   // as in struct reply
    int64_t initial;                 // window of a new stream, as the server knows it by now
    uint32_t half;                   // used bytes that are worth a WINDOW_UPDATE
    int64_t settings[TALK_SETTINGS]; // INITIAL_WINDOW_SIZE in those of ours; -1: not in it
    uint32_t settings_sent, settings_acked, pings_acked;

    bool closed;    // the connection is at its end
    bool went_away; // the server has said GOAWAY, or, if `fault` is one, we have
    uint32_t goaway_last, goaway_code;
    char why[TALK_WHY_BYTES]; // its debug data
    struct fault fault;       // what the server did wrong

    uint64_t position; // bytes of the connection before the frame that is looked at
    int64_t read_ns;   // when its last byte was read
    size_t in_at, in_length, out_length;
    uint32_t block_stream; // its header block has begun, and CONTINUATION is to come
    uint8_t block_flags;
    uint32_t block_length;
    uint8_t block[TALK_BLOCK_MAX], in[TALK_BYTES], out[TALK_BYTES];
};

// Says where the server is, once for all connections.
void talk_with(const char *host, int port);

// "127.0.0.1:8003", for :authority and Host.
const char *talk_authority(void);

// A TCP connection to it, that loses its patience; dies if there is no server.
int talk_connect(void);

// Connects and begins; dies if there is no server. `window` is what each stream and the
// connection get; 0: what the protocol begins with, and WINDOW_UPDATE only from the scene.
// `listener` may be NULL. Nothing is sent yet: it goes with the first request.
void talk_open(struct talk *talk, uint32_t window, const struct talk_listener *listener);

// The same on a connection that is there.
void talk_begin(struct talk *talk, int fd, uint32_t window,
                const struct talk_listener *listener);

// Says GOAWAY and closes.
void talk_close(struct talk *talk);

// Asks, on the stream talk->next_stream, with these fields; or with the few that are needed.
// Returns the stream. Goes out with the next talk_flush(), or as soon as somebody waits.
uint32_t talk_request(struct talk *talk, const struct hpack_field *fields, size_t count);
uint32_t talk_get(struct talk *talk, const char *path);

// The usual four fields of a request. The path is not put into the dynamic table: it will not
// come again.
#define TALK_FIELDS 4
void talk_fields(struct hpack_field fields[TALK_FIELDS], const char *path);

// For frames that only the scene wants: write at talk_space(), at most TALK_ROOM bytes, and say
// where they end.
#define TALK_ROOM 4096
uint8_t *talk_space(struct talk *talk);
void talk_wrote(struct talk *talk, const uint8_t *end);

// Opens a window (0: the connection's) by so many bytes.
void talk_widen(struct talk *talk, uint32_t stream, uint32_t increment);

// Says SETTINGS_INITIAL_WINDOW_SIZE: it counts when the server has acknowledged it.
void talk_initial_window(struct talk *talk, uint32_t initial);

void talk_flush(struct talk *talk);

// Reads once and takes all frames that are whole. False: the connection is at its end. Dies
// when nothing comes for PATIENCE_MS.
bool talk_step(struct talk *talk);

// Reads on until the stream has ended, or all have, or a PING has come back, or SETTINGS are
// acknowledged. False: the connection ended first.
bool talk_await(struct talk *talk, uint32_t stream);
bool talk_await_all(struct talk *talk);
bool talk_ping(struct talk *talk);

// Reads on until the server closes.
void talk_await_end(struct talk *talk);

// What has come on a stream; of one that was never asked for, or too long ago, nothing.
const struct reply *talk_reply(const struct talk *talk, uint32_t stream);

#endif
