// http3.h: the frames of HTTP/3 (RFC 9114 §6.2, §7, §8): numbers, types, error codes, reading,
// writing. Nothing here knows QUIC: bytes come in, faults and frames come out.
//
// A stream of HTTP/2 is a number in each frame. In HTTP/3 the stream is QUIC's, so a frame has
// no stream number, no flags and no padding: it is a type, a length, and a payload. The first
// two are numbers of 1, 2, 4 or 8 bytes (RFC 9000 §16): the first two bits say how many.
#ifndef HTTP3_H
#define HTTP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_MAX    ((UINT64_C(1) << 62) - 1)
#define NUMBER_BYTES  8     // of the longest number
#define FRAME_HEAD    16    // bytes of a type and a length, at most
#define SECTION_MAX   16384 // bytes of a field section: of HEADERS, and of the fields in it
#define CONTROL_MAX   1024  // bytes of the payload of SETTINGS, GOAWAY and their kind
#define SETTINGS_SEEN 32    // different settings in a SETTINGS frame

enum frame_type { // §7.2
    FRAME_DATA = 0x00,
    FRAME_HEADERS = 0x01,
    FRAME_CANCEL_PUSH = 0x03,
    FRAME_SETTINGS = 0x04,
    FRAME_PUSH_PROMISE = 0x05,
    FRAME_GOAWAY = 0x07,
    FRAME_MAX_PUSH_ID = 0x0d,
};

enum stream_type { // of a unidirectional stream: the first number on it (§6.2)
    STREAM_CONTROL = 0x00,
    STREAM_PUSH = 0x01,
    STREAM_ENCODER = 0x02, // QPACK's (RFC 9204 §4.2)
    STREAM_DECODER = 0x03,
};

enum setting { // §7.2.4.1, RFC 9204 §5
    SETTING_TABLE_CAPACITY = 0x01,
    SETTING_SECTION_SIZE = 0x06,
    SETTING_BLOCKED_STREAMS = 0x07,
};

enum http3_error { // §8.1, RFC 9204 §6
    H3_NO_ERROR = 0x100,
    H3_GENERAL_PROTOCOL_ERROR,
    H3_INTERNAL_ERROR,
    H3_STREAM_CREATION_ERROR,
    H3_CLOSED_CRITICAL_STREAM,
    H3_FRAME_UNEXPECTED,
    H3_FRAME_ERROR,
    H3_EXCESSIVE_LOAD,
    H3_ID_ERROR,
    H3_SETTINGS_ERROR,
    H3_MISSING_SETTINGS,
    H3_REQUEST_REJECTED,
    H3_REQUEST_CANCELLED,
    H3_REQUEST_INCOMPLETE,
    H3_MESSAGE_ERROR,
    H3_CONNECT_ERROR,
    H3_VERSION_FALLBACK,
    QPACK_DECOMPRESSION_FAILED = 0x200,
    QPACK_ENCODER_STREAM_ERROR,
    QPACK_DECODER_STREAM_ERROR,
};

// What is wrong, and how far it reaches. `code` is 0 if nothing is.
struct fault {
    enum http3_error code;
    bool only_stream; // the stream is reset; else the connection is closed
    const char *why;
};

struct fault connection_fault(enum http3_error code, const char *why);
struct fault stream_fault(enum http3_error code, const char *why);

// "H3_FRAME_ERROR"; NULL for a code that is not in the list.
const char *http3_error_name(uint64_t code);

// ---- numbers -------------------------------------------------------------------------------

// Reads a number. Returns how many bytes it has; 0: they have not all come.
size_t number_read(const uint8_t *bytes, size_t length, uint64_t *number);

// Writes a number in as few bytes as possible, and returns the byte after it.
uint8_t *number_write(uint8_t *out, uint64_t number);

// ---- reading frames ------------------------------------------------------------------------

// One stream's frames. Its owner sets `control`, `from_client`, and moves `stage` as it reads
// the messages on a request stream.
struct frame_reader {
    bool control;     // the stream is the peer's control stream; else it carries a request
    bool from_client; // the client sends on it; else the server does
    enum { STAGE_HEAD, STAGE_CONTENT, STAGE_END } stage; // what may come: HEADERS, all, nothing
    bool began;                                          // control: SETTINGS have come
    bool in_payload;                                     // `type` and `left` are known
    bool skipping;                                       // the payload is not wanted
    uint64_t type, left;      // left: bytes of the payload that are still to come
    uint8_t head[FRAME_HEAD]; // type and length, as far as they have come
    size_t head_length;
    uint8_t *kept; // the payload, as far as it has come; NULL: there is none
    size_t kept_length;
};

enum frame_event {
    FRAME_MORE,     // all bytes are used, nothing is whole
    FRAME_CONTENT,  // a part of DATA, in bytes and length
    FRAME_WHOLE,    // a frame of another kind, its payload in bytes and length
    FRAME_TOO_LONG, // HEADERS of more than SECTION_MAX bytes begin: they are skipped
    FRAME_WRONG,    // see fault: nothing more can be read on this stream
};

struct frame {
    enum frame_event event;
    uint64_t type;
    const uint8_t *bytes; // valid until the next call
    size_t length;
    struct fault fault;
};

// Reads on at `bytes` until there is something to tell in *frame. Returns how many bytes it has
// used. Frames of unknown types are skipped without a word (§9). Types that HTTP/2 had are
// refused (§7.2.8), and so is a frame that has no place on this stream.
size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                  struct frame *frame);

// The stream has ended. Says what is wrong, if it ended in the middle of something.
struct fault frame_end(const struct frame_reader *reader);

void frame_reader_free(struct frame_reader *reader);

// ---- control frames ------------------------------------------------------------------------

// Checks the payload of SETTINGS: pairs of numbers, none of them twice, none that HTTP/2 had.
// What they say changes nothing here.
struct fault settings_check(const uint8_t *payload, size_t length);

// Reads the payload of GOAWAY, MAX_PUSH_ID or CANCEL_PUSH: one number.
struct fault frame_number(const struct frame *frame, uint64_t *number);

// Write the beginning of a frame; a control stream's type and this side's SETTINGS; GOAWAY.
// Each returns the byte after it.
uint8_t *frame_write_head(uint8_t *out, enum frame_type type, uint64_t length);
uint8_t *frame_write_settings(uint8_t *out);
uint8_t *frame_write_goaway(uint8_t *out, uint64_t id);
#define CONTROL_BYTES 64 // that these take at most

#endif
