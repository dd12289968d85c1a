// test_talk.h: how the tests speak with the server: frames written and read by hand, so that
// nothing of the code under test is used to test it. Nothing here waits for a time to pass.
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <arpa/inet.h>
#include <stdarg.h>

#include "net.h"
#include "test_server.h"

#define TALK_BYTES (1 << 20)

static char heard[TALK_BYTES]; // what read_answer() has read

// A frame that is being written, or several.
struct bytes {
    char at[1 << 17];
    size_t length;
};

static inline int serve(pid_t *pid, const char *options)
{
    char command[300];
    signal(SIGPIPE, SIG_IGN); // a server may close while we are sending
    snprintf(command, sizeof command, "./server --quiet --port 0 %s", options);
    int port = test_start(pid, command);
    CHECK(port > 0);
    return port;
}

static inline void put_number(struct bytes *b, unsigned value, int bytes)
{
    while (bytes--)
        b->at[b->length++] = (char)(value >> (8 * bytes));
}

static inline void put_raw(struct bytes *b, char kind, unsigned id, const void *payload,
                           size_t length)
{
    put_number(b, (unsigned)length + 5, 4);
    put_number(b, id, 4);
    b->at[b->length++] = kind;
    memcpy(b->at + b->length, payload, length);
    b->length += length;
}

// A frame with fields; the last argument is NULL.
static inline void put_frame(struct bytes *b, char kind, unsigned id, ...)
{
    struct bytes payload;
    va_list fields;
    payload.length = 0;
    va_start(fields, id);
    for (const char *text; (text = va_arg(fields, const char *));) {
        put_number(&payload, (unsigned)strlen(text), 2);
        memcpy(payload.at + payload.length, text, strlen(text));
        payload.length += strlen(text);
    }
    va_end(fields);
    put_raw(b, kind, id, payload.at, payload.length);
}

static inline void send_bytes(int fd, const struct bytes *b)
{
    CHECK(write_all(fd, b->at, b->length));
}

// Reads one frame and adds it to `heard`, as "D7 first field|second field\n". Returns its kind;
// 0 if there is none, because the connection has ended.
static inline char read_frame(int fd, size_t *at)
{
    unsigned char header[9], bytes[4096];
    uint32_t length, id;
    heard[*at] = '\0';
    if (!read_exactly(fd, header, sizeof header))
        return 0;
    memcpy(&length, header, 4);
    memcpy(&id, header + 4, 4);
    length = ntohl(length) - 5;
    if (length > sizeof bytes || !read_exactly(fd, bytes, length))
        return 0;
    *at += (size_t)snprintf(heard + *at, TALK_BYTES - *at, "%c%u", header[8], ntohl(id));
    for (size_t i = 0, field; i + 2 <= length; i += 2 + field) {
        field = (size_t)(bytes[i] << 8 | bytes[i + 1]);
        *at += (size_t)snprintf(heard + *at, TALK_BYTES - *at, "%c%.*s", i ? '|' : ' ',
                                (int)field, bytes + i + 2);
    }
    heard[(*at)++] = '\n';
    heard[*at] = '\0';
    return (char)header[8];
}

// Reads until an answer ends, or a login is answered, or the connection ends; all of it is in
// `heard`, which is returned.
static inline char *read_answer(int fd)
{
    size_t at = 0;
    while (read_frame(fd, &at) == 'D')
        ;
    return heard;
}

// Reads until the server closes.
static inline char *last_words(int fd)
{
    size_t at = 0;
    while (read_frame(fd, &at))
        ;
    close(fd);
    return heard;
}

static inline void say(int fd, char kind, unsigned id, const char *text)
{
    struct bytes b;
    b.length = 0;
    put_frame(&b, kind, id, text, NULL);
    send_bytes(fd, &b);
}

static inline char *ask(int fd, const char *text)
{
    say(fd, 'Q', 1, text);
    return read_answer(fd);
}

static inline int send_login(int port)
{
    struct bytes b;
    int fd = net_connect_or_die("127.0.0.1", port);
    b.length = 0;
    put_frame(&b, 'L', 0, "test", "workbench", NULL);
    send_bytes(fd, &b);
    return fd;
}

static inline int log_in(int port)
{
    int fd = send_login(port);
    CHECK_HAS(read_answer(fd), "R0 ");
    return fd;
}

static inline void reset(int fd)
{
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

// A figure of "show stats", asked for in a session that is there.
static inline long figure(int fd, const char *name)
{
    char row[40];
    snprintf(row, sizeof row, "D1 %s|", name);
    const char *at = strstr(ask(fd, "show stats"), row);
    return at ? atol(at + strlen(row)) : -1;
}

// Waits until a figure is what it should be: for what happens after the server has read
// something. The test's own time limit ends it.
static inline void await_figure(int fd, const char *name, long value)
{
    while (figure(fd, name) != value)
        sleep_ms(2);
}

#endif
