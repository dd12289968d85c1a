// test_hostile.h: the server against clients that do what they must not do, over real QUIC.
#ifndef TEST_HOSTILE_H
#define TEST_HOSTILE_H

#include <sys/socket.h>

#include "h3_connection.h"
#include "raw.h"
#include "test_frames.h"

#define CONTROL "\x00\x04\x00" // a control stream, with empty SETTINGS
#define GET_HELLO                                                                              \
    "\x01\x09\x00\x00\xd1\xd7\xc1\x50\x02"                                                     \
    "ab" // HEADERS: GET /, authority "ab"
#define POST_ECHO                                                                              \
    "\x01\x0e\x00\x00\xd4\xd7\x51\x05/echo\x50\x01"                                            \
    "a" // POST /echo

#define LARGE                                                                                  \
    "\x01\x1d\x00\x00\xd1\xd7\x51\x14/img/1?size=60000000\x50\x01"                             \
    "a"           // GET
#define CLOSES 60 // connections that the server closes with an error

static bool exchange(int port);

static inline int start_server(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./server --port 0 --quiet %s", options);
    return test_start(pid, command);
}

// ---- the connection is closed --------------------------------------------------------------

static const struct {
    const uint8_t *bytes;
    size_t length;
    bool one_way, end;
    uint64_t code;
} crimes[] = {
    {BYTES(CONTROL CONTROL), true, false, H3_FRAME_UNEXPECTED},
    {BYTES("\x00\x07\x01\x00"), true, false, H3_MISSING_SETTINGS},
    {BYTES("\x00\x04\x02\x02\x00"), true, false, H3_SETTINGS_ERROR},
    {BYTES("\x00\x04\x04\x06\x01\x06\x01"), true, false, H3_SETTINGS_ERROR},
    {BYTES("\x00\x04\x01\x06"), true, false, H3_FRAME_ERROR},
    {BYTES(CONTROL "\x00\x01x"), true, false, H3_FRAME_UNEXPECTED},
    {BYTES(CONTROL "\x03\x01\x00"), true, false, H3_ID_ERROR},
    {BYTES(CONTROL "\x0d\x01\x05\x0d\x01\x04"), true, false, H3_ID_ERROR},
    {BYTES(CONTROL "\x0d\x02\x05\x00"), true, false, H3_FRAME_ERROR},
    {BYTES(CONTROL "\x06\x00"), true, false, H3_FRAME_UNEXPECTED},
    {BYTES(CONTROL), true, true, H3_CLOSED_CRITICAL_STREAM},
    {BYTES("\x02"), true, true, H3_CLOSED_CRITICAL_STREAM},
    {BYTES("\x02\x3f\xbd\x01"), true, false, QPACK_ENCODER_STREAM_ERROR},
    {BYTES("\x03\x80"), true, false, QPACK_DECODER_STREAM_ERROR},
    {BYTES("\x01\x00"), true, false, H3_STREAM_CREATION_ERROR},
    {BYTES("\x00\x01x"), false, false, H3_FRAME_UNEXPECTED},
    {BYTES("\x04\x00"), false, false, H3_FRAME_UNEXPECTED},
    {BYTES("\x05\x02\x00\x00"), false, false, H3_FRAME_UNEXPECTED},
    {BYTES("\x01\x03\x02\x00\x80"), false, false, QPACK_DECOMPRESSION_FAILED},
    {BYTES("\x01\x01\x00"), false, false, QPACK_DECOMPRESSION_FAILED},
    {BYTES("\x01\x09\x00\x00\xd1"), false, true, H3_FRAME_ERROR},
    {BYTES(POST_ECHO "\x00\x05he"), false, true, H3_FRAME_ERROR},
};

