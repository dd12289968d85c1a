// websocket.h: the frames of WebSocket (RFC 6455 §5), read and written by either side. After
// the handshake (handshake.h) both may send messages at any time. A message is one frame or
// several; a ping, a pong or a close may stand between them.
//
//     0               1               2 to 3 or 2 to 9     4 bytes, from clients only
//     FIN RSV opcode  MASK length     longer length        mask         payload ...
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"
#include "utf8.h"

#define WS_HEADER_BYTES  14  // a frame's header at most
#define WS_CONTROL_BYTES 125 // payload of a ping, a pong or a close at most (§5.5)

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

// Why a connection is closed (§7.4.1, and 1012 to 1014 of the IANA registry).
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_UNSUPPORTED = 1003, // this server does not accept this kind of data
    WS_NO_CODE = 1005,     // the close frame had none; never sent
    WS_ABNORMAL = 1006,    // there was no close frame; never sent
    WS_NOT_UTF8 = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_TRY_LATER = 1013,
};

// What one side knows of the frames that the other side sends.
struct websocket {
    struct buffer message; // the bytes of the present message that have come
    uint32_t message_max;  // the most bytes that a message may have
    uint32_t left;         // bytes of this frame's payload that have to come
    uint8_t mask[4];       // the mask of this frame
    uint8_t mask_at;       // which byte of the mask is next
    uint8_t opcode;        // the kind of the present message; 0: there is none
    bool from_client;      // true: frames must be masked (§5.1); false: they must not be
    bool in_frame;         // a data frame's header was read, but not yet all of its payload
    bool final;            // this frame is the last one of its message
    bool delivered;        // the message is whole; the next read frees it
    struct utf8 utf8;
};

// What websocket_read() has found.
struct ws_message {
    int opcode; // WS_TEXT, WS_BINARY, WS_PING, WS_PONG, WS_CLOSE; -1: nothing is whole yet
    const char *bytes; // the message (until the next read), or a close frame's reason
    size_t length;
    int code; // the code of a close frame
    char control[WS_CONTROL_BYTES];
};

// Begins to read frames that come from a client, or from a server.
void websocket_begin(struct websocket *ws, bool from_client, uint32_t message_max);
void websocket_end(struct websocket *ws); // frees what has come of a message

// Frees a message that was delivered, without waiting for the next read.
void websocket_forget(struct websocket *ws);

// Reads the next frame, or a part of it, at the start of `bytes`. Returns how many bytes it has
// used; 0: more have to come. An error is the close code, negated: -1002 if this is no frame of
// RFC 6455, -1007 if a text is not UTF-8, -1009 if a message is too long, -1013 without memory.
ssize_t websocket_read(struct websocket *ws, const char *bytes, size_t length,
                       struct ws_message *got);

// Writes the header of a frame with `length` bytes of payload. Returns how long the header is.
// A client gives a mask, and has to apply it to the payload with websocket_mask(). A server
// gives NULL.
size_t websocket_put_header(char *to, enum ws_opcode opcode, bool final, uint64_t length,
                            const uint8_t *mask);

// Writes a whole close frame, at most 2 + 4 + 125 bytes. Returns how long it is.
size_t websocket_put_close(char *to, int code, const char *reason, const uint8_t *mask);

// Applies a mask to `length` bytes; byte `at` of the mask is the first one. `to` may be `from`.
// Applied twice, the mask is undone: it hides nothing. It is there because of proxies: without
// a mask a page could choose the bytes on the wire, and a proxy might take them for a request
// (§10.3).
void websocket_mask(char *to, const char *from, size_t length, const uint8_t mask[4],
                    unsigned at);

#endif
