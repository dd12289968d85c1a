// hostile.c: hostile clients, for `make soak`. They send to a server what a good client once
// sent, as `wire --pcap` has recorded it, but cut off, mutilated, many times, byte by byte, or
// not at all; then they close or reset the connection, at times before the answer. Others send
// a byte now and then and never finish: a crowd of them must not lock out the good clients. The
// same seed makes the same sequence of attacks.
//
//   build/hostile --port 8002 --seconds 60 build/soak/02-http1.pcap
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>

#include "net.h"
#include "options.h"
#include "packet.h"

#define SAMPLES_MAX   4096
#define PCAP_HEADER   24 // of the file, and of each packet in it (draft-ietf-opsawg-pcap)
#define RECORD_HEADER 16
#define IP_HEADER     20   // wire's packets have no IP options
#define LINGER_MS     50   // how long they wait for an answer
#define FLOOD         200  // times that one sample is sent without a pause
#define CROWD         20   // connections that are opened and left alone
#define SLOW          64   // connections of slow clients,
#define SLOW_MS       2000 // and the time between two bytes of each

struct sample {
    const uint8_t *at;
    size_t length;
};

static const char *host = "127.0.0.1";
static int port, seconds = 10, seed = 1, clients = 4;
static struct sample samples[SAMPLES_MAX];
static int sample_count;
static struct sockaddr_storage server;
static socklen_t server_length;
static bool datagrams; // what was recorded came over UDP

// What is in the recording that the client sent.
static void read_samples(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status))
        die("cannot read %s: %s", path, strerror(errno));
    const uint8_t *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        die("cannot read %s: %s", path, strerror(errno));
    const uint8_t *at = file + PCAP_HEADER, *end = file + status.st_size;
    while (end - at > RECORD_HEADER && sample_count < SAMPLES_MAX) {
        struct packet packet;
        uint32_t length;
        memcpy(&length, at + 8, sizeof length);
        at += RECORD_HEADER;
        if (length > end - at)
            break;
        bool from_client = length > IP_HEADER && at[15] == 1; // 10.0.0.1
        if (from_client && packet_decode(at, length, &packet) && packet.payload) {
            samples[sample_count++] =
                (struct sample){at + length - packet.payload, packet.payload};
            datagrams = packet.protocol == IPPROTO_UDP;
        }
        at += length;
    }
    if (!sample_count)
        die("%s: there is nothing in it that a client has sent", path);
    close(fd);
}

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)random() % limit;
}

static struct sample any_sample(void)
{
    return samples[random_below((uint32_t)sample_count)];
}

// Sends what the kernel takes without waiting.
static void send_bytes(int fd, const void *bytes, size_t length)
{
    if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return; // the server has closed the connection, or its buffer is full: both are fine
}

// Reads, and forgets, until the server closes, or is silent for LINGER_MS.
static void drain(int fd)
{
    static char answer[65536];
    struct pollfd wait = {fd, POLLIN, 0};
    for (int i = 0; i < 1000 && poll(&wait, 1, LINGER_MS) > 0; i++)
        if (read(fd, answer, sizeof answer) <= 0)
            return;
}

static void cut_off(int fd)
{
    struct sample s = any_sample();
    send_bytes(fd, s.at, random_below((uint32_t)s.length) + 1);
}

static void mutilated(int fd)
{
    struct sample s = any_sample();
    uint8_t bytes[65536];
    memcpy(bytes, s.at, s.length);
    for (uint32_t i = random_below(8) + 1; i > 0; i--)
        bytes[random_below((uint32_t)s.length)] = (uint8_t)random();
    send_bytes(fd, bytes, s.length);
}

// The recording from some point on, with a packet left out here and there.
static void with_holes(int fd)
{
    int first = (int)random_below((uint32_t)sample_count);
    for (int i = first; i < sample_count && i < first + 20; i++)
        if (random_below(4))
            send_bytes(fd, samples[i].at, samples[i].length);
}