TEST(errors_that_close_the_connection)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry");
    for (size_t i = 0; i < sizeof crimes / sizeof *crimes; i++) {
        SSL *ssl = raw_open(port);
        SSL *stream = raw_stream(ssl, crimes[i].one_way, crimes[i].bytes, crimes[i].length,
                                 crimes[i].end);
        uint64_t code = raw_close_code(ssl);
        if (code != crimes[i].code)
            FAIL("row %zu: closed with 0x%llx, not %s", i, (unsigned long long)code,
                 http3_error_name(crimes[i].code));
        SSL_free(stream);
        SSL_free(ssl);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// The server's close comes also when the server has something else to send at that moment.
TEST(a_close_is_never_forgotten)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry"), closed = 0;
    for (int i = 0; i < CLOSES && closed == i; i++) {
        SSL *ssl = raw_open(port);
        SSL *stream = raw_stream(ssl, false, "\x01\x01\x00", 3, false);
        closed += raw_close_code(ssl) == QPACK_DECOMPRESSION_FAILED;
        SSL_free(stream);
        SSL_free(ssl);
    }
    CHECK_INT(closed, CLOSES);
    CHECK_INT(test_stop(pid), 0);
}

// RFC 9001 §8.1: TLS's alert 120, which is QUIC's error 0x178, and at once.
TEST(a_client_of_another_protocol)
{
    pid_t pid;
    int port = start_server(&pid, "");
    SSL *ssl = quic_connection(raw_context(), "127.0.0.1", port, WORKBENCH);
    SSL_set_alpn_protos(ssl, (const unsigned char *)"\x2xx", 3);
    SSL_do_handshake(ssl);
    CHECK_INT(raw_close_code(ssl), OSSL_QUIC_ERR_CRYPTO_ERR(SSL_AD_NO_APPLICATION_PROTOCOL));
    SSL_free(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_second_control_stream)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    SSL *one = raw_stream(ssl, true, CONTROL, 3, false);
    SSL *two = raw_stream(ssl, true, CONTROL, 3, false);
    CHECK_INT(raw_close_code(ssl), H3_STREAM_CREATION_ERROR);
    SSL_free(one);
    SSL_free(two);
    SSL_free(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// ---- only the stream is reset, or the answer says so ---------------------------------------

static const struct {
    const uint8_t *bytes;
    size_t length;
    uint64_t code; // 0: there is an answer, and it begins with these bytes
    const char *answer;
} faults[] = {
#define STATUS(index) "\x00\x00" index
    {BYTES(GET_HELLO), 0, STATUS("\xd9")},
    {BYTES("\x21\x03xyz" GET_HELLO), 0, STATUS("\xd9")},
    {BYTES(GET_HELLO "\x00\x05hello"), 0, STATUS("\xd9")},
    {BYTES(POST_ECHO "\x00\x05hello"), 0, STATUS("\xd9")},
    {BYTES(POST_ECHO "\x00\x00\x00\x05hello\x01\x06\x00\x00\x21x\x01y"), 0, STATUS("\xd9")},
    {BYTES("\x01\x02\x00\x00"), H3_MESSAGE_ERROR, NULL},
    {BYTES("\x01\x05\x00\x00\xd1\xd7\xc1"), H3_MESSAGE_ERROR, NULL},
    {BYTES("\x01\x0a\x00\x00\xc1\xd1\xd7\xc1\x50\x02"
           "ab"),
     H3_MESSAGE_ERROR, NULL},
    {BYTES("\x01\x0d\x00\x00\xd1\xd7\xc1\x50\x02"
           "ab\x21"
           "A\x01x"),
     H3_MESSAGE_ERROR, NULL},
    {BYTES("\x01\x11\x00\x00\xd4\xd7\x51\x05/echo\x50\x01"
           "a\x54\x01"
           "7\x00\x05hello"),
     H3_MESSAGE_ERROR, NULL},
    {BYTES("\x01\x11\x00\x00\xd4\xd7\x51\x05/echo\x50\x01"
           "a\x54\x01"
           "3\x00\x05hello"),
     H3_MESSAGE_ERROR, NULL},
    {BYTES(""), H3_REQUEST_INCOMPLETE, NULL},
    {BYTES("\x21\x00"), H3_REQUEST_INCOMPLETE, NULL},
    {BYTES("\x01\x0e\x00\x00\xd1\xd7\x51\x04/abc\x50\x02"
           "ab"),
     0, STATUS("\xdb")},
};

TEST(errors_of_one_request)
{
    static uint8_t answer[RAW_ANSWER];
    pid_t pid;
    size_t length;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        SSL *stream = raw_stream(ssl, false, faults[i].bytes, faults[i].length, true);
        uint64_t code = raw_read(ssl, stream, answer, &length);
        if (code != faults[i].code)
            FAIL("row %zu: 0x%llx, not 0x%llx", i, (unsigned long long)code,
                 (unsigned long long)faults[i].code);
        if (faults[i].answer && (length < 5 || memcmp(answer + 2, faults[i].answer, 3) != 0))
            FAIL("row %zu: %zu bytes, another answer", i, length);
        SSL_free(stream);
    }
    raw_end(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// A head that is too long, and the content behind it: an answer, and the connection goes on.
TEST(a_head_that_is_too_long)
{
    static uint8_t bytes[SECTION_MAX + 64], answer[RAW_ANSWER];
    pid_t pid;
    size_t length;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    for (int extra = 0; extra < 2; extra++) { // too many bytes; too many fields
        size_t size = SECTION_MAX + 1;
        if (extra == 1)
            size = QPACK_FIELDS_MAX + 10;
        uint8_t *end = frame_write_head(bytes, FRAME_HEADERS, size);
        memset(end, 0xc1, size);
        end[0] = end[1] = 0;
        end += size;
        memcpy(end, "\x00\x05hello", 7);
        SSL *stream = raw_stream(ssl, false, bytes, (size_t)(end + 7 - bytes), true);
        CHECK_INT(raw_read(ssl, stream, answer, &length), 0);
        CHECK(memmem(answer, length, "longer than 16 KB", 17));
        SSL_free(stream);
    }
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// Streams of an unknown type, and frames of one, are no fault (RFC 9114 §9).
TEST(what_is_unknown_is_ignored)
{
    static uint8_t answer[RAW_ANSWER];
    pid_t pid;
    size_t length;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    SSL *unknown = raw_stream(ssl, true, "\x21xyz", 4, false);
    SSL *control = raw_stream(ssl, true, CONTROL "\x21\x01x\x7f\xff\x01y", 10, false);
    SSL *request = raw_stream(ssl, false, GET_HELLO, sizeof GET_HELLO - 1, true);
    CHECK_INT(raw_read(ssl, request, answer, &length), 0);
    CHECK(length > 13 && !memcmp(answer + length - 13, "hello, world\n", 13));
    SSL_free(unknown);
    SSL_free(control);
    SSL_free(request);
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// A request that comes byte by byte, and one that is broken off at each byte.
TEST(a_request_in_pieces)
{
    static uint8_t answer[RAW_ANSWER];
    static const char request[] = POST_ECHO "\x00\x05hello";
    pid_t pid;
    size_t length, written;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    SSL *slow = raw_stream(ssl, false, "", 0, false);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        SSL_write_ex(slow, request + i, 1, &written);
        SSL_handle_events(ssl);
        SSL *broken = raw_stream(ssl, false, request, i, false);
        SSL_STREAM_RESET_ARGS args = {H3_REQUEST_CANCELLED};
        if (broken && i > 0)
            SSL_stream_reset(broken, &args, sizeof args);
        SSL_free(broken);
        raw_turn(ssl, 0);
    }
    SSL_stream_conclude(slow, 0);
    CHECK_INT(raw_read(ssl, slow, answer, &length), 0);
    CHECK(length > 5 && !memcmp(answer + length - 5, "hello", 5));
    SSL_free(slow);
    raw_end(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// ---- more than the server wants ------------------------------------------------------------

TEST(streams_beyond_the_limit)
{
    static SSL *streams[300];
    pid_t pid;
    int port = start_server(&pid, "--no-retry"), open = 0;
    SSL *ssl = raw_open(port);
    for (int i = 0; i < 300; i++) {
        streams[i] = raw_stream(ssl, false, "\x01", 1, false);
        open += streams[i] != NULL;
    }
    CHECK_BETWEEN(open, 100, 250); // QUIC refuses more until some are done (RFC 9000 §4.6)
    CHECK(exchange(port));
    for (int i = 0; i < 300; i++)
        SSL_free(streams[i]);
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// Requests that are begun and broken off, again and again ("rapid reset").
TEST(too_many_requests_broken_off)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry"), begun = 0;
    SSL_CONN_CLOSE_INFO info;
    SSL_STREAM_RESET_ARGS args = {H3_REQUEST_CANCELLED};
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    SSL *ssl = raw_open(port);
    while (!SSL_get_conn_close_info(ssl, &info, sizeof info) && now_ns() < until_ns) {
        SSL *stream = raw_stream(ssl, false, POST_ECHO, sizeof POST_ECHO - 1, false);
        if (stream) {
            begun++;
            SSL_stream_reset(stream, &args, sizeof args);
            SSL_free(stream);
        }
        SSL_handle_events(ssl);
    }
    CHECK_INT(raw_close_code(ssl), H3_EXCESSIVE_LOAD);
    CHECK_AT_LEAST(begun, BROKEN_OFF_MAX);
    SSL_free(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// The resident memory of a process, in KB.
static inline long memory_of(pid_t pid)
{
    return test_number("awk '/^VmRSS/ { print $2 }' /proc/%d/status", (int)pid);
}

// A client that asks for much and reads nothing: the server keeps little of it.
TEST(a_client_that_does_not_read)
{
    static SSL *streams[20];
    pid_t pid;
    int port = start_server(&pid, "--no-retry");
    SSL *ssl = raw_open(port);
    CHECK(exchange(port));
    long before = memory_of(pid);
    for (int i = 0; i < 20; i++)
        streams[i] = raw_stream(ssl, false, LARGE, sizeof LARGE - 1, true);
    int64_t until_ns = now_ns() + 500000000;
    while (raw_turn(ssl, until_ns))
        ;
    CHECK(exchange(port));
    if (!SANITIZED)
        CHECK_AT_MOST(memory_of(pid) - before, 20 * 1024); // of 1,200 MB
    for (int i = 0; i < 20; i++)
        SSL_free(streams[i]);
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// ---- clients that are slow -----------------------------------------------------------------

TEST(half_a_request_ends)
{
    static uint8_t answer[RAW_ANSWER];
    pid_t pid;
    size_t length;
    int port = start_server(&pid, "--no-retry --request-ms 300");
    SSL *ssl = raw_open(port);
    SSL *half = raw_stream(ssl, false, POST_ECHO "\x00\x05he", sizeof POST_ECHO + 3, false);
    CHECK_INT(raw_read(ssl, half, answer, &length), 0);
    CHECK(length > 8 && memmem(answer, length, "did not come in time", 20)); // 408
    SSL *none = raw_stream(ssl, false, "\x01", 1, false);
    CHECK_INT(raw_read(ssl, none, answer, &length), 0);
    SSL_free(half);
    SSL_free(none);
    raw_end(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(an_answer_that_nobody_takes_ends)
{
    static uint8_t answer[RAW_ANSWER];
    pid_t pid;
    size_t length;
    int port = start_server(&pid, "--no-retry --stall-ms 300");
    SSL *ssl = raw_open(port);
    SSL *stream = raw_stream(ssl, false, LARGE, sizeof LARGE - 1, true);
    int64_t until_ns = now_ns() + 1500000000;
    while (raw_turn(ssl, until_ns)) // acknowledges, but reads nothing
        ;
    uint64_t code = 0;
    for (int i = 0; i < 100 && code == 0; i++) // what has come before is read first
        code = raw_read(ssl, stream, answer, &length);
    CHECK_INT(code, H3_REQUEST_CANCELLED);
    SSL_free(stream);
    raw_end(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_connection_without_requests_ends)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry --idle-ms 300");
    SSL *ssl = raw_open(port);
    CHECK_INT(raw_close_code(ssl), H3_NO_ERROR);
    SSL_free(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

#endif
