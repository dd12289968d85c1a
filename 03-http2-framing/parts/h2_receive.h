// h2_receive.h: checks the frames that a server sends, and keeps what a client learns from them
// (RFC 9113). It has no socket, and sends nothing: client.c and h2_client.c do that.
//
//     struct fault fault = h2_receive(&receiver, &frame, &news);
//
// The caller answers a fault of scope FAULT_STREAM with RST_STREAM, and one of scope
// FAULT_CONNECTION with GOAWAY.
#ifndef H2_RECEIVE_H
#define H2_RECEIVE_H

#include "frame.h"
#include "hpack.h"

#define STREAMS_MAX_DEFAULT 100  // requests at once, if the server does not say how many
#define EMPTY_FRAMES_MAX    1000 // frames in a row that may bring nothing
#define SETTINGS_PENDING    8    // the client's SETTINGS that may wait for their ACK
#define GOAWAY_TEXT_BYTES   101

// The answer to a request, as far as it has come.
struct response {
    uint32_t stream;
    int status;             // the final one; 0: it has not come yet
    int64_t content_length; // as its field says; -1: there is no such field
    uint32_t block_bytes;   // the length of its header block
    uint64_t content_bytes; // bytes of content that have come
    int64_t window;         // bytes that the server may still send
    int64_t send_window;    // bytes that the client might send, if a request had a body
    uint32_t used;          // bytes that have come, for which the window was not opened again
    bool ended;             // no more of it will come
    bool reset;             // it ended by RST_STREAM or GOAWAY, or because it was wrong
    uint32_t error;         // if `reset`: the error code
    const char *why;        // if `reset`: what was wrong; NULL: the server has reset it
    int64_t ended_ns;       // for the owner's use
};

struct h2_receiver {
    struct response *responses; // that of stream N is at N / 2 modulo `places`
    uint32_t places;
    uint32_t last_stream; // the highest stream with a request
    uint32_t open;        // requests that are not answered yet
    struct hpack_decoder decoder;
    bool settings_came;   // the server's first frame: it must be SETTINGS
    uint32_t streams_max; // requests at once, by the server's SETTINGS
    int64_t header_table; // the server's SETTINGS_HEADER_TABLE_SIZE, for the client's encoder

    int64_t window;  // bytes that the server may still send on the connection
    uint32_t used;   // as in struct response
    int64_t initial; // the window of a new stream, as the server knows it now
    int64_t send_window, send_initial;
    int64_t pending[SETTINGS_PENDING]; // INITIAL_WINDOW_SIZE that waits for its ACK; -1: none
    uint32_t settings_sent, settings_acked, pings_acked;
    int empty_frames;

    bool went_away; // the server has said GOAWAY
    uint32_t goaway_last, goaway_code;
    char goaway_text[GOAWAY_TEXT_BYTES]; // its debug data, printable

    uint32_t block_stream; // a header block has begun, and CONTINUATION is to come; 0: none
    uint8_t block_flags;
    int block_frames;
    uint32_t block_length;
    uint8_t block[HEADER_BLOCK_MAX];
};

// What a frame has brought: valid until the next one.
struct h2_news {
    struct response *response;     // of its stream; NULL: of none that is open
    const struct hpack_list *list; // a whole header block, or NULL
    bool informational;            // the list is that of a 1xx
    const uint8_t *content;        // of a DATA frame
    uint32_t content_length;
};

// `responses` has `places` of them, all zero.
void h2_receiver_begin(struct h2_receiver *receiver, struct response *responses,
                       uint32_t places);
void h2_receiver_end(struct h2_receiver *receiver);

// We have asked on this stream.
struct response *h2_asked(struct h2_receiver *receiver, uint32_t stream);

// We have sent SETTINGS with this INITIAL_WINDOW_SIZE, or with none (-1).
void h2_settings_sent(struct h2_receiver *receiver, int64_t initial_window);

// We have sent WINDOW_UPDATE, for a stream or (0) the connection.
void h2_window_opened(struct h2_receiver *receiver, uint32_t stream, uint32_t increment);

// Takes a frame that is whole; or one that is too long: then only its header need be there.
struct fault h2_receive(struct h2_receiver *receiver, const struct frame *frame,
                        struct h2_news *news);

// Writes the ACK that a frame asks for, if it is SETTINGS or PING; returns its end. The encoder
// heeds the settings from then on.
uint8_t *h2_reply(const struct h2_receiver *receiver, struct hpack_encoder *encoder,
                  const struct frame *frame, uint8_t *out);

// The response on a stream that was asked for; NULL: none, or it was too long ago.
struct response *h2_response(struct h2_receiver *receiver, uint32_t stream);

// Why an answer that has ended is none; NULL: it is whole.
const char *h2_why(const struct h2_receiver *receiver, const struct response *response);

// Ends an answer that is wrong: `why` says what is wrong with it.
void h2_give_up(struct h2_receiver *receiver, struct response *response, uint32_t error,
                const char *why);

#endif
