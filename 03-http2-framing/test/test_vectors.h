// test_vectors.h: what the RFCs give as examples, and what a hostile client might say; for
// test.c.
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RFC 7541 Appendix B, as it is printed there; common/huffman.c computes it from the lengths.
static const uint32_t huffman_codes[257] = {
    0x1ff8,     0x7fffd8,  0xfffffe2,  0xfffffe3, 0xfffffe4, 0xfffffe5,  0xfffffe6,  0xfffffe7,
    0xfffffe8,  0xffffea,  0x3ffffffc, 0xfffffe9, 0xfffffea, 0x3ffffffd, 0xfffffeb,  0xfffffec,
    0xfffffed,  0xfffffee, 0xfffffef,  0xffffff0, 0xffffff1, 0xffffff2,  0x3ffffffe, 0xffffff3,
    0xffffff4,  0xffffff5, 0xffffff6,  0xffffff7, 0xffffff8, 0xffffff9,  0xffffffa,  0xffffffb,
    0x14,       0x3f8,     0x3f9,      0xffa,     0x1ff9,    0x15,       0xf8,       0x7fa,
    0x3fa,      0x3fb,     0xf9,       0x7fb,     0xfa,      0x16,       0x17,       0x18,
    0x0,        0x1,       0x2,        0x19,      0x1a,      0x1b,       0x1c,       0x1d,
    0x1e,       0x1f,      0x5c,       0xfb,      0x7ffc,    0x20,       0xffb,      0x3fc,
    0x1ffa,     0x21,      0x5d,       0x5e,      0x5f,      0x60,       0x61,       0x62,
    0x63,       0x64,      0x65,       0x66,      0x67,      0x68,       0x69,       0x6a,
    0x6b,       0x6c,      0x6d,       0x6e,      0x6f,      0x70,       0x71,       0x72,
    0xfc,       0x73,      0xfd,       0x1ffb,    0x7fff0,   0x1ffc,     0x3ffc,     0x22,
    0x7ffd,     0x3,       0x23,       0x4,       0x24,      0x5,        0x25,       0x26,
    0x27,       0x6,       0x74,       0x75,      0x28,      0x29,       0x2a,       0x7,
    0x2b,       0x76,      0x2c,       0x8,       0x9,       0x2d,       0x77,       0x78,
    0x79,       0x7a,      0x7b,       0x7ffe,    0x7fc,     0x3ffd,     0x1ffd,     0xffffffc,
    0xfffe6,    0x3fffd2,  0xfffe7,    0xfffe8,   0x3fffd3,  0x3fffd4,   0x3fffd5,   0x7fffd9,
    0x3fffd6,   0x7fffda,  0x7fffdb,   0x7fffdc,  0x7fffdd,  0x7fffde,   0xffffeb,   0x7fffdf,
    0xffffec,   0xffffed,  0x3fffd7,   0x7fffe0,  0xffffee,  0x7fffe1,   0x7fffe2,   0x7fffe3,
    0x7fffe4,   0x1fffdc,  0x3fffd8,   0x7fffe5,  0x3fffd9,  0x7fffe6,   0x7fffe7,   0xffffef,
    0x3fffda,   0x1fffdd,  0xfffe9,    0x3fffdb,  0x3fffdc,  0x7fffe8,   0x7fffe9,   0x1fffde,
    0x7fffea,   0x3fffdd,  0x3fffde,   0xfffff0,  0x1fffdf,  0x3fffdf,   0x7fffeb,   0x7fffec,
    0x1fffe0,   0x1fffe1,  0x3fffe0,   0x1fffe2,  0x7fffed,  0x3fffe1,   0x7fffee,   0x7fffef,
    0xfffea,    0x3fffe2,  0x3fffe3,   0x3fffe4,  0x7ffff0,  0x3fffe5,   0x3fffe6,   0x7ffff1,
    0x3ffffe0,  0x3ffffe1, 0xfffeb,    0x7fff1,   0x3fffe7,  0x7ffff2,   0x3fffe8,   0x1ffffec,
    0x3ffffe2,  0x3ffffe3, 0x3ffffe4,  0x7ffffde, 0x7ffffdf, 0x3ffffe5,  0xfffff1,   0x1ffffed,
    0x7fff2,    0x1fffe3,  0x3ffffe6,  0x7ffffe0, 0x7ffffe1, 0x3ffffe7,  0x7ffffe2,  0xfffff2,
    0x1fffe4,   0x1fffe5,  0x3ffffe8,  0x3ffffe9, 0xffffffd, 0x7ffffe3,  0x7ffffe4,  0x7ffffe5,
    0xfffec,    0xfffff3,  0xfffed,    0x1fffe6,  0x3fffe9,  0x1fffe7,   0x1fffe8,   0x7ffff3,
    0x3fffea,   0x3fffeb,  0x1ffffee,  0x1ffffef, 0xfffff4,  0xfffff5,   0x3ffffea,  0x7ffff4,
    0x3ffffeb,  0x7ffffe6, 0x3ffffec,  0x3ffffed, 0x7ffffe7, 0x7ffffe8,  0x7ffffe9,  0x7ffffea,
    0x7ffffeb,  0xffffffe, 0x7ffffec,  0x7ffffed, 0x7ffffee, 0x7ffffef,  0x7fffff0,  0x3ffffee,
    0x3fffffff,
};

