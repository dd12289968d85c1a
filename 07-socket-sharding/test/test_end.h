// test_end.h: tests of how a server and its workers end: in order, or not.
#ifndef TEST_END_H
#define TEST_END_H

#include <poll.h>
#include <sys/resource.h>

#include "test_servers.h"

// All clients that are connected get their answer, also those that wait in a queue.
TEST(a_stop_drains_the_queues)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        alarm(TEST_SECONDS);
        int fds[50];
        pid_t pid;
        int port = serve(&pid, "--workers 1 --stuck 1 %s", ways[i]);
        for (int j = 0; j < 50; j++)
            fds[j] = say(port, GET("/"));
        CHECK_INT(await_queue(port, 50), 50);
        kill(pid, SIGTERM);
        for (int j = 0; j < 50; j++)
            CHECK_HAS(last_words(fds[j]), "\r\n\r\nworker 1 ");
        CHECK_INT(test_stop(pid), 0);
        CHECK(net_connect("127.0.0.1", port) < 0);
    }
}

TEST(a_kill_does_not)
{
    struct seen seen[WORKERS_MAX];
    int fds[20], workers, pids[3];
    pid_t pid;
    int port = serve(&pid, "--workers 3 --stuck 2 --as processes --mode sharded");
    CHECK_INT(workers = stats(port, seen), 3);
    for (int i = 0; i < workers; i++)
        pids[i] = seen[i].pid;
    for (int i = 0; i < 20; i++)
        fds[i] = say(port, GET("/"));
    unsigned queue = await_all_behind(port, 2, 20);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int i = 0; i < workers; i++)
        CHECK(has_gone(pids[i]));
    int lost = 0;
    for (int i = 0; i < 20; i++)
        lost += listen_to(fds[i], answer, sizeof answer) < 0 && errno == ECONNRESET;
    CHECK_INT(lost, queue);
}

// Slow clients get some time, but not for ever. After a second signal the server ends at once.
TEST(a_stop_does_not_wait_for_ever)
{
    for (int again = 0; again < 2; again++) {
        pid_t pid;
        int port = serve(&pid, "--workers 1"), status;
        int fd = say(port, "GET / HTTP/1.1\r\n");
        while (sum_of(port).accepted < 1)
            sleep_ms(5);
        int64_t start = now_ns();
        kill(pid, SIGTERM);
        while (waitpid(pid, &status, WNOHANG) == 0) {
            sleep_ms(20);
            if (again)
                kill(pid, SIGTERM);
        }
        CHECK_INT(status, 0);
        CHECK((now_ns() - start < INT64_C(2900000000)) == again);
        close(fd);
    }
}

// The client that stops in the middle of its request is given up earlier by a server that is to
// end: not after the time for a request (of which the other server's client shows how long it
// is), but after that for an end. Returns the second, in shares of the first.
static double share_of_a_requests_time(void)
{
    pid_t pid, other_pid;
    int port = serve(&pid, "--workers 1"), other_port = serve(&other_pid, "--workers 1");
    int64_t start_ns = now_ns(), ended_ns = 0;
    struct pollfd other = {say(other_port, "GET / HTTP/1.1\r\n"), POLLIN, 0};
    int fd = say(port, "GET / HTTP/1.1\r\n");
    while (sum_of(port).accepted < 1)
        sleep_ms(5);
    kill(pid, SIGTERM);
    while (poll(&other, 1, 10) == 0)
        if (!ended_ns && waitpid(pid, NULL, WNOHANG) == pid)
            ended_ns = now_ns();
    double share = (double)(ended_ns - start_ns) / (double)(now_ns() - start_ns);
    CHECK_HAS(last_words(other.fd), "HTTP/1.1 408 ");
    if (!ended_ns) {
        waitpid(pid, NULL, 0);
        share = 1;
    }
    CHECK_INT(test_stop(other_pid), 0);
    close(fd);
    return share;
}

TEST(an_end_comes_before_the_end_of_a_requests_time)
{
    double share = 1; // 3 of 5 seconds; more of them on a machine that stands still meanwhile
    for (int tries = 0; tries < 3 && share > 0.8; tries++)
        share = share_of_a_requests_time();
    CHECK_AT_MOST(share, 0.8);
}

TEST(a_crashed_worker_is_replaced)
{
    struct seen seen[WORKERS_MAX];
    pid_t pid;
    int port = serve(&pid, "--workers 2 --as processes --mode sharded"), fds[20];
    CHECK_INT(stats(port, seen), 2);
    int victim = seen[0].pid;
    kill(victim, SIGKILL);
    CHECK(has_gone(victim));
    for (int i = 0; i < 20; i++) // its shard is still there, and keeps them
        fds[i] = say(port, GET("/"));
    for (int i = 0; i < 20; i++)
        CHECK_HAS(last_words(fds[i]), "\r\n\r\nworker ");
    CHECK_INT(stats(port, seen), 2);
    CHECK_AT_LEAST(seen[0].pid, 1);
    CHECK(seen[0].pid != victim);
    CHECK_AT_LEAST(seen[0].accepted, 1);
    CHECK_INT(test_stop(pid), 0);
}

// Every worker runs out of descriptors; none spins meanwhile, and all come back.
TEST(out_of_descriptors_in_every_way)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        alarm(TEST_SECONDS);
        struct seen seen[WORKERS_MAX];
        char command[200];
        int fds[100], workers;
        pid_t pid;
        if (strstr(ways[i], "accept"))
            continue; // it has one connection at a time
        snprintf(command, sizeof command,
                 "sh -c 'ulimit -n 24; exec ./server --port 0 --workers 2 %s'", ways[i]);
        int port = test_start(&pid, command);
        CHECK_INT(workers = stats(port, seen), 2);
        for (int j = 0; j < 100; j++)
            fds[j] = net_connect("127.0.0.1", port);
        sleep_ms(200);
        long before = 0, after = 0;
        for (int j = 0; j < workers; j++)
            before += cpu_ticks(seen[j].pid);
        sleep_ms(500);
        for (int j = 0; j < workers; j++)
            after += cpu_ticks(seen[j].pid);
        CHECK(after - before < sysconf(_SC_CLK_TCK) / 4);
        for (int j = 0; j < 100; j++)
            close(fds[j]);
        for (int j = 0; j < 10; j++)
            CHECK(exchange(port));
        CHECK_INT(test_stop(pid), 0);
    }
}

#endif
