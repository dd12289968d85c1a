// frame.h: the frames of HTTP/2 (RFC 9113 §4, §6, §7): nine bytes of header and a payload.
//
// Reading: frame_read_header() on nine bytes; when the payload is there too, frame_check() says
// whether the frame can be right at all, and finds its content between the padding. What
// depends on the state of a stream or of the connection is not known here. Writing:
// frame_put_*() write one frame each and return where the next one goes.
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFACE            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // a client's first bytes (§3.4)
#define PREFACE_BYTES      24
#define FRAME_HEADER_BYTES 9
#define SETTING_BYTES      6          // of one setting in SETTINGS
#define PRIORITY_BYTES     5          // of PRIORITY, and in HEADERS with FLAG_PRIORITY
#define FRAME_SIZE_DEFAULT 16384      // bytes of payload that each side must accept (§4.2)
#define FRAME_SIZE_MAX     16777215   // bytes of payload that 24 bits can say
#define STREAM_ID_MAX      0x7fffffff // 31 bits: the highest one is reserved, and ignored
#define WINDOW_DEFAULT     65535      // bytes, of each stream and of the connection (§6.9.2)
#define WINDOW_MAX         0x7fffffff
#define TABLE_SIZE_DEFAULT 4096 // bytes of HPACK's dynamic table (§6.5.2)

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
};

enum frame_flag { // each belongs to some types only; elsewhere it is ignored
    FLAG_ACK = 0x01,
    FLAG_END_STREAM = 0x01,
    FLAG_END_HEADERS = 0x04,
    FLAG_PADDED = 0x08,
    FLAG_PRIORITY = 0x20,
};

enum error_code { // §7
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
    INADEQUATE_SECURITY,
    HTTP_1_1_REQUIRED,
};

enum setting_id { // §6.5.2
    SETTINGS_HEADER_TABLE_SIZE = 1,
    SETTINGS_ENABLE_PUSH,
    SETTINGS_MAX_CONCURRENT_STREAMS,
    SETTINGS_INITIAL_WINDOW_SIZE,
    SETTINGS_MAX_FRAME_SIZE,
    SETTINGS_MAX_HEADER_LIST_SIZE,
};

struct setting {
    uint16_t id;
    uint32_t value;
};

struct frame {
    uint32_t length; // of the payload
    uint8_t type, flags;
    uint32_t stream;
    const uint8_t *payload;
    // Set by frame_check(): the payload without padding and, in HEADERS, without priority.
    const uint8_t *content;
    uint32_t content_length;
};

// Where an error is: in one stream (RST_STREAM ends it), or in the connection (GOAWAY ends it).
enum fault_scope { FAULT_NONE, FAULT_STREAM, FAULT_CONNECTION };

struct fault {
    enum fault_scope scope; // FAULT_NONE is 0: `if (fault.scope)` asks whether there is one
    enum error_code code;
    const char *why; // for people: what GOAWAY carries as debug data
};

struct fault fault_none(void);
struct fault stream_fault(enum error_code code, const char *why);
struct fault connection_fault(enum error_code code, const char *why);

// Reads nine bytes. The payload is set to what follows them.
void frame_read_header(const uint8_t *bytes, struct frame *frame);

// Checks what header and payload alone can say: lengths, stream zero or not, padding, the
// values of settings. Sets content and content_length. A type that is unknown is no fault
// (§4.1).
struct fault frame_check(struct frame *frame);

// Checks on which stream the frame's own stream depends, if it is a PRIORITY frame or a HEADERS
// frame with FLAG_PRIORITY. The header block of a HEADERS frame has to be decoded all the same,
// so frame_check() leaves this out for HEADERS.
struct fault frame_check_priority(const struct frame *frame);

// Checks the length of the payload, before the caller waits for so many bytes. `max` is the
// SETTINGS_MAX_FRAME_SIZE that this side has announced.
struct fault frame_check_length(const struct frame *frame, uint32_t max);

// The setting number `index` of a SETTINGS frame that has passed frame_check().
struct setting frame_setting(const struct frame *frame, uint32_t index);

// Numbers in network byte order: 32 bits of a payload.
uint32_t frame_read_u32(const uint8_t *bytes);

// Each writes one frame at `out` and returns the byte after it. The header alone serves for
// DATA and HEADERS, whose payload the caller writes behind it.
uint8_t *frame_put_header(uint8_t *out, uint32_t length, enum frame_type type, uint8_t flags,
                          uint32_t stream);
uint8_t *frame_put_settings(uint8_t *out, const struct setting *settings, uint32_t count);
uint8_t *frame_put_settings_ack(uint8_t *out);
uint8_t *frame_put_ping(uint8_t *out, uint8_t flags, const uint8_t opaque[8]);
uint8_t *frame_put_window_update(uint8_t *out, uint32_t stream, uint32_t increment);
uint8_t *frame_put_rst_stream(uint8_t *out, uint32_t stream, enum error_code code);
uint8_t *frame_put_priority(uint8_t *out, uint32_t stream, uint32_t parent, uint8_t weight);
uint8_t *frame_put_goaway(uint8_t *out, uint32_t last_stream, enum error_code code,
                          const char *debug); // at most GOAWAY_DEBUG_MAX bytes of it
#define GOAWAY_DEBUG_MAX 100
#define GOAWAY_MAX       (FRAME_HEADER_BYTES + 8 + GOAWAY_DEBUG_MAX)

// Joins the header block that begins with the HEADERS frame at the start of `bytes`: the
// content of that frame and of the CONTINUATION frames behind it, which stand within `length`
// bytes. Nothing may come between them (§4.3). Sets frame's content to the block, *used to the
// bytes of all these frames, and *continuations to how many there are behind the first; *used
// is 0 if the rest has to come. The block is overwritten by the next call.
#define HEADER_BLOCK_MAX  32768 // bytes of a header block, in all its frames
#define CONTINUATIONS_MAX 32    // CONTINUATION frames of a header block (CVE-2024-27316)
struct fault frame_join_block(const uint8_t *bytes, size_t length, struct frame *frame,
                              size_t *used, int *continuations);

#endif
