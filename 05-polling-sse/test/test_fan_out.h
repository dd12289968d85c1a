// test_fan_out.h: --fan-out uring tells each reader the same as a send() for each of them does.
#ifndef TEST_FAN_OUT_H
#define TEST_FAN_OUT_H

#include "ring.h"
#include "test_talk.h"

#define MANY_READERS 700 // more than RING_ENTRIES: more than one call of the kernel
#define BIG_EVENTS   40
#define BIG_BYTES    60000

// A reader that does not read gets a part of an event, and the rest later. Each large event
// begins with its number.
static void check_slow_reader(int port)
{
    static char large[BIG_BYTES + 1];
    char expected[60];
    int fd = say(port, "GET /events?since=3 HTTP/1.1\r\nHost: h\r\n\r\n");
    read_until(fd, "id: 3\n\n");
    for (int i = 0; i < BIG_EVENTS; i++) {
        memset(large, 'a' + i % 26, BIG_BYTES);
        post(port, "/publish", large);
    }
    for (int i = 0; i < BIG_EVENTS; i++) {
        memset(large, 'a' + i % 26, BIG_BYTES);
        snprintf(expected, sizeof expected, "id: %d\ndata: ", i + 4);
        CHECK_TEXT(read_until(fd, expected), expected);
        read_until(fd, "\n\n");
        CHECK(strlen(answer) == BIG_BYTES + 2 && !memcmp(answer, large, BIG_BYTES));
    }
    close(fd);
}

TEST(a_fan_out_by_io_uring)
{
    static int fds[MANY_READERS];
    struct ring ring;
    size_t length;
    pid_t pid;
    if (!ring_open(&ring)) {
        printf("skipped this machine refuses io_uring\n");
        return;
    }
    ring_close(&ring);
    int port = serve(&pid, "--fan-out uring --queue 1000 --heartbeat-ms 60000");
    int socket = open_websocket(port, "/ws"),
        held = say(port, "GET /wait?since=0 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(read_frame(socket, &length), 0x81); // it has joined the chat
    for (int i = 0; i < MANY_READERS; i++)
        fds[i] = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < MANY_READERS; i++)
        read_until(fds[i], "id: 0\n\n");
    close(fds[0]); // it has gone: the others get theirs
    post(port, "/publish", "one");
    post(port, "/publish?event=price", "two");
    for (int i = 1; i < MANY_READERS; i++)
        read_until(fds[i], "id: 1\ndata: one\n\nid: 2\nevent: price\ndata: two\n\n");
    read_until(held, "\"data\":\"one\"}\n");
    CHECK_INT(read_frame(socket, &length), 0x81);
    CHECK_TEXT(answer, "{\"id\":1,\"event\":\"message\",\"data\":\"one\"}");
    CHECK_INT(read_frame(socket, &length), 0x81);
    CHECK_INT(figure(port, "\"sse\"", "events"), 2 * (MANY_READERS - 1));
    CHECK_HAS(post(port, "/cut", ""), "cut\n");
    for (int i = 1; i < MANY_READERS; i++) {
        CHECK_INT(read(fds[i], answer, 1), 0);
        close(fds[i]);
    }
    post(port, "/publish", "three");
    check_slow_reader(port);
    close(socket);
    close(held);
    CHECK_INT(test_stop(pid), 0);
}

#endif