// RFC 7541 Appendix C.2 to C.6. Blocks of one section use one table. "name: value" in each
// line; the character before it says how: ' ' indexed, '-' not indexed, '!' never.
struct hpack_example {
    const char *section;
    bool huffman;
    uint32_t table_max;
    uint32_t table_size; // after the block
    const char *block;
    const char *fields;
};

#define REQUEST_1 " :method: GET\n :scheme: http\n :path: /\n :authority: www.example.com\n"
#define REQUEST_3                                                                              \
    " :method: GET\n :scheme: https\n :path: /index.html\n :authority: www.example.com\n"      \
    " custom-key: custom-value\n"
#define RESPONSE(status, second)                                                               \
    " :status: " status "\n cache-control: private\n date: Mon, 21 Oct 2013 20:13:" second     \
    " GMT\n location: https://www.example.com\n"
#define COOKIE                                                                                 \
    " content-encoding: gzip\n"                                                                \
    " set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"

static const struct hpack_example hpack_examples[] = {
    {"C.2.1", false, 4096, 55, "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
     " custom-key: custom-header\n"},
    {"C.2.2", false, 4096, 0, "040c2f73616d706c652f70617468", "-:path: /sample/path\n"},
    {"C.2.3", false, 4096, 0, "100870617373776f726406736563726574", "!password: secret\n"},
    {"C.2.4", false, 4096, 0, "82", " :method: GET\n"},
    {"C.3.1", false, 4096, 57, "828684410f7777772e6578616d706c652e636f6d", REQUEST_1},
    {"C.3.2", false, 4096, 110, "828684be58086e6f2d6361636865",
     REQUEST_1 " cache-control: no-cache\n"},
    {"C.3.3", false, 4096, 164, "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
     REQUEST_3},
    {"C.4.1", true, 4096, 57, "828684418cf1e3c2e5f23a6ba0ab90f4ff", REQUEST_1},
    {"C.4.2", true, 4096, 110, "828684be5886a8eb10649cbf",
     REQUEST_1 " cache-control: no-cache\n"},
    {"C.4.3", true, 4096, 164, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", REQUEST_3},
    {"C.5.1", false, 256, 222,
     "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a32312047"
     "4d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
     RESPONSE("302", "21")},
    {"C.5.2", false, 256, 222, "4803333037c1c0bf", RESPONSE("307", "21")},
    {"C.5.3", false, 256, 215,
     "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738"
     "666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d3336"
     "30303b2076657273696f6e3d31",
     RESPONSE("200", "22") COOKIE},
    {"C.6.1", true, 256, 222,
     "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863"
     "c78f0b97c8e9ae82ae43d3",
     RESPONSE("302", "21")},
    {"C.6.2", true, 256, 222, "4883640effc1c0bf", RESPONSE("307", "21")},
    {"C.6.3", true, 256, 215,
     "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b3"
     "35dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
     RESPONSE("200", "22") COOKIE},
};

// Header blocks that are none: a compression error.
static const struct {
    const char *what, *block;
} bad_blocks[] = {
    {"index 0", "80"},
    {"an index behind both tables", "be"},
    {"a name's index behind both tables", "7e0161"},
    {"an index that does not end", "ff"},
    {"an index of many zeros", "ff80808080808000"},
    {"an index above 32 bits", "ffffffffffff7f"},
    {"a literal without a name", "40"},
    {"a literal without a value", "400161"},
    {"a name longer than the block", "400261"},
    {"a value longer than the block", "4001610361"},
    {"a length that does not end", "4001617f"},
    {"a length of 2^32 - 1", "4001617f80ffffff0f"},
    {"a size update behind a field", "823f00"},
    {"a size update at the end", "8220"},
    {"a size above our limit", "3fe21f"},
    {"three size updates", "20202082"},
    {"EOS in a string", "40016184ffffffff"},
    {"EOS at the end of a string", "400161851fffffffff"},
    {"padding of eight ones", "400161821fff"},
    {"padding of zeros", "4001618118"},
    {"padding of one zero among ones", "400161811d"},
    {"a Huffman string of ones only, 16 bits", "40016182ffff"},
};

// ---- hostile conversations -----------------------------------------------------------------

// Each is said after preface and SETTINGS, in the language of frame_script.h; the server's
// frames are described by frame_describe(). `expected` is one of them, or its beginning.
struct conversation {
    const char *what, *says, *expected;
};

#define PROTOCOL(last) "GOAWAY last stream " #last " PROTOCOL_ERROR"
#define MALFORMED      "RST_STREAM stream 1 PROTOCOL_ERROR"
#define FINE           "HEADERS stream 1 END_HEADERS"
#define SIZE(last)     "GOAWAY last stream " #last " FRAME_SIZE_ERROR"
#define FLOW(last)     "GOAWAY last stream " #last " FLOW_CONTROL_ERROR"
#define CALM           "ENHANCE_YOUR_CALM"
#define REQUEST        "HEADERS.5.1.{GET} "
#define OPEN           "HEADERS.4.1.{POST} "
#define CLOSED                                                                                 \
    "HEADERS.5.1.{:method=HEAD,:authority=a,:scheme=http,:path=/} " // answered in one frame
#define LATE "HEADERS.5.1.{GET,:path=/slow?ms=60000} "

static const struct conversation conversations[] = {
    {"nothing wrong", REQUEST, FINE},
    // The preface and SETTINGS (§3.4, §6.5)
    {"SETTINGS on a stream", "SETTINGS.0.1.", PROTOCOL(0)},
    {"SETTINGS of five bytes", "SETTINGS.0.0.0001000000", SIZE(0)},
    {"SETTINGS ACK with a payload", "SETTINGS.1.0.000100000000", SIZE(0)},
    {"ENABLE_PUSH 2", "SETTINGS.0.0.000200000002", PROTOCOL(0)},
    {"INITIAL_WINDOW_SIZE 2^31", "SETTINGS.0.0.000480000000", FLOW(0)},
    {"MAX_FRAME_SIZE 16383", "SETTINGS.0.0.000500003fff", PROTOCOL(0)},
    {"MAX_FRAME_SIZE 2^24", "SETTINGS.0.0.000501000000", PROTOCOL(0)},
    {"an unknown setting", "SETTINGS.0.0.00ff00000001 " REQUEST, FINE},
    {"an ACK too many", "SETTINGS.1.0. SETTINGS.1.0. " REQUEST, FINE},
    {"the second of two settings is wrong", "SETTINGS.0.0.000100001000000200000009",
     PROTOCOL(0)},
    // Frames (§4, §5.5)
    {"an unknown type", "200.255.77.0102030405 " REQUEST, FINE},
    {"an unknown type on stream 0", "10.0.0. " REQUEST, FINE},
    {"unknown flags", "HEADERS.d5.1.{GET}", FINE},
    {"the reserved bit", "HEADERS.5.2147483649.{GET}", FINE},
    {"DATA of 16385 bytes", OPEN "DATA.0.1.16385*61", SIZE(1)},
    {"a frame of 16 MB", "200.0.0.#16777215", SIZE(0)},
    {"PING of 7 bytes", "PING.0.0.00112233445566", SIZE(0)},
    {"PING of 9 bytes", "PING.0.0.001122334455667788", SIZE(0)},
    {"PING on a stream", "PING.0.1.0011223344556677", PROTOCOL(0)},
    {"PING is answered", "PING.0.0.0011223344556677", "PING ACK 8 bytes"},
    {"PING ACK is not", "PING.1.0.0011223344556677 " REQUEST, FINE},
    {"GOAWAY of 7 bytes", "GOAWAY.0.0.00000000000000", SIZE(0)},
    {"GOAWAY on a stream", "GOAWAY.0.1.0000000000000000", PROTOCOL(0)},
    {"GOAWAY, and what is open goes on", OPEN "GOAWAY.0.0.0000000000000000 DATA.1.1.6162",
     "DATA stream 1 END_STREAM 2 bytes"},
    {"PUSH_PROMISE", OPEN "PUSH_PROMISE.4.1.00000002{GET}", PROTOCOL(1)},
    {"PUSH_PROMISE on stream 0", "PUSH_PROMISE.4.0.00000002", PROTOCOL(0)},
    {"PRIORITY of 4 bytes", OPEN "PRIORITY.0.1.00000000",
     "RST_STREAM stream 1 FRAME_SIZE_ERROR"},
    {"PRIORITY of 6 bytes, idle", "PRIORITY.0.1.000000000000", SIZE(0)},
    {"PRIORITY on stream 0", "PRIORITY.0.0.0000000010", PROTOCOL(0)},
    {"PRIORITY on an idle stream", "PRIORITY.0.99.0000000010 " REQUEST, FINE},
    {"PRIORITY on a closed stream", CLOSED "PRIORITY.0.1.0000000010",
     "HEADERS stream 1 END_STREAM"},
    {"a stream that depends on itself, in PRIORITY", OPEN "PRIORITY.0.1.0000000110", MALFORMED},
    {"an idle stream that depends on itself", "PRIORITY.0.1.8000000110", PROTOCOL(0)},
    {"a stream that depends on itself, in HEADERS", "HEADERS.25.1.0000000110{GET}", MALFORMED},
    {"and the header block counts",
     "HEADERS.2d.1.010000000110"
     "400161016200 HEADERS.5.3.{GET}be",
     "HEADERS stream 3"},
    {"PRIORITY on an even stream", "PRIORITY.0.2.0000000010 " REQUEST, FINE},
    // HEADERS and CONTINUATION (§4.3, §6.2, §6.10)
    {"HEADERS on stream 0", "HEADERS.5.0.{GET}", PROTOCOL(0)},
    {"HEADERS on an even stream", "HEADERS.5.2.{GET}", PROTOCOL(0)},
    {"a lower stream", "HEADERS.5.5.{GET} HEADERS.5.3.{GET}", PROTOCOL(5)},
    {"the same stream again", CLOSED REQUEST, "GOAWAY last stream 1 STREAM_CLOSED"},
    {"padding", "HEADERS.d.1.05{GET}5*00", FINE},
    {"padding up to the end", "HEADERS.4.1.{POST} DATA.9.1.03000000", "HEADERS stream 1"},
    {"HEADERS with padding but no length of it", "HEADERS.d.1.", SIZE(0)},
    {"HEADERS with priority, too short", "HEADERS.25.1.00000000", SIZE(0)},
    {"HEADERS with priority", "HEADERS.25.1.0000000010{GET}", FINE},
    {"HEADERS with padding and priority", "HEADERS.2d.1.040000000010{GET}4*00", FINE},
    {"padding longer than HEADERS", "HEADERS.d.1.ff{GET}", PROTOCOL(0)},
    {"padding longer than DATA", OPEN "DATA.9.1.04000000", PROTOCOL(1)},
    {"a block in three frames", "HEADERS.1.1.82 CONTINUATION.0.1.86 CONTINUATION.4.1.84010161",
     FINE},
    {"an empty CONTINUATION", "HEADERS.1.1.828684010161 CONTINUATION.4.1.", FINE},
    {"CONTINUATION on another stream", "HEADERS.1.1.82 CONTINUATION.4.3.8684", PROTOCOL(0)},
    {"CONTINUATION without HEADERS", "CONTINUATION.4.1.828684", PROTOCOL(0)},
    {"CONTINUATION after the end of a block", REQUEST "CONTINUATION.4.1.82", PROTOCOL(1)},
    {"CONTINUATION on stream 0", "CONTINUATION.4.0.82", PROTOCOL(0)},
    {"DATA in the middle of a block", "HEADERS.0.1.82 DATA.0.1.61", PROTOCOL(0)},
    {"PING in the middle of a block", "HEADERS.0.1.82 PING.0.0.0011223344556677", PROTOCOL(0)},
    {"an unknown type in the middle of a block", "HEADERS.0.1.82 99.0.0.", PROTOCOL(0)},
    {"HEADERS in the middle of a block", "HEADERS.0.1.82 HEADERS.5.3.{GET}", PROTOCOL(0)},
    {"a block that is no HPACK", "HEADERS.5.1.80", "GOAWAY last stream 0 COMPRESSION_ERROR"},
    {"trailers that are no HPACK", OPEN "HEADERS.5.1.ff",
     "GOAWAY last stream 1 COMPRESSION_ERROR"},
    {"33 CONTINUATION frames", "HEADERS.1.1.82 33xCONTINUATION.0.1.", CALM},
    {"a CONTINUATION of 16,385 bytes", "HEADERS.1.1.82 CONTINUATION.4.1.16385*82", SIZE(0)},
    {"a block of 48 KB", "HEADERS.1.1.16384*82 2xCONTINUATION.0.1.16384*82", CALM},
    {"an HPACK bomb: a value of 4,000 bytes, and 12,000 times its index",
     "HEADERS.5.1.828684"
     "400161"
     "7fa11e"
     "4000*62"
     "12000*be",
     "HEADERS stream 1 END_STREAM"},
    {"a header list of 16 KB", "HEADERS.5.1.{GET}0001617fba7d16185*62", FINE},
    {"a header list of one byte more", "HEADERS.5.1.{GET}0001617fbb7d16186*62",
     "HEADERS stream 1 END_STREAM"},
    // Streams (§5.1)
    {"DATA on an idle stream", "DATA.0.1.61", PROTOCOL(0)},
    {"DATA on stream 0", "DATA.0.0.61", PROTOCOL(0)},
    {"DATA on an even stream", OPEN "DATA.0.2.61", PROTOCOL(1)},
    {"DATA on a skipped stream", "HEADERS.5.5.{GET} DATA.0.3.61",
     "RST_STREAM stream 3 STREAM_CLOSED"},
    {"DATA after the end of the request", LATE "DATA.0.1.61",
     "RST_STREAM stream 1 STREAM_CLOSED"},
    {"HEADERS after the end of the request", LATE "HEADERS.5.1.82",
     "RST_STREAM stream 1 STREAM_CLOSED"},
    {"DATA on a closed stream", CLOSED "DATA.0.1.61", "RST_STREAM stream 1 STREAM_CLOSED"},
    {"DATA after the client's RST_STREAM", LATE "RST_STREAM.0.1.00000008 DATA.0.1.61",
     "RST_STREAM stream 1 STREAM_CLOSED"},
    {"HEADERS after the client's RST_STREAM", LATE "RST_STREAM.0.1.00000008 " REQUEST,
     "GOAWAY last stream 1 STREAM_CLOSED"},
    {"frames after our RST_STREAM",
     OPEN "WINDOW_UPDATE.0.1.00000000 DATA.0.1.61 WINDOW_UPDATE.0.1.00000001 HEADERS.5.1.82 "
          "RST_STREAM.0.1.00000008 HEADERS.5.3.{GET}",
     "HEADERS stream 3"},
    {"RST_STREAM of 3 bytes", OPEN "RST_STREAM.0.1.000000", SIZE(1)},
    {"RST_STREAM of 5 bytes", OPEN "RST_STREAM.0.1.0000000000", SIZE(1)},
    {"RST_STREAM on stream 0", "RST_STREAM.0.0.00000008", PROTOCOL(0)},
    {"RST_STREAM on an idle stream", "RST_STREAM.0.1.00000008", PROTOCOL(0)},
    {"RST_STREAM on an even stream", "RST_STREAM.0.2.00000008", PROTOCOL(0)},
    {"RST_STREAM on a closed stream", CLOSED "RST_STREAM.0.1.00000008",
     "HEADERS stream 1 END_STREAM"},
    {"RST_STREAM with an unknown code", LATE "RST_STREAM.0.1.000000ff HEADERS.5.3.{GET}",
     "HEADERS stream 3"},
    // Flow control (§6.9)
    {"WINDOW_UPDATE of 0 for a stream", OPEN "WINDOW_UPDATE.0.1.00000000", MALFORMED},
    {"WINDOW_UPDATE of 0", "WINDOW_UPDATE.0.0.00000000", PROTOCOL(0)},
    {"WINDOW_UPDATE of 0 and the reserved bit", "WINDOW_UPDATE.0.0.80000000", PROTOCOL(0)},
    {"WINDOW_UPDATE of 3 bytes", "WINDOW_UPDATE.0.0.000001", SIZE(0)},
    {"WINDOW_UPDATE of 5 bytes", "WINDOW_UPDATE.0.0.0000000001", SIZE(0)},
    {"WINDOW_UPDATE on an idle stream", "WINDOW_UPDATE.0.1.00000001", PROTOCOL(0)},
    {"WINDOW_UPDATE on an even stream", "WINDOW_UPDATE.0.2.00000001", PROTOCOL(0)},
    {"WINDOW_UPDATE on a closed stream", CLOSED "WINDOW_UPDATE.0.1.00000001",
     "HEADERS stream 1 END_STREAM"},
    {"the connection's window above 2^31-1", "WINDOW_UPDATE.0.0.7fff0001", FLOW(0)},
    {"the connection's window of 2^31-1", "WINDOW_UPDATE.0.0.7fff0000 " REQUEST, FINE},
    {"a stream's window above 2^31-1", LATE "WINDOW_UPDATE.0.1.7fff0001",
     "RST_STREAM stream 1 FLOW_CONTROL_ERROR"},
    {"SETTINGS push a stream's window above 2^31-1",
     LATE "WINDOW_UPDATE.0.1.7fff0000 SETTINGS.0.0.00040001ffff", FLOW(1)},
    {"DATA within the windows", OPEN "8xDATA.0.1.16384*61 DATA.1.1.61",
     "HEADERS stream 1 END_HEADERS"},
    // Malformed requests (§8.1.1, §8.2, §8.3)
    {"no fields at all", "HEADERS.5.1.", MALFORMED},
    {"no method", "HEADERS.5.1.{:authority=a,:scheme=http,:path=/}", MALFORMED},
    {"no scheme", "HEADERS.5.1.{:authority=a,:method=GET,:path=/}", MALFORMED},
    {"no path", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=http}", MALFORMED},
    {"an empty method", "HEADERS.5.1.{:authority=a,:method=,:scheme=http,:path=/}", MALFORMED},
    {"an empty scheme", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=,:path=/}", MALFORMED},
    {"an empty path", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=http,:path=}", MALFORMED},
    {"a path without a slash", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=http,:path=x}",
     MALFORMED},
    {"a path with a blank", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=http,:path=/a b}",
     MALFORMED},
    {"a path that is a star", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=http,:path=*}",
     MALFORMED},
    {"OPTIONS *", "HEADERS.5.1.{:method=OPTIONS,:authority=a,:scheme=http,:path=*}",
     "HEADERS stream 1 END_STREAM END_HEADERS"},
    {"a method that is no token", "HEADERS.5.1.{:authority=a,:method=G(T,:scheme=http,:path=/}",
     MALFORMED},
    {"two methods", "HEADERS.5.1.{:authority=a,:method=GET,:method=GET,:scheme=http,:path=/}",
     MALFORMED},
    {"two paths", "HEADERS.5.1.{:path=/,GET}", MALFORMED},
    {"two schemes", "HEADERS.5.1.{:scheme=http,GET}", MALFORMED},
    {"two authorities", "HEADERS.5.1.{:authority=a,GET}", MALFORMED},
    {":status in a request", "HEADERS.5.1.{:status=200,GET}", MALFORMED},
    {"an unknown pseudo-header field", "HEADERS.5.1.{:protocol=x,GET}", MALFORMED},
    {"a pseudo-header field behind a regular one",
     "HEADERS.5.1.{:method=GET,:scheme=http,a=b,:path=/}", MALFORMED},
    {"an unknown pseudo-header field behind a regular one", "HEADERS.5.1.{GET,a=b,:x=/}",
     MALFORMED},
    {"an upper-case name", "HEADERS.5.1.{GET,X-Y=z}", MALFORMED},
    {"an upper-case name that is in the static table", "HEADERS.5.1.{GET,Accept=z}", MALFORMED},
    {"an empty name", "HEADERS.5.1.{GET,=z}", MALFORMED},
    {"a name with a blank", "HEADERS.5.1.{GET,x y=z}", MALFORMED},
    {"a name with a colon", "HEADERS.5.1.{GET,x:y=z}", MALFORMED},
    {"a name with a control character", "HEADERS.5.1.{GET,x\x01=z}", MALFORMED},
    {"a name above ASCII", "HEADERS.5.1.{GET,x\xc3\xa4=z}", MALFORMED},
    {"a value with a line feed", "HEADERS.5.1.{GET,x=a\nb}", MALFORMED},
    {"a value with a carriage return", "HEADERS.5.1.{GET,x=a\rb}", MALFORMED},
    {"a value with a zero", "HEADERS.5.1.{GET}0001780100", MALFORMED},
    {"a value with DEL",
     "HEADERS.5.1.{GET,x=a\x7f"
     "b}",
     MALFORMED},
    {"a value with a tab inside", "HEADERS.5.1.{GET,x=a\tb}", FINE},
    {"a value above ASCII", "HEADERS.5.1.{GET,x=\xc3\xa4}", FINE},
    {"a value that begins with a blank", "HEADERS.5.1.{GET,x= a}", MALFORMED},
    {"a value that ends with a tab", "HEADERS.5.1.{GET,x=a\t}", MALFORMED},
    {"an empty value", "HEADERS.5.1.{GET,x=}", FINE},
    {"connection", "HEADERS.5.1.{GET,connection=close}", MALFORMED},
    {"proxy-connection", "HEADERS.5.1.{GET,proxy-connection=close}", MALFORMED},
    {"keep-alive", "HEADERS.5.1.{GET,keep-alive=5}", MALFORMED},
    {"transfer-encoding", "HEADERS.5.1.{GET,transfer-encoding=chunked}", MALFORMED},
    {"upgrade", "HEADERS.5.1.{GET,upgrade=h2c}", MALFORMED},
    {"te: gzip", "HEADERS.5.1.{GET,te=gzip}", MALFORMED},
    {"te: trailers", "HEADERS.5.1.{GET,te=trailers}", FINE},
    {"te: TRAILERS", "HEADERS.5.1.{GET,te=TRAILERS}", FINE},
    {"host and authority differ", "HEADERS.5.1.{GET,host=b}", MALFORMED},
    {"host and authority are the same", "HEADERS.5.1.{GET,host=A}", FINE},
    {"host alone", "HEADERS.5.1.{:method=GET,:scheme=http,:path=/,host=a}", FINE},
    {"two hosts", "HEADERS.5.1.{GET,host=a,host=a}", MALFORMED},
    {"no authority at all", "HEADERS.5.1.{:method=GET,:scheme=http,:path=/}", MALFORMED},
    {"an empty authority", "HEADERS.5.1.{:authority=,:method=GET,:scheme=http,:path=/}",
     MALFORMED},
    {"an empty host", "HEADERS.5.1.{:method=GET,:scheme=http,:path=/,host=}", MALFORMED},
    {"user information in host", "HEADERS.5.1.{:method=GET,:scheme=http,:path=/,host=u@h}",
     MALFORMED},
    {"a port that is no number",
     "HEADERS.5.1.{:authority=a:b,:method=GET,:scheme=http,:path=/}", MALFORMED},
    {"a slash in the authority",
     "HEADERS.5.1.{:authority=a/b,:method=GET,:scheme=http,:path=/}", MALFORMED},
    {"an authority of IPv6",
     "HEADERS.5.1.{:authority=[::1]:80,:method=GET,:scheme=http,:path=/}", FINE},
    {"colons without brackets", "HEADERS.5.1.{:authority=::1,:method=GET,:scheme=http,:path=/}",
     MALFORMED},
    {"a scheme with an impossible character",
     "HEADERS.5.1.{:authority=a,:method=GET,:scheme=ht_tp,:path=/}", MALFORMED},
    {"another scheme", "HEADERS.5.1.{:authority=a,:method=GET,:scheme=coap+tcp,:path=/}", FINE},
    {"CONNECT to junk", "HEADERS.5.1.{:method=CONNECT,:authority=a b}", MALFORMED},
    {"user information", "HEADERS.5.1.{:authority=u@h,:method=GET,:scheme=http,:path=/}",
     MALFORMED},
    {"CONNECT with a path", "HEADERS.5.1.{:method=CONNECT,:authority=a,:path=/}", MALFORMED},
    {"CONNECT without an authority", "HEADERS.5.1.{:method=CONNECT}", MALFORMED},
    {"CONNECT", "HEADERS.4.1.{:method=CONNECT,:authority=a:80}", FINE},
    // Bodies (§8.1)
    {"a body", OPEN "DATA.0.1.6162 DATA.1.1.63", "DATA stream 1 END_STREAM 3 bytes"},
    {"a body in HEADERS", "HEADERS.5.1.{POST}", "HEADERS stream 1 END_STREAM END_HEADERS"},
    {"a body with trailers", OPEN "DATA.0.1.6162 HEADERS.5.1.{x=y}",
     "DATA stream 1 END_STREAM 2 bytes"},
    {"trailers that do not end the request", OPEN "HEADERS.4.1.{x=y}", MALFORMED},
    {"a pseudo-header field among trailers", OPEN "HEADERS.5.1.{:path=/}", MALFORMED},
    {"trailers of 20 KB",
     OPEN "DATA.0.1.6162 HEADERS.1.1.0001617fa1"
          "1e4000*62"
          "0001627fa11e4000*62"
          "0001637fa11e4000*62"
          "0001647fa11e4000*62 CONTINUATION.4.1.0001657fa11e4000*62",
     "DATA stream 1 END_STREAM 40 bytes"},
    {"an upper-case name among trailers", OPEN "HEADERS.5.1.{X=y}", MALFORMED},
    {"content-length too small", "HEADERS.4.1.{POST,content-length=1} DATA.1.1.6162",
     MALFORMED},
    {"content-length too large", "HEADERS.4.1.{POST,content-length=3} DATA.1.1.6162",
     MALFORMED},
    {"content-length without a body", "HEADERS.5.1.{POST,content-length=1}", MALFORMED},
    {"content-length too large, with trailers",
     "HEADERS.4.1.{POST,content-length=3} DATA.0.1.6162 HEADERS.5.1.{x=y}", MALFORMED},
    {"content-length of two frames",
     "HEADERS.4.1.{POST,content-length=2} DATA.0.1.61 DATA.1.1.62",
     "DATA stream 1 END_STREAM 2 bytes"},
    {"content-length and padding", "HEADERS.4.1.{POST,content-length=2} DATA.9.1.0261620000",
     "DATA stream 1 END_STREAM 2 bytes"},
    {"content-length with a sign", "HEADERS.4.1.{POST,content-length=+2} DATA.1.1.6162",
     MALFORMED},
    {"content-length that is empty", "HEADERS.4.1.{POST,content-length=} DATA.1.1.", MALFORMED},
    {"content-length above 64 bits",
     "HEADERS.4.1.{POST,content-length=18446744073709551618} DATA.1.1.6162", MALFORMED},
    {"two content-lengths",
     "HEADERS.4.1.{POST,content-length=2,content-length=2} DATA.1.1.6162", MALFORMED},
    {"100-continue", "HEADERS.4.1.{POST,expect=100-continue} DATA.1.1.6162",
     "DATA stream 1 END_STREAM 2 bytes"},
    {"a body that is announced as too long",
     "HEADERS.4.1.{POST,content-length=1048577} DATA.0.1.1000*61", "DATA stream 1 END_STREAM"},
    {"a body that is much too long",
     "HEADERS.4.1.{POST,content-length=9999999} 130xDATA.0.1.16384*61", "RST_STREAM stream 1"},
    {"a page that takes no body", "HEADERS.4.1.{GET} DATA.1.1.6162", FINE},
    // Limits (§10.5)
    {"PING without end", "3000xPING.0.0.0011223344556677", CALM},
    {"SETTINGS without end", "3000xSETTINGS.0.0.", CALM},
    {"SETTINGS ACK without end", "3000xSETTINGS.1.0.", CALM},
    {"PRIORITY without end", "3000xPRIORITY.0.1.0000000010", CALM},
    {"WINDOW_UPDATE without end", "3000xWINDOW_UPDATE.0.0.00000001", CALM},
    {"empty DATA without end", OPEN "3000xDATA.0.1.", CALM},
    {"DATA of padding without end", OPEN "3000xDATA.8.1.0100", CALM},
    {"unknown frames without end", "3000x77.0.0.", CALM},
    {"CONTINUATION without end", "HEADERS.1.1.82 3000xCONTINUATION.0.1.", CALM},
    {"GOAWAY without end", "3000xGOAWAY.0.0.0000000000000000", CALM},
    {"RST_STREAM without end", CLOSED "3000xRST_STREAM.0.1.00000008", CALM},
};

#endif
