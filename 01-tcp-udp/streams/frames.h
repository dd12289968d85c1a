// frames.h: what stands in a datagram: a header, and behind it frames. This is not QUIC, but it
// looks like QUIC: headers keep what all versions of QUIC have in common (RFC 8999), and each
// frame is written as QUIC writes it (RFC 9000 §19). Nothing is encrypted.
//
//     0xc0  version  to  from  token  number  frames     FIRST: until both know the other's id
//     0xf0  version  to  from  token                     RETRY: come again with this token
//     0x40  to  number  frames                           SHORT: all others
//
// `to` and `from` are connection ids. In a long header the id's length stands before it.
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAMS_VERSION 0x73747231 // "str1": no version of QUIC
#define ID_BYTES        8          // of each of our connection ids
#define TOKEN_MAX       32         // bytes
#define DATAGRAM_MIN    1200       // bytes of the first datagrams, and of those that try a path
#define DATAGRAM_MAX    1472       // what a packet of 1,500 bytes carries over IPv4
#define ACK_RANGES_MAX  32
#define REASON_MAX      80
#define VARINT_MAX      (UINT64_C(1) << 62) // the first number that is too large (RFC 9000 §16)

enum packet_type {
    PACKET_FIRST,
    PACKET_RETRY,
    PACKET_SHORT,
    PACKET_VERSIONS,     // version negotiation: the answer to another version
    PACKET_OTHER_VERSION // a packet of QUIC, perhaps; only the ids are known
};

struct header {
    enum packet_type type;
    const uint8_t *to, *from;       // `from` is NULL in a short header
    uint8_t to_length, from_length; // ID_BYTES, but in packets of other versions
    const uint8_t *token;
    size_t token_length;
    uint64_t number; // of the packet
};

// Reads a header. Returns its length: the frames begin there; 0: this is none of ours.
size_t header_read(const uint8_t *bytes, size_t length, struct header *header);

// Writes a header into `out`, which has room for HEADER_MAX bytes. Returns its length.
#define HEADER_MAX (7 + 2 * ID_BYTES + 8 + TOKEN_MAX + 8)
size_t header_write(uint8_t *out, const struct header *header);

// Writes QUIC's version negotiation for a packet of another version (RFC 8999 §6): `out` has
// room for DATAGRAM_MIN bytes.
size_t versions_write(uint8_t *out, const struct header *answered);

// The numbers of RFC 9000 §19.
enum frame_type {
    FRAME_PADDING = 0x00,
    FRAME_PING = 0x01,
    FRAME_ACK = 0x02,
    FRAME_RESET_STREAM = 0x04,
    FRAME_STREAM = 0x0e, // with an offset and a length; 0x0f: and the stream ends here
    FRAME_STREAM_END = 0x0f,
    FRAME_MAX_DATA = 0x10,
    FRAME_MAX_STREAM_DATA = 0x11,
    FRAME_PATH_CHALLENGE = 0x1a,
    FRAME_PATH_RESPONSE = 0x1b,
    FRAME_CLOSE = 0x1d
};

// Why a connection or a stream ends (RFC 9000 §20.1), and of our own: NOT_FOUND.
enum {
    NO_ERROR = 0x00,
    CONNECTION_REFUSED = 0x02,
    FLOW_CONTROL_ERROR = 0x03,
    STREAM_LIMIT_ERROR = 0x04,
    FINAL_SIZE_ERROR = 0x06,
    FRAME_ENCODING_ERROR = 0x07,
    PROTOCOL_VIOLATION = 0x0a,
    INVALID_TOKEN = 0x0b,
    NOT_FOUND = 404
};

// Numbers from..to-1: of packets, or of bytes.
struct range {
    uint64_t from, to;
};

struct frame {
    uint8_t type;
    uint64_t stream;         // STREAM, RESET_STREAM, MAX_STREAM_DATA
    uint64_t offset, length; // STREAM; PADDING: length
    const uint8_t *data;     // STREAM, CLOSE; PATH_...: 8 bytes
    uint64_t value;          // MAX_...: the window's end; RESET_STREAM: the final size
    uint64_t code;           // RESET_STREAM, CLOSE
    uint64_t delay_us;       // ACK: how long it was held back
    uint32_t ack_count;      // ACK: how many ranges,
    struct range acks[ACK_RANGES_MAX]; // the highest first
};

// Reads one frame. Returns its length; -1: it is malformed, or of an unknown type.
ssize_t frame_read(const uint8_t *bytes, size_t length, struct frame *frame);

// Writes a frame. A STREAM frame without `data` is written up to where its bytes begin. Returns
// its length; 0: there is no room for it.
size_t frame_write(uint8_t *out, size_t room, const struct frame *frame);

// How many bytes a STREAM frame needs besides its data.
size_t frame_stream_overhead(uint64_t stream, uint64_t offset);

#endif
