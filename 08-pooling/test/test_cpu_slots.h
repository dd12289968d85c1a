// test_cpu_slots.h: many queries at once: their answers' order, and the cores that they wait
// for.
#ifndef TEST_CPU_SLOTS_H
#define TEST_CPU_SLOTS_H

#include <poll.h>

#include "test_talk.h"

#define PIPELINED 2000

static void pipeline(const char *options)
{
    static struct bytes b;
    static const char *const queries[] = {"list users", "ping", "get user 7", "nonsense"};
    char end[16];
    pid_t pid;
    int port = serve(&pid, options), fd = log_in(port);
    b.length = 0;
    for (unsigned i = 0; i < PIPELINED; i++)
        put_frame(&b, 'Q', i, queries[i % 4], NULL);
    put_frame(&b, 'X', 0, NULL);
    send_bytes(fd, &b); // nothing is read meanwhile: more than the server can get rid of
    CHECK(exchange(port));
    for (unsigned i = 0; i < PIPELINED && test_failures < 5; i++) {
        snprintf(end, sizeof end, "%c%u ", "CCCE"[i % 4], i);
        CHECK_HAS(read_answer(fd), end);
        CHECK_INT(heard[0], "DCDE"[i % 4]); // rows, none, rows, an error
    }
    CHECK_INT(*read_answer(fd), 0);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(pipelined_queries_are_answered_in_order)
{
    pipeline("");
}

TEST(pipelined_queries_that_take_time_too)
{
    pipeline("--query-ms 1 --cores 1");
}

// A client that takes no answers gets no core, and delays no other client.
TEST(a_client_that_does_not_read_delays_no_other)
{
    static struct bytes b;
    pid_t pid;
    int port = serve(&pid, "--query-ms 1 --cores 1"), fd = log_in(port), good = log_in(port);
    b.length = 0;
    for (unsigned i = 0; i < 3000; i++)
        put_frame(&b, 'Q', i, "list users", NULL);
    net_set_nonblocking(fd);
    for (size_t sent = 0; sent < b.length;) { // until nothing more is taken
        ssize_t part = write(fd, b.at + sent, b.length - sent);
        if (part < 0)
            break;
        sent += (size_t)part;
    }
    for (int i = 0; i < 100; i++)
        CHECK_HAS(ask(good, "get user 1"), "C1 1\n");
    await_figure(good, "busy_cores", 0); // there is room for no more answers
    CHECK_INT(figure(good, "waiting"), 0);
    CHECK(figure(good, "queries") < 3000);
    reset(fd);
    await_figure(good, "sessions", 1);
    close(good);
    CHECK_INT(test_stop(pid), 0);
}

// ---- cores ---------------------------------------------------------------------------------

// One core, and six that want it: one works, five wait. Some clients that wait vanish, and then
// the one whose query runs.
TEST(a_client_that_vanishes_leaves_the_queue_and_the_core)
{
    static const int goes[] = {2, 5, 0, 1, 4}; // the third one has the core in between
    pid_t pid;
    int port = serve(&pid, "--cores 1 --query-ms 60000"), watcher = log_in(port), fds[6];
    for (int i = 0; i < 6; i++)
        fds[i] = log_in(port);
    for (int i = 0; i < 6; i++)
        say(fds[i], 'Q', 1, "get user 1");
    for (int i = 0; i < 5; i++) {
        CHECK_INT(figure(watcher, "busy_cores"), 1);
        CHECK_INT(figure(watcher, "waiting"), 5 - i);
        reset(fds[goes[i]]);
        await_figure(watcher, "sessions", 6 - i);
    }
    CHECK_INT(figure(watcher, "busy_cores"), 1);
    reset(fds[3]);
    await_figure(watcher, "sessions", 1);
    CHECK_INT(figure(watcher, "busy_cores"), 0);
    close(watcher);
    CHECK_INT(test_stop(pid), 0);
}

// The last client must not have an answer while an earlier client has none. poll() looks at the
// last client first, so an answer that comes meanwhile does no harm.
TEST(queries_wait_for_a_core_in_their_order)
{
    struct pollfd polls[20];
    pid_t pid;
    int port = serve(&pid, "--cores 2 --query-ms 10"), ready = 0;
    for (int i = 19; i >= 0; i--)
        polls[i] = (struct pollfd){log_in(port), POLLIN, 0};
    // The connection that epoll spoke of last keeps its place in the line of those that it will
    // speak of next (level-triggered, epoll(7)), so it must be none of these.
    CHECK(exchange(port));
    for (int i = 19; i >= 0; i--)
        say(polls[i].fd, 'Q', 1, "get user 1");
    while (ready < 20) {
        ready = poll(polls, 20, -1);
        for (int i = 0; i < 19 && ready; i++)
            if (polls[i].revents && !polls[i + 1].revents)
                FAIL("%d is answered before %d", i, i + 1);
        sleep_ms(1);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_HAS(read_answer(polls[i].fd), "C1 1\n");
        close(polls[i].fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

// The second of three queries begins while the third one waits, which makes it eleven times as
// long. It cannot be too fast.
TEST(queries_that_wait_cost_the_others_time)
{
    int fds[3];
    pid_t pid;
    int port = serve(&pid, "--cores 1 --query-ms 20 --contention 1000");
    for (int i = 0; i < 3; i++)
        fds[i] = log_in(port);
    int64_t began_ns = now_ns();
    kill(pid, SIGSTOP); // so that it sees them all at once
    for (int i = 0; i < 3; i++)
        say(fds[i], 'Q', 1, "get user 1");
    kill(pid, SIGCONT);
    for (int i = 0; i < 3; i++) {
        CHECK_HAS(read_answer(fds[i]), "C1 1\n");
        close(fds[i]);
    }
    CHECK(now_ns() - began_ns >= 260 * INT64_C(1000000));
    CHECK_INT(test_stop(pid), 0);
}

// What looks into no table needs no core: a pool can validate a connection while all
// cores are busy.
TEST(pings_and_sleepers_need_no_core)
{
    pid_t pid;
    int port = serve(&pid, "--cores 1 --query-ms 60000"), busy = log_in(port),
        fd = log_in(port);
    say(busy, 'Q', 1, "get user 1");
    CHECK_HAS(ask(fd, "slow 5"), "C1 0\n");
    CHECK_HAS(ask(fd, "ping"), "C1 0\n");
    CHECK_INT(figure(fd, "busy_cores"), 1);
    close(fd);
    reset(busy);
    CHECK_INT(test_stop(pid), 0);
}

#endif