static void noise(int fd)
{
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random();
    for (uint32_t i = random_below(16); i > 0; i--)
        send_bytes(fd, bytes, sizeof bytes);
}

static void flood(int fd)
{
    struct sample s = any_sample();
    for (int i = 0; i < FLOOD; i++)
        send_bytes(fd, s.at, s.length);
}

static void trickle(int fd)
{
    struct sample s = any_sample();
    for (size_t i = 0; i < s.length && i < 100; i++) {
        send_bytes(fd, s.at + i, 1);
        sleep_ms(1);
    }
}

static void nothing(int fd)
{
    (void)fd;
}

static int connect_once(void)
{
    int fd = socket(server.ss_family, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&server, server_length)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void crowd(int fd)
{
    int fds[CROWD];
    (void)fd;
    for (int i = 0; i < CROWD; i++)
        fds[i] = connect_once();
    sleep_ms(random_below(200));
    for (int i = 0; i < CROWD; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

// One connection, one attack, and one way to end it.
static bool attack(void)
{
    static void (*const attacks[])(int) = {cut_off, mutilated, with_holes, noise,
                                           flood,   trickle,   nothing,    crowd};
    struct linger at_once = {1, 0};
    int fd = connect_once();
    if (fd < 0)
        return errno != ECONNREFUSED; // a full queue is not a fault
    attacks[random_below(sizeof attacks / sizeof attacks[0])](fd);
    switch (random_below(4)) {
    case 0: // a reset
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        break;
    case 1: // no more bytes, but it reads
        shutdown(fd, SHUT_WR);
        drain(fd);
        break;
    case 2:
        drain(fd);
        break;
    }
    close(fd);
    return true;
}

static int one_client(unsigned int number)
{
    int64_t until_ns = now_ns() + seconds * INT64_C(1000000000);
    long attacks = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    srandom((unsigned int)seed * 1000 + number);
    for (; now_ns() < until_ns; attacks++)
        if (!attack()) {
            fprintf(stderr, "hostile: after %ld attacks the server does not listen any more\n",
                    attacks);
            return 1;
        }
    return 0;
}

// Slow clients: each sends a byte of a request now and then, and never the last one. One that
// was closed comes back.
static int crawl(void)
{
    int64_t until_ns = now_ns() + seconds * INT64_C(1000000000);
    struct sample requests[SLOW];
    size_t sent[SLOW];
    int fds[SLOW];
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    srandom((unsigned int)seed);
    for (int i = 0; i < SLOW; i++)
        fds[i] = -1;
    for (; now_ns() < until_ns; sleep_ms(SLOW_MS)) {
        for (int i = 0; i < SLOW; i++) {
            if (fds[i] < 0) {
                fds[i] = connect_once();
                requests[i] = any_sample();
                sent[i] = 0;
                continue;
            }
            if (sent[i] + 1 < requests[i].length)
                send_bytes(fds[i], requests[i].at + sent[i]++, 1);
            ssize_t got = recv(fds[i], &byte, 1, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN)) {
                close(fds[i]);
                fds[i] = -1;
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"seconds", OPTION_INT, &seconds, 1, 86400, "how long"},
        {"seed", OPTION_INT, &seed, 0, 1000000, "of the random numbers"},
        {"clients", OPTION_INT, &clients, 1, 64, "at the same time"},
        {0}};
    int first = options_parse(
        argc, argv, &(struct command){"RECORDING", "Hostile clients, see hostile.c.", options});
    int failed = 0, status;
    if (first + 1 != argc)
        die("which recording? (wire --pcap writes one)");
    read_samples(argv[first]);
    server_length = net_address(host, port, datagrams ? SOCK_DGRAM : SOCK_STREAM, &server);
    for (int i = 0; i < clients; i++)
        if (fork() == 0)
            _exit(one_client((unsigned int)i));
    if (fork() == 0)
        _exit(crawl());
    while (wait(&status) > 0)
        failed += status != 0;
    return failed > 0;
}
