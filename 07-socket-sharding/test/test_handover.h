// test_handover.h: tests of a server that takes the place of another while clients come and go.
#ifndef TEST_HANDOVER_H
#define TEST_HANDOVER_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/un.h>

#include "test_servers.h"

#define CLIENTS 8
#define PAUSE_MS                                                                               \
    1 // between two requests of a client: leaves CPU time for the server that starts

// Clients that ask again and again.
static struct {
    int port;
    _Atomic bool over;
    _Atomic long answered, refused;
    _Atomic long lost; // connections without an answer
} load;

static inline void *ask_on(void *unused)
{
    char text[1000];
    (void)unused;
    while (!load.over) {
        int fd = say(load.port, GET("/"));
        if (fd < 0 && errno == ECONNREFUSED)
            load.refused++;
        else if (listen_to(fd, text, sizeof text) < 1 || !strstr(text, " pid "))
            load.lost++;
        else
            load.answered++;
        sleep_ms(PAUSE_MS);
    }
    return NULL;
}

// Starts a server on this port in the place of the one there; returns false if it does not run.
static inline bool replace(pid_t *pid, int port, const char *options)
{
    char command[300];
    snprintf(command, sizeof command, "./server --port %d --takeover %s", port, options);
    return test_start(pid, command) == port;
}

// Waits until a process has ended; returns its exit status, or 128 + the signal that ended it.
static inline int await_exit(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    return exit_status(status);
}

// Three successors, one after the other, under load.
static inline void expect_successions(const char *options, const char *how)
{
    char both[200];
    pthread_t clients[CLIENTS];
    pid_t pid, next;
    load.port = serve(&pid, "%s", options);
    load.answered = load.refused = load.lost = 0;
    load.over = false;
    snprintf(both, sizeof both, "%s %s", options, how);
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, ask_on, NULL);
    for (int i = 0; i < 3; i++, pid = next) {
        long before = load.answered;
        while (load.answered < before + 100)
            sleep_ms(1);
        CHECK(replace(&next, load.port, both));
        CHECK_INT(await_exit(pid), 0);
    }
    long before = load.answered;
    while (load.answered < before + 100)
        sleep_ms(1);
    load.over = true;
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    CHECK_INT(load.refused, 0);
    CHECK_INT(test_stop(pid), 0);
}

TEST(handed_over_without_a_loss)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        char options[200];
        snprintf(options, sizeof options, "--workers 3 %s", ways[i]);
        alarm(TEST_SECONDS); // this time is for each way
        expect_successions(options, "");
        CHECK_INT(load.lost, 0);
    }
}

// The new server has sockets of its own. The old one serves the clients in its queues, and then
// closes its sockets. A client that comes between the last accept() and that is reset: these
// are a few at most.
TEST(joined_and_drained)
{
    expect_successions("--workers 3 --mode sharded --wait epoll", "--join");
    CHECK(load.lost * 20 <= load.answered);
    expect_successions("--workers 3 --mode sharded --wait accept --as threads", "--join");
    CHECK(load.lost * 20 <= load.answered);
}

// What waits in the old server's queues goes along with the sockets.
TEST(a_queue_is_handed_over)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        alarm(TEST_SECONDS);
        int fds[30], old_pid;
        char options[200];
        pid_t pid, next;
        int port = serve(&pid, "--workers 1 --stuck 1 %s", ways[i]);
        for (int j = 0; j < 30; j++)
            fds[j] = say(port, GET("/"));
        CHECK_INT(await_queue(port, 30), 30);
        snprintf(options, sizeof options, "--workers 1 --backlog 7 %s", ways[i]);
        CHECK(replace(&next, port, options));
        for (int j = 0; j < 30; j++)
            CHECK_HAS(last_words(fds[j]), "\r\n\r\nworker 1 ");
        CHECK_INT(await_exit(pid), 0);
        CHECK_INT(ask(port, &old_pid), 1);
        CHECK(old_pid != pid);
        struct seen sum = sum_of(port);
        CHECK_INT(sum.backlog, 7);
        CHECK_INT(sum.answered, 31); // the supervisor's socket has gone along as well
        CHECK_INT(test_stop(next), 0);
    }
}

// From any way to wait to any other, from processes to threads and back.
TEST(successors_may_wait_in_another_way)
{
    for (size_t i = 0; i < 6; i += 2)
        for (size_t j = 1; j < 6; j++) {
            pid_t pid, next;
            int port = serve(&pid, "--workers 2 %s", ways[i]);
            CHECK(exchange(port));
            CHECK(replace(&next, port, ways[j]));
            CHECK_INT(await_exit(pid), 0);
            for (int k = 0; k < 5; k++)
                CHECK(exchange(port));
            struct seen sum = sum_asleep(port);
            CHECK_INT(sum.wakeups - sum.vain, 5); // it really sleeps in its own way
            CHECK_INT(test_stop(next), 0);
        }
}

