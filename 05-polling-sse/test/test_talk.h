// test_talk.h: how the tests speak with the server: bytes out, bytes in, and a reader of
// answers that shares nothing with the code under test. Nothing here waits for a time to pass.
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>

#include "net.h"
#include "test_server.h"

#define ANSWER_BYTES (4 << 20)

static char answer[ANSWER_BYTES]; // the last one

// A server without news of its own.
static inline int serve(pid_t *pid, const char *options)
{
    char command[300];
    signal(SIGPIPE, SIG_IGN); // a server may close while we are sending
    snprintf(command, sizeof command, "./server --quiet --port 0 --rate 0 --first-id 1 %s",
             options);
    return test_start(pid, command);
}

// Reads until the server closes. A reset ends it like a close.
static inline char *last_words(int fd)
{
    answer[read_to_end(fd, answer, sizeof answer - 1)] = '\0';
    close(fd);
    return answer;
}

// Reads until `part` has come, and nothing behind it; returns all that has come. Fails if the
// connection ends before.
static inline char *read_until(int fd, const char *part)
{
    size_t length = 0, size = strlen(part);
    for (;;) {
        ssize_t got = recv(fd, answer + length, sizeof answer - 1 - length, MSG_PEEK);
        size_t from = 0, stop = length;
        if (length > size)
            from = length - size; // the beginning of `part` may have come before
        if (got > 0)
            stop += (size_t)got;
        char *place = memmem(answer + from, stop - from, part, size);
        if (place)
            stop = (size_t)(place - answer) + size;
        if (got <= 0 || !read_exactly(fd, answer + length, stop - length)) {
            answer[length] = '\0';
            FAIL("expected \"%s\" and got \"%s\"", part, answer);
            return answer;
        }
        length = stop;
        answer[length] = '\0';
        if (place)
            return answer;
    }
}

static inline int say(int port, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline int say(int port, const char *format, ...)
{
    static char text[1 << 18];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(fd, text, (size_t)length));
    return fd;
}

// A connection that has room for little, and gets it in segments of so many bytes (0: as the
// kernel likes).
static inline int connect_in_segments(int port, int segment_bytes, const char *request)
{
    int bytes = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (segment_bytes)
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof segment_bytes);
    CHECK(!connect(fd, (struct sockaddr *)&address, sizeof address));
    CHECK(write_all(fd, request, strlen(request)));
    return fd;
}

static inline int connect_narrow(int port, const char *request)
{
    return connect_in_segments(port, 0, request);
}

// The answer to a GET of its own connection.
static inline char *get(int port, const char *target)
{
    return last_words(
        say(port, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", target));
}

static inline char *post(int port, const char *target, const char *content)
{
    return last_words(say(port,
                          "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          target, strlen(content), content));
}

// The number behind `name` in the server's figures.
static inline long figure(int port, const char *object, const char *name)
{
    const char *at = strstr(get(port, "/stats"), object);
    if (at)
        at = strstr(at, name);
    if (!at)
        return -1;
    return atol(at + strlen(name) + 2);
}

// Waits until a figure is what it should be: for what happens after the server has read
// something. The test's own time limit ends it.
static inline void await_figure(int port, const char *object, const char *name, long value)
{
    while (figure(port, object, name) != value)
        sleep_ms(5);
}

// ---- WebSocket, written out by hand --------------------------------------------------------

#define UPGRADE                                                                                \
    "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"    \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static inline int open_websocket(int port, const char *target)
{
    int fd = say(port, "GET %s HTTP/1.1\r\n" UPGRADE "\r\n", target);
    read_until(fd, "\r\n\r\n");
    CHECK_HAS(answer, "HTTP/1.1 101 Switching Protocols\r\n");
    CHECK_HAS(answer, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    return fd;
}

// Sends a frame; the mask is zero, which is a mask too.
static inline void send_frame(int fd, int first, const char *bytes, size_t length)
{
    uint8_t header[14] = {(uint8_t)first};
    size_t more = 0; // bytes of a longer length
    header[1] = (uint8_t)(0x80 | length);
    if (length > 65535) {
        more = 8;
        header[1] = 0x80 | 127;
    } else if (length > 125) {
        more = 2;
        header[1] = 0x80 | 126;
    }
    for (size_t i = 0; i < more; i++)
        header[2 + i] = (uint8_t)(length >> (8 * (more - 1 - i)));
    CHECK(write_all(fd, header, 6 + more));
    CHECK(write_all(fd, bytes, length));
}

// Reads one frame of the server's; its payload is in `answer`. Returns its first byte, -1 if
// there is none.
static inline int read_frame(int fd, size_t *length)
{
    uint8_t header[10];
    *length = 0;
    if (!read_exactly(fd, header, 2))
        return -1;
    size_t more = 0; // bytes of a longer length
    if (header[1] == 126)
        more = 2;
    else if (header[1] == 127)
        more = 8;
    else
        *length = header[1];
    CHECK(header[1] < 128); // a server does not mask
    if (!read_exactly(fd, header + 2, more))
        return -1;
    for (size_t i = 0; i < more; i++)
        *length = *length << 8 | header[2 + i];
    if (*length >= sizeof answer || !read_exactly(fd, answer, *length))
        return -1;
    answer[*length] = '\0';
    return header[0];
}

// Reads up to the next close frame, and returns its code; 1005 if the frame has none, 1006 if
// there is no close frame.
static inline int close_code(int fd)
{
    size_t length;
    int first = 0;
    while (first >= 0 && first != 0x88)
        first = read_frame(fd, &length);
    if (first < 0)
        return 1006;
    if (length < 2)
        return 1005;
    return (uint8_t)answer[0] << 8 | (uint8_t)answer[1];
}

#endif
