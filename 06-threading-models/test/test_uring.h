// test_uring.h: what only model uring can meet: more completions than its ring has room for, no
// free piece of memory, and a machine that refuses io_uring.
#ifndef TEST_URING_H
#define TEST_URING_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "measure.h"
#include "test_talk.h"

#define CROWD_1500 1500 // more than RING_COMPLETIONS, and than RING_PIECES

// All clients ask while the server sleeps: so all completions come at once.
static void check_crowd(int port, pid_t pid)
{
    static int fds[CROWD_1500];
    static const char request[] = GET("/cheap");
    for (int i = 0; i < CROWD_1500; i++)
        fds[i] = say(port, "");
    CHECK(ask_cheap(fds[CROWD_1500 - 1])); // by now the others are accepted, too
    for (int round = 0; round < 3; round++) {
        CHECK_INT(kill(pid, SIGSTOP), 0);
        int asked = 0, answered = 0;
        for (int i = 0; i < CROWD_1500; i++)
            asked += write_all(fds[i], request, sizeof request - 1);
        CHECK_INT(asked, CROWD_1500);
        CHECK_INT(kill(pid, SIGCONT), 0);
        for (int i = 0; i < CROWD_1500; i++)
            answered += read_until(fds[i], "cheap\n");
        CHECK_INT(answered, CROWD_1500);
    }
    for (int i = 0; i < CROWD_1500; i++)
        close(fds[i]);
    while (figure(port, "open") > 1)
        sleep_ms(10);
    CHECK_AT_LEAST(figure(port, "requests"), CROWD_1500 * 3);
}

TEST(a_crowd_that_asks_at_once)
{
    if (model_left_out())
        SKIP(model_left_out());
    file_limit = CROWD_1500 + 200;
    if (raise_file_limit(2 * file_limit) < file_limit)
        SKIP("ulimit -Hn allows fewer descriptors than the crowd needs");
    each(named("uring") | named("loop") | named("readers"), "--idle-ms 60000", check_crowd);
}

// As a container does it: io_uring_setup() fails.
static void refuse_io_uring(void)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(where_io_uring_is_refused_the_model_is_left_out)
{
    refuse_io_uring();
    CHECK_INT(test_run("./server --list-models"), 0);
    CHECK(!strstr(test_output, "uring"));
    CHECK_HAS(test_output, "loop ");
    CHECK_INT(test_run("./server --model uring"), 2);
    CHECK_HAS(test_output, "uring    this machine refuses io_uring (Operation not permitted)");
    CHECK_INT(test_run("./server --model nonsense"), 2);
}

#endif
