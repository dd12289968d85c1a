// test_flood.h: the server and datagrams that are no QUIC, or only begin to be: floods, and
// what an honest client notices of them.
#ifndef TEST_FLOOD_H
#define TEST_FLOOD_H

#include <sys/prctl.h>
#include <sys/socket.h>

#include "measure.h"
#include "raw.h"
#include "test_hostile.h"

#define FLOOD           3000
#define FLOOD_AT_ONCE   40 // every 10 ms: 4,000 a second
#define FLOOD_TIMES_MAX 10 // so many times as long an exchange may take
#define FLOOD_TRIES     5
#define EXCHANGES       100
#define HANDSHAKES      1300 // more than the server has places for connections

static uint8_t first_datagram[1500];
static size_t first_length;

static long keep_first(BIO *bio, int operation, const char *argument, size_t length, int argi,
                       long argl, int result, size_t *processed)
{
    (void)bio, (void)length, (void)argi, (void)argl, (void)processed;
    if (operation != (BIO_CB_SENDMMSG | BIO_CB_RETURN) || result <= 0 || first_length)
        return result;
    const BIO_MMSG_CB_ARGS *all = (const void *)argument;
    first_length = all->msg->data_len;
    memcpy(first_datagram, all->msg->data, first_length);
    return result;
}

// Begins a connection, and keeps its first packet in first_datagram.
static inline SSL *keep_first_packet(int port)
{
    SSL *ssl = quic_connection(raw_context(), "127.0.0.1", port, WORKBENCH);
    BIO_set_callback_ex(SSL_get_wbio(ssl), keep_first);
    SSL_do_handshake(ssl);
    SSL_handle_events(ssl);
    return ssl;
}

static inline int udp_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

TEST(hostile_datagrams)
{
    pid_t pid;
    uint64_t random = 1;
    uint8_t bytes[1500];
    int port = start_server(&pid, ""), fd = udp_to(port);
    SSL *ssl = keep_first_packet(port);
    CHECK_AT_LEAST(first_length, 1200);
    for (int i = 0; i < FLOOD; i++) {
        size_t length = random_next(&random) % sizeof bytes;
        for (size_t k = 0; k < length; k++)
            bytes[k] = (uint8_t)random_next(&random);
        if (i % 2) { // a client's first packet, with some wrong bytes, and perhaps cut off
            length = first_length;
            memcpy(bytes, first_datagram, first_length);
            for (int n = 0; n < 3; n++)
                bytes[random_next(&random) % 40] = (uint8_t)random_next(&random);
            if (i % 4 == 1)
                length = random_next(&random) % first_length;
        }
        send(fd, bytes, length, MSG_DONTWAIT);
        if (i % 100 == 0)
            sleep_ms(1);
    }
    close(fd);
    raw_end(ssl);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// First packets of clients that never say more, each from an address of its own. With Retry the
// server keeps nothing of them.
TEST(a_flood_of_first_packets)
{
    pid_t pid;
    int port = start_server(&pid, "");
    SSL *ssl = keep_first_packet(port);
    CHECK(exchange(port));
    long before = memory_of(pid);
    for (int i = 0; i < FLOOD; i++) {
        int fd = udp_to(port);
        send(fd, first_datagram, first_length, MSG_DONTWAIT);
        close(fd);
        if (i % 50 == 0)
            sleep_ms(1);
    }
    CHECK(exchange(port));
    if (!SANITIZED)
        CHECK_AT_MOST(memory_of(pid) - before, 4096);
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// Milliseconds that an exchange with the server takes, each on a connection of its own: only
// one of a hundred takes longer (the 99th percentile).
static inline double exchange_p99_ms(int port)
{
    double ms[EXCHANGES];
    size_t count = EXCHANGES;
    if (SANITIZED)
        count = EXCHANGES / 10;
    for (size_t i = 0; i < count; i++) {
        int64_t start_ns = now_ns();
        CHECK(exchange(port));
        ms[i] = ms_since(start_ns);
    }
    median_of(ms, count); // sorts them
    return ms[count * 99 / 100 - 1];
}

// The same while first packets flood `flooded_port`.
static inline double exchange_p99_ms_in_flood(int port, int flooded_port)
{
    pid_t flood = fork();
    if (flood == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            for (int i = 0; i < FLOOD_AT_ONCE; i++) {
                int fd = udp_to(flooded_port);
                send(fd, first_datagram, first_length, MSG_DONTWAIT);
                close(fd);
            }
            sleep_ms(10);
        }
    }
    double ms = exchange_p99_ms(port);
    kill(flood, SIGKILL);
    waitpid(flood, NULL, 0);
    return ms;
}

// What an honest client notices of such a flood. (With a socket buffer of 8 KB the kernel drops
// packets of honest clients, which send them again after a second: 20 to 80 times as long.) It
// is compared with the same flood to a socket that has no server: that takes the same time of
// the machine. A machine that is busy for a while is asked again.
TEST(an_honest_client_in_a_flood)
{
    pid_t pid;
    double times = FLOOD_TIMES_MAX + 1;
    int port = start_server(&pid, ""), idle_fd = quic_bind("127.0.0.1", 0);
    struct sockaddr_in idle;
    socklen_t length = sizeof idle;
    getsockname(idle_fd, (struct sockaddr *)&idle, &length);
    SSL *ssl = keep_first_packet(port);
    alarm(3 * TEST_SECONDS);
    for (int i = 0; i < FLOOD_TRIES && times > FLOOD_TIMES_MAX; i++) {
        double calm_ms = exchange_p99_ms_in_flood(port, ntohs(idle.sin_port));
        times = exchange_p99_ms_in_flood(port, port) / calm_ms;
    }
    CHECK_AT_MOST(times, FLOOD_TIMES_MAX);
    close(idle_fd);
    raw_end(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// The same without Retry: each is a connection, and the places are soon taken. Others get one.
TEST(handshakes_that_never_end)
{
    pid_t pid;
    int port = start_server(&pid, "--no-retry");
    for (int i = 0; i < HANDSHAKES; i++) {
        SSL *ssl = quic_connection(raw_context(), "127.0.0.1", port, WORKBENCH);
        SSL_do_handshake(ssl);
        SSL_handle_events(ssl); // the first packet; then nothing more
        SSL_free(ssl);
        if (i % 50 == 0)
            sleep_ms(1);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

#endif
