// test_disk.h: /write: records that have to reach the disk, clients that do not wait for them,
// and disks that do not take them.
#ifndef TEST_DISK_H
#define TEST_DISK_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "measure.h"
#include "test_limits.h"

// Runs a check against all models, and against those that can have a disk thread.
static void each_disk(const char *options, void (*check)(int port, pid_t pid))
{
    char with[100];
    each(all_models(), options, check);
    snprintf(with, sizeof with, "%s --disk-thread", options);
    each(named("loop") | named("readers"), with, check);
}

static void check_records(int port, pid_t pid)
{
    (void)pid;
    static char requests[10000];
    *requests = '\0';
    for (int i = 0; i < 40; i++)
        strcat(requests, i % 2 ? GET("/write?kb=3") : GET("/nothing"));
    strcat(requests, GET_LAST("/write"));
    const char *at = last_words(say(port, requests));
    for (int i = 0; i < 41; i++) {
        const char *expected = i % 2 || i == 40 ? "written\n" : "Not Found\n";
        at = strstr(at, "\r\n\r\n");
        if (!at || strncmp(at + 4, expected, strlen(expected))) {
            FAIL("answer %d is not %s", i, expected);
            return;
        }
        at += 4;
    }
    CHECK_HAS(get(port, "/write?kb=1024"), "\r\n\r\nwritten\n");
}

TEST(records_are_written_in_order)
{
    each_disk("--workers 2", check_records);
}

static void check_refusing_disk(int port, pid_t pid)
{
    (void)pid;
    int fd = say(port, GET("/write") GET("/cheap"));
    CHECK(read_until(fd, "cheap\n"));
    CHECK_HAS(answers, "HTTP/1.1 500 Internal Server Error\r\n");
    CHECK_HAS(answers, "\r\n\r\nthe disk does not take it\n");
    close(fd);
}

TEST(a_folder_that_is_not_there)
{
    each_disk("--workers 2 --disk /nowhere", check_refusing_disk);
}

// Not for uring: there the kernel syncs without a system call.
TEST(a_disk_that_fails_is_not_passed_over)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    each(all_models() & ~named("uring"), "--workers 2", check_refusing_disk);
    each(named("loop") | named("readers"), "--disk-thread", check_refusing_disk);
}

// A reset while the disk has the client's record.
static void check_gone_writers(int port, pid_t pid)
{
    (void)pid;
    struct linger reset = {1, 0};
    int fds[10];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 10; i++)
            fds[i] = say(port, i % 2 ? GET("/write?kb=512") : GET("/write") GET("/cheap"));
        sleep_ms(round * 3); // some are being written by then
        for (int i = 0; i < 10; i++) {
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fds[i]);
        }
    }
    CHECK_HAS(get(port, "/write"), "\r\n\r\nwritten\n");
    while (figure(port, "open") != 1) // they are all forgotten
        ;
}

TEST(a_reset_while_the_disk_has_the_record)
{
    each_disk("--workers 2", check_gone_writers);
}

#define NOTHINGS 100 // requests before each /write

// A client that reads late: the answers wait for the client, and between them some for the
// disk.
static void check_late_writer(int port, pid_t pid)
{
    (void)pid;
    static char requests[NOTHINGS * 60 + 100];
    int fd = say(port, ""), small = 100000;
    *requests = '\0';
    for (int i = 0; i < NOTHINGS; i++)
        strcat(requests, GET("/nothing"));
    strcat(requests, GET("/write"));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    int count = send_much(fd, requests, MUCH / NOTHINGS);
    if (count <= 1000 / NOTHINGS || count >= MUCH / NOTHINGS)
        FAIL("%d requests were taken", count * NOTHINGS);
    last_words(fd);
    CHECK_INT(count_in(answers, "\r\n\r\nwritten\n"), count);
    CHECK_AT_LEAST(count_in(answers, "HTTP/1.1 404 "), count * NOTHINGS);
}

TEST(a_late_reader_with_records)
{
    each_disk("--workers 2", check_late_writer);
}

// A record that is being written when the server is told to stop is written, and answered,
// unless the disk takes longer than a server waits then.
static void expect_written(const char *model)
{
    pid_t pid;
    int status, port = serve(&pid, model, each_options);
    int fd = say(port, GET("/cheap") GET("/write?kb=256"));
    CHECK(read_until(fd, "cheap\n"));
    int64_t told_ns = now_ns();
    kill(pid, SIGTERM);
    last_words(fd);
    if (ms_since(told_ns) < STOP_MS) // a disk that takes longer may lose its answer
        CHECK_HAS(answers, "\r\n\r\nwritten\n");
    await_refusal(port);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_nobody();
}

TEST(a_stop_while_the_disk_has_the_record)
{
    each_options = "--workers 2";
    for_models(all_models(), expect_written);
    each_options = "--disk-thread";
    for_models(named("loop") | named("readers"), expect_written);
}

#endif