// Reports to the server as a successor does, and gets its sockets (but has no room for them).
static inline int report_to(int port)
{
    char kind;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1,
                          "workbench-sharding-127.0.0.1:%d", port);
    length += (int)offsetof(struct sockaddr_un, sun_path) + 1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, (socklen_t)length) == 0);
    CHECK_INT(recv(fd, &kind, 1, 0), 1);
    return fd;
}

// A successor that never says how to end.
static struct {
    int fd;
    bool gone; // the server has closed its connection within 300 ms
} mute;

static inline void *stay_a_while(void *unused)
{
    struct pollfd pushed = {mute.fd, POLLIN, 0};
    (void)unused;
    mute.gone = poll(&pushed, 1, 300) != 0;
    close(mute.fd);
    return NULL;
}

// While one successor has not said how to end, the next one waits.
TEST(one_successor_at_a_time)
{
    pid_t pid, next;
    pthread_t thread;
    int port = serve(&pid, "--workers 2 --mode sharded");
    mute.fd = report_to(port);
    CHECK(pthread_create(&thread, NULL, stay_a_while, NULL) == 0);
    CHECK(replace(&next, port, "--workers 2 --mode sharded"));
    pthread_join(thread, NULL);
    CHECK(!mute.gone);
    CHECK_INT(await_exit(pid), 0);
    CHECK(exchange(port));
    CHECK_INT(test_stop(next), 0);
}

// SIGTERM does not take the sockets away from a successor that has them already.
TEST(a_successor_has_the_last_word)
{
    pid_t pid;
    int port = serve(&pid, "--workers 2 --mode sharded"), fd = report_to(port);
    struct pollfd closed = {fd, POLLIN, 0};
    kill(pid, SIGTERM);
    CHECK_INT(poll(&closed, 1, 200), 0);
    CHECK(exchange(port));
    CHECK_INT(send(fd, "h", 1, MSG_NOSIGNAL), 1);
    CHECK_INT(await_exit(pid), 0);
    close(fd);
}

TEST(no_takeover_and_all_goes_on)
{
    char command[200];
    pid_t pid;
    CHECK_INT(test_run("./server --port 1 --takeover"), 1);
    CHECK_HAS(test_output, "there is no server on 127.0.0.1:1 to take over");
    int port = serve(&pid, "--mode sharded --workers 2");
    snprintf(command, sizeof command, "./server --port %d --takeover --workers 3", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "take over with --mode sharded and as many --workers");
    snprintf(command, sizeof command, "./server --port %d --takeover --mode shared", port);
    CHECK_INT(test_run(command), 1);
    if (test_run("setpriv --reuid 65534 --clear-groups true") == 0) { // we are root
        snprintf(
            command, sizeof command,
            "setpriv --reuid 65534 --clear-groups ./server --port %d --workers 2 --takeover",
            port);
        CHECK_INT(test_run(command), 1);
        CHECK_HAS(test_output, "does not hand over its sockets");
        snprintf(command, sizeof command,
                 "setpriv --reuid 65534 --clear-groups ./server --port %d --join", port);
        CHECK_INT(test_run(command), 1); // a port is shared among one user's sockets only
        CHECK_HAS(test_output, "Address already in use");
    }
    for (int i = 0; i < 10; i++)
        CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_port_may_be_joined_or_not)
{
    char command[200];
    pid_t pid, guest;
    int of_guest = 0, worker_pid;
    int port = serve(&pid, "--mode sharded --workers 1 --as threads");
    snprintf(command, sizeof command, "./server --mode sharded --port %d", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "Address already in use");
    snprintf(command, sizeof command, "./server --port %d --join --workers 1 --as threads",
             port);
    CHECK_INT(test_start(&guest, command), port);
    for (int i = 0; i < 100; i++)
        of_guest += ask(port, &worker_pid) == 1 && worker_pid == guest;
    CHECK_BETWEEN(of_guest, 11, 89);
    CHECK_INT(test_stop(guest), 0);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);

    port = serve(&pid, "--mode shared");
    snprintf(command, sizeof command, "./server --port %d --join", port);
    CHECK_INT(test_run(command), 1); // the first one has not allowed it
    CHECK_INT(test_stop(pid), 0);
}

#endif
