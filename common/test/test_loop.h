// test_loop.h: tests of the loop's lowest rate: a server that sends without end, and clients
// that take its bytes at different speeds.
#ifndef TEST_LOOP_H
#define TEST_LOOP_H

#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "loop.h"
#include "measure.h"
#include "net.h"
#include "smaller.h"
#include "test_server.h"

#define TEST_STALL_MS                                                                          \
    400 // the server's period; at the lowest rate a client takes 200 bytes in it
#define SMALL_BUFFER 4608

static bool test_small_buffers; // the kernel holds little for a client, and reports room soon

static atomic_int test_dropped; // connections

static void count_dropped(struct conn *conn)
{
    (void)conn;
    test_dropped++;
}

static int accept_a_taker(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), size = SMALL_BUFFER;
    if (fd >= 0 && test_small_buffers)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

static bool produce_without_end(struct conn *conn)
{
    size_t room = conn_room(conn);
    memset(conn_space(conn), 'x', room);
    conn_wrote(conn, room);
    return true;
}

static void *serve_without_end(void *listener)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct conn),
                                              .conns_max = 10,
                                              .stall_ms = TEST_STALL_MS,
                                              .produce = produce_without_end,
                                              .closed = count_dropped,
                                              .accept = accept_a_taker};
    int stop[2]; // never written to: the server ends with the test
    if (pipe(stop))
        exit(1);
    loop_serve(*(int *)listener, stop[0], &server);
    return NULL;
}

// A client whose kernel holds little, and asks for segments of `segment_bytes`.
static int connect_a_taker(int listener, int segment_bytes)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int size = SMALL_BUFFER, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof segment_bytes);
    if (getsockname(listener, (struct sockaddr *)&address, &length) ||
        connect(fd, (struct sockaddr *)&address, length)) {
        perror("cannot connect");
        exit(1);
    }
    return fd;
}

// Takes `bytes` each `pace_ms` milliseconds, for ten periods. Returns after how many
// milliseconds the server has dropped the connection; 0: it has not. (The client cannot see
// that: the end stands behind the bytes that it does not take.)
static long dropped_after_ms(int fd, size_t bytes, int pace_ms)
{
    static char taken[1 << 16];
    int64_t start_ns = now_ns();
    int before = test_dropped;
    for (;;) {
        long passed_ms = (long)((now_ns() - start_ns) / 1000000);
        if (test_dropped > before)
            return passed_ms;
        if (passed_ms > 10 * TEST_STALL_MS)
            return 0;
        if (bytes && read(fd, taken, bytes) <= 0)
            return passed_ms;
        usleep((unsigned)pace_ms * 1000);
    }
}

static int begin_a_server(bool small_buffers)
{
    static int listener;
    static pthread_t thread;
    signal(SIGPIPE, SIG_IGN);
    test_small_buffers = small_buffers;
    listener = net_listen("127.0.0.1", 0, 10);
    pthread_create(&thread, NULL, serve_without_end, &listener);
    return listener;
}

TEST(output_has_a_lowest_rate)
{
    int listener = begin_a_server(true);
    long none_ms = dropped_after_ms(connect_a_taker(listener, 100), 0, 10);
    long slow_ms =
        dropped_after_ms(connect_a_taker(listener, 100), 2, 20); // 100 bytes a second
    CHECK(none_ms >= TEST_STALL_MS / 2);
    CHECK(slow_ms >= TEST_STALL_MS / 2);
    CHECK_INT(dropped_after_ms(connect_a_taker(listener, 1000), 4000, 20), 0);
}

// The server's kernel holds megabytes, and has no room for a long time, however steadily the
// client takes them.
TEST(a_large_send_buffer_hides_no_progress)
{
    int listener = begin_a_server(false);
    CHECK_INT(dropped_after_ms(connect_a_taker(listener, 1000), 4000, 20), 0);
}

// ---- no Nagle ------------------------------------------------------------------------------

static atomic_int test_no_delay = -1; // of the server's end of a connection

static void note_no_delay(struct conn *conn)
{
    int on = 0;
    socklen_t length = sizeof on;
    if (!getsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, &length))
        test_no_delay = on;
}

static void *serve_and_note(void *listener)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct conn), .conns_max = 10, .opened = note_no_delay};
    int stop[2]; // never written to
    if (pipe(stop))
        exit(1);
    loop_serve(*(int *)listener, stop[0], &server);
    return NULL;
}

// Else the second of two answers would wait until the client has acknowledged the first one.
TEST(answers_do_not_wait_for_an_acknowledgement)
{
    pthread_t thread;
    int listener = net_listen("127.0.0.1", 0, 10);
    pthread_create(&thread, NULL, serve_and_note, &listener);
    int fd = connect_a_taker(listener, 1000);
    for (int i = 0; i < 1000 && test_no_delay < 0; i++)
        sleep_ms(10);
    CHECK_INT(test_no_delay, 1);
    close(fd);
}

// ---- both halves closed --------------------------------------------------------------------

#define SENT_BYTES  100000
#define TAKEN_BYTES 10000 // at once; then the server is busy
#define BUSY_MS     20

static atomic_int test_taken; // bytes that a busy server has used

static void close_our_half(struct conn *conn)
{
    shutdown(conn->fd, SHUT_WR);
}

static size_t take_some(struct conn *conn, const char *bytes, size_t length)
{
    size_t part = smaller(length, TAKEN_BYTES);
    (void)bytes;
    test_taken += (int)part;
    conn->paused = true;
    conn_deadline(conn, BUSY_MS);
    return part;
}

static void no_longer_busy(struct conn *conn)
{
    conn->paused = false;
}

static void *serve_busily(void *listener)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct conn),
                                              .conns_max = 10,
                                              .opened = close_our_half,
                                              .received = take_some,
                                              .timeout = no_longer_busy,
                                              .closed = count_dropped,
                                              .accept = accept_a_taker};
    int stop[2]; // never written to
    if (pipe(stop))
        exit(1);
    loop_serve(*(int *)listener, stop[0], &server);
    return NULL;
}

// The kernel says EPOLLHUP for a connection that both sides have closed, also while bytes are
// there that the server has had no time for.
TEST(what_came_before_the_end_waits_for_a_busy_server)
{
    static char bytes[SENT_BYTES];
    pthread_t thread;
    int listener = net_listen("127.0.0.1", 0, 10);
    pthread_create(&thread, NULL, serve_busily, &listener);
    int fd = connect_a_taker(listener, 1000);
    CHECK(write_all(fd, bytes, sizeof bytes));
    close(fd);
    double began_ms = cpu_ms();
    for (int i = 0; i < 1000 && !test_dropped; i++)
        sleep_ms(10);
    CHECK_INT(test_taken, SENT_BYTES);
    CHECK_INT(test_dropped, 1);
    CHECK_AT_MOST((long)(cpu_ms() - began_ms), 100); // it has slept meanwhile
}

#endif
