// copies.c: scene copies: a file goes into a socket in four ways. How much CPU time does a
// megabyte cost the program that sends it?
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h> // uses struct timespec, and does not include <time.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FILE_BYTES  (8 << 20)
#define PIECE_BYTES (64 << 10) // that one call moves
#define ROUNDS      31
#define LESS        0.85 // this part of the time of read() and write(), at most, counts as less

static int file, to, from; // the file, and the two ends of a connection
static char *mapped;       // the file as memory
static int pipe_ends[2];
static long zero_copies, copied; // completions of MSG_ZEROCOPY, and those that say "copied"

static _Noreturn void fail(const char *call)
{
    die("%s: %s", call, strerror(errno));
}

// ---- four ways -----------------------------------------------------------------------------

static void read_and_write(void)
{
    static char piece[PIECE_BYTES];
    for (off_t at = 0; at < FILE_BYTES; at += PIECE_BYTES)
        if (pread(file, piece, sizeof piece, at) != sizeof piece ||
            !write_all(to, piece, sizeof piece))
            fail("read() and write()");
}

static void send_file(void)
{
    for (off_t at = 0; at < FILE_BYTES;)
        if (sendfile(to, file, &at, PIECE_BYTES) <= 0)
            fail("sendfile()");
}

static void splice_twice(void)
{
    for (off_t at = 0; at < FILE_BYTES;) {
        ssize_t in = splice(file, &at, pipe_ends[1], NULL, PIECE_BYTES, SPLICE_F_MOVE);
        if (in <= 0)
            fail("splice() from the file");
        while (in > 0) {
            ssize_t out = splice(pipe_ends[0], NULL, to, NULL, (size_t)in, SPLICE_F_MOVE);
            if (out <= 0)
                fail("splice() into the socket");
            in -= out;
        }
    }
}

// Takes the completions that are there: each is for a range of calls.
// SO_EE_CODE_ZEROCOPY_COPIED says that the kernel has copied the bytes after all.
static long take_completions(void)
{
    char control[256], nothing;
    struct iovec none = {&nothing, 0};
    long taken = 0;
    for (;;) {
        struct msghdr message = {.msg_iov = &none,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        if (recvmsg(to, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return taken;
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        struct sock_extended_err error;
        if (!part)
            return taken;
        memcpy(&error, CMSG_DATA(part), sizeof error);
        long calls = (long)(error.ee_data - error.ee_info) + 1;
        taken += calls;
        if (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
            copied += calls;
    }
}

static void send_zero_copy(void)
{
    long missing = 0;
    for (size_t at = 0; at < FILE_BYTES;) {
        ssize_t sent = send(to, mapped + at, PIECE_BYTES, MSG_ZEROCOPY | MSG_NOSIGNAL);
        if (sent > 0) {
            at += (size_t)sent;
            missing++;
        } else if (errno != ENOBUFS) {
            fail("send(MSG_ZEROCOPY)");
        }
        missing -= take_completions();
    }
    zero_copies += FILE_BYTES / PIECE_BYTES;
    while (missing > 0) {
        struct pollfd queue = {to, 0, 0}; // POLLERR comes unasked
        poll(&queue, 1, 1000);
        missing -= take_completions();
    }
}

static struct way {
    const char *name;
    void (*send)(void);
    double us[ROUNDS]; // of CPU time a megabyte
    double least;
} ways[] = {{"read() and write()", read_and_write, {0}, 0},
            {"sendfile()", send_file, {0}, 0},
            {"splice(), by a pipe", splice_twice, {0}, 0},
            {"send(MSG_ZEROCOPY)", send_zero_copy, {0}, 0}};

enum { READ_WRITE, SENDFILE, SPLICE, ZEROCOPY, WAYS };

// ---- the scene -----------------------------------------------------------------------------

// The client: it throws everything away (MSG_TRUNC: without a copy).
static void *receive(void *unused)
{
    while (recv(from, NULL, 1 << 20, MSG_TRUNC) > 0)
        ;
    return unused;
}

static void connect_both(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = net_listen("127.0.0.1", 0, 1), on = 1;
    getsockname(listener, (struct sockaddr *)&address, &length);
    from = net_connect_or_die("127.0.0.1", ntohs(address.sin_port));
    to = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    if (to < 0)
        fail("accept()");
    setsockopt(to, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
}

static void make_file(void)
{
    file = memfd_create("file", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, FILE_BYTES) || pipe2(pipe_ends, O_CLOEXEC))
        fail("a file and a pipe");
    mapped = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        fail("mmap()");
    memset(mapped, 'x', FILE_BYTES);
}

static const struct claim avoids = {
    "2.13", "guide §8.1", "sendfile() avoids the copy through user space", HOLDS, NULL};

void scene_copies(void)
{
    pthread_t client;
    double most = 0;
    make_file();
    connect_both();
    if (pthread_create(&client, NULL, receive, NULL))
        fail("a thread");
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++) {
            int64_t before_ns = thread_cpu_ns();
            ways[way].send();
            double us = (double)(thread_cpu_ns() - before_ns) / 1e3;
            ways[way].us[round] = us / (FILE_BYTES >> 20);
        }
    shutdown(to, SHUT_WR);
    pthread_join(client, NULL);
    for (int way = 0; way < WAYS; way++) {
        ways[way].least = least_of(ways[way].us, ROUNDS);
        if (ways[way].least > most)
            most = ways[way].least;
    }
    story_say("A file of %d MB, %d KB at a time, into a socket. CPU time of the sender for a "
              "megabyte:\n",
              FILE_BYTES >> 20, PIECE_BYTES >> 10);
    for (int way = 0; way < WAYS; way++)
        story_bar(ways[way].name, ways[way].least, most, "%.0f us", ways[way].least);
    story_say("");
    story_say("MSG_ZEROCOPY: the kernel says of %ld of %ld sends that it has copied them after "
              "all.",
              copied, zero_copies);
    story_say("It does so wherever the receiver is on the same machine: its program may read");
    story_say("the bytes at any time later, when ours has changed them already.");
    claim_report(&avoids, holds_if(ways[SENDFILE].least < LESS * ways[READ_WRITE].least),
                 "%.0f us of CPU time a megabyte, where read() and write() take %.0f",
                 ways[SENDFILE].least, ways[READ_WRITE].least);
    close(to);
    close(from);
    close(file);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    munmap(mapped, FILE_BYTES);
}
