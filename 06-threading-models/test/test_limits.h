// test_limits.h: tests with clients that are slow, silent, gone, or too many.
#ifndef TEST_LIMITS_H
#define TEST_LIMITS_H

#include <dirent.h>
#include <sched.h>

#include "test_talk.h"

// ---- slow, silent, gone --------------------------------------------------------------------

#define TRICKLE_MS 20

// A byte now and then does not move the limit of a head.
static void check_patience(int port, pid_t pid)
{
    (void)pid;
    CHECK_HAS(last_words(say(port, "GET /cheap HT")), "HTTP/1.1 408 Request Timeout\r\n");
    CHECK_HAS(answers, "\r\nConnection: close\r\n");
    CHECK(!*last_words(say(port, ""))); // a silent client gets no answer
    CHECK_INT(count_in(last_words(say(port, GET("/cheap"))), "HTTP/1.1 "), 1);
    CHECK_INT(count_in(last_words(say(port, GET("/io?ms=400"))), "waited\n"), 1);
    int fd = say(port, "GET /cheap HTTP/1.1\r\nX: ");
    struct pollfd answered = {fd, POLLIN, 0};
    while (poll(&answered, 1, TRICKLE_MS) == 0)
        CHECK(write_all(fd, "x", 1));
    CHECK_HAS(last_words(fd), "HTTP/1.1 408 ");
}

// Empty lines before a request are not a part of one: a client that sends only these is idle,
// and is closed without an answer (RFC 9112 §2.2).
static void check_empty_lines(int port, pid_t pid)
{
    (void)pid;
    CHECK(!*last_words(say(port, "\r\n")));
    CHECK_INT(count_in(last_words(say(port, GET("/cheap") "\r\n")), "HTTP/1.1 "), 1);
}

TEST(empty_lines_are_no_request)
{
    each(all_models(), "--head-ms 200 --idle-ms 300", check_empty_lines);
}

TEST(slow_clients_are_not_waited_for)
{
    each(all_models(), "--head-ms 200 --idle-ms 300", check_patience);
}

static void check_slow(int port, pid_t pid)
{
    (void)pid;
    int half = say(port, "GET /cheap HTTP/1.1\r\nHo"), silent = say(port, "");
    int waiting = say(port, GET("/io?ms=4000")); // no worker of the loops is held up by it
    for (int i = 0; i < 5; i++)
        CHECK(is_cheap(get(port, "/cheap")));
    struct pollfd answered = {waiting, POLLIN, 0};
    CHECK_INT(poll(&answered, 1, 0), 0); // it still waits: the others were not behind it
    CHECK(write_all(half, "st: h\r\nConnection: close\r\n\r\n", 29));
    CHECK(is_cheap(last_words(half)));
    CHECK(read_until(waiting, "waited\n"));
    close(silent);
    close(waiting);
}

// Not single: there the second client waits for the first, whatever that does.
TEST(slow_clients_disturb_nobody)
{
    each(named("loop"), "", check_slow);
    each(named("readers"), "--workers 1", check_slow);
    each(all_models() & ~serving_one() & ~named("readers"), "--workers 4", check_slow);
}

static void check_one_at_a_time(int port, pid_t pid)
{
    (void)pid;
    int first = say(port, ""), second = say(port, GET_LAST("/cheap"));
    struct pollfd answered = {second, POLLIN, 0};
    CHECK(ask_cheap(first));
    CHECK(ask_cheap(first));
    CHECK_INT(poll(&answered, 1, 100), 0);
    close(first);
    CHECK(is_cheap(last_words(second)));
}

TEST(single_serves_one_client_at_a_time)
{
    each(serving_one(), "", check_one_at_a_time);
    each(named("prefork"), "--workers 1", check_one_at_a_time);
}

#define MUCH    200000
#define ROOM_MS 1000 // if there is no room for so long, the server has stopped reading

// Sends as much as there is room for, and only then begins to read. Returns how many requests.
static int send_much(int fd, const char *request, int count)
{
    size_t length = strlen(request), all = length * (size_t)count, sent = 0;
    struct pollfd room = {fd, POLLOUT, 0};
    char *text = malloc(all);
    for (int i = 0; i < count && text; i++)
        memcpy(text + (size_t)i * length, request, length);
    while (sent < all && poll(&room, 1, ROOM_MS) == 1) {
        ssize_t put = send(fd, text + sent, all - sent, MSG_DONTWAIT);
        if (put <= 0)
            break;
        sent += (size_t)put;
    }
    free(text);
    shutdown(fd, SHUT_WR);
    return (int)(sent / length);
}

static void read_late(int port, bool alone)
{
    int fd = say(port, ""), small = 100000; // not less: a packet of loopback holds 65 kB
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small,
               sizeof small); // the kernel is not to take all
    int count = send_much(fd, GET("/nothing"), MUCH);
    CHECK(alone || is_cheap(get(port, "/cheap"))); // the others do not wait for it
    if (count <= 1000 || count >= MUCH)            // the server had to stop reading
        FAIL("%d requests were taken", count);
    CHECK_INT(count_in(last_words(fd), "HTTP/1.1 404 "), count);
}

static void check_late_reader(int port, pid_t pid)
{
    (void)pid;
    read_late(port, false);
}

static void check_late_reader_alone(int port, pid_t pid)
{
    (void)pid;
    read_late(port, true);
}

TEST(a_late_reader_gets_everything)
{
    each(serving_one(), "", check_late_reader_alone);
    each(all_models() & ~serving_one(), "--workers 2", check_late_reader);
}

// Clients that vanish before, in the middle of, and behind a request, most with a reset.
static void check_vanishing(int port, pid_t pid)
{
    (void)pid;
    static const char *const texts[] = {"", "GET /cheap HTTP/1.1\r\nHo", GET("/io?ms=20"),
                                        GET("/cheap") GET("/cheap") GET("/io?ms=5") "GET"};
    struct linger reset = {1, 0};
    for (int i = 0; i < 80; i++) {
        int fd = say(port, texts[i % 4]);
        if (i % 5)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    CHECK(is_cheap(get(port, "/cheap")));
    while (figure(port, "open") != 1) // they are all forgotten
        ;
}

TEST(clients_may_vanish)
{
    each(all_models(), "--workers 2", check_vanishing);
}

// A reset while a worker has the request: the worker finishes, the connection is forgotten, and
// the next client finds a server that is as before.
static void check_reset_under_way(int port, pid_t pid)
{
    (void)pid;
    struct linger reset = {1, 0};
    int fds[10];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10; i++)
            fds[i] = say(port, i % 2 ? GET("/io?ms=100") : GET("/io?ms=100") GET("/cheap"));
        sleep_ms(round * 20); // some have a worker by then, some are in the queue
        for (int i = 0; i < 10; i++) {
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fds[i]);
        }
    }
    CHECK(is_cheap(get(port, "/cheap")));
    while (figure(port, "open") != 1) // they are all forgotten
        ;
}

TEST(a_reset_while_a_worker_has_the_request)
{
    each(named("pool") | named("loop") | named("readers"), "--workers 2",
         check_reset_under_way);
}

// More requests than there may be connections, and all their clients have gone. Each request
// keeps its place until a worker has finished it. None is lost: else the server would wait for
// it when it stops (STOP_MS).
TEST(requests_of_clients_that_have_gone)
{
    struct linger reset = {1, 0};
    pid_t pid;
    int port = test_start(&pid, "./server --model pool --workers 1 --connections 1 "
                                "--queue 65536 --port 0");
    CHECK(port > 0);
    int64_t until_ns = now_ns() + 2 * INT64_C(1000000000);
    for (int i = 0; i < 5000 && now_ns() < until_ns; i++) {
        int fd = say(port, i ? GET("/cheap") : GET("/io?ms=4000"));
        sleep_ms(i ? 0.8 : 20); // the server has read it
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        sleep_ms(0.3);
    }
    int64_t start_ns = now_ns();
    CHECK_INT(test_stop(pid), 0);
    CHECK(now_ns() - start_ns < 4500 * INT64_C(1000000));
}

// How many mappings of this process are as large as a stack of so many KB, with a page or two
// around it.
static int count_stacks(pid_t pid, unsigned long kb)
{
    char path[40], line[400];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    CHECK(maps != NULL);
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx rw", &from, &to) == 2)
            count += (to - from) / 1024 >= kb && (to - from) / 1024 < kb + 64;
    }
    if (maps)
        fclose(maps);
    return count;
}

// --stack: each thread has a stack of that size, and not the one of ulimit -s.
TEST(a_threads_stack_is_as_large_as_asked)
{
    pid_t pid;
    int fds[4];
    if (SANITIZED) // it chooses the sizes itself
        return;
    int port = serve(&pid, "thread", "--stack 700");
    CHECK_INT(count_stacks(pid, 700), 0);
    for (int i = 0; i < 4; i++)
        CHECK_AT_LEAST(fds[i] = say(port, GET("/cheap")), 0);
    for (int i = 0; i < 4; i++)
        CHECK(recv(fds[i], answers, sizeof answers, 0) > 0); // the connection stays open
    CHECK_AT_LEAST(count_stacks(pid, 700), 3);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    CHECK_INT(test_stop(pid), 0);
}

// ---- all cores -----------------------------------------------------------------------------

// How many threads of a process there are, and how many of them may not run on all the cores
// that this program may use.
static void count_threads(int pid, int *threads, int *pinned)
{
    char path[40];
    cpu_set_t mine, its;
    sched_getaffinity(0, sizeof mine, &mine);
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (*entry->d_name != '.' &&
            !sched_getaffinity(atoi(entry->d_name), sizeof its, &its)) {
            *threads += 1;
            *pinned += !CPU_EQUAL(&its, &mine);
        }
    if (folder)
        closedir(folder);
}

static void check_affinity(int port, pid_t pid)
{
    char path[40];
    int threads = 0, pinned = 0, fds[3], child;
    for (int i = 0; i < 3; i++)
        CHECK(ask_cheap(fds[i] = say(port, "")));
    count_threads(pid, &threads, &pinned);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *children = fopen(path, "re"); // of the models with processes
    while (children && fscanf(children, "%d", &child) == 1)
        count_threads(child, &threads, &pinned);
    if (children)
        fclose(children);
    CHECK_AT_LEAST(threads, 1);
    CHECK_INT(pinned, 0);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

TEST(no_worker_is_pinned_to_a_core)
{
    each(all_models() & ~named("single"), "--workers 3", check_affinity);
}

// With --look a worker computes no longer when its client has closed, or half of its
// connection. (In pool it is the loop that looks, and the loop sees a reset only: scene
// hang_up.)
static void check_look(int port, pid_t pid)
{
    (void)pid;
    CHECK_HAS(get(port, "/cpu?ms=20"), "\r\n\r\nburnt\n"); // this client stays
    int fd = say(port, GET("/cpu?ms=9000"));
    shutdown(fd, SHUT_WR);
    CHECK_HAS(last_words(fd), "HTTP/1.1 500 ");
    CHECK_HAS(answers, "\r\n\r\ngiven up: ");
}

TEST(a_worker_may_look_for_its_client)
{
    each(all_models() & ~named("pool"), "--workers 2 --look", check_look);
}

// ---- too many ------------------------------------------------------------------------------

static void check_limit(int port, pid_t pid)
{
    (void)pid;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = say(port, "");
        CHECK(ask_cheap(fds[i]));
    }
    for (int i = 0; i < 100; i++) { // at once, before it asks, and with the reason
        CHECK_HAS(last_words(say(port, i % 2 ? GET("/cheap") : "")),
                  "HTTP/1.1 503 Service Unavailable\r\n");
        CHECK_HAS(answers, "\r\nConnection: close\r\n");
        CHECK_HAS(answers, "\r\nRetry-After: 1\r\n");
        CHECK_HAS(answers, "\r\n\r\nbusy\n");
    }
    for (int i = 0; i < 3; i++) // the others have not noticed
        CHECK(ask_cheap(fds[i]));
    close(fds[1]);
    while (!is_cheap(get(port, "/cheap"))) // as soon as the server has
        ;
    close(fds[0]);
    while (figure(port, "refused") < 100)
        ;
    close(fds[2]);
}

TEST(too_many_connections_are_told_so)
{
    each(serving_all(), "--connections 3", check_limit);
}

static void check_waiting_line(int port, pid_t pid)
{
    (void)pid;
    int first = say(port, ""), second = say(port, "");
    CHECK(ask_cheap(first));
    CHECK(ask_cheap(second));
    int third = say(port, GET_LAST("/cheap"));
    struct pollfd answered = {third, POLLIN, 0};
    CHECK_INT(poll(&answered, 1, 100), 0);
    close(first);
    CHECK(is_cheap(last_words(third)));
    close(second);
}

// In prefork no worker is free to say 503: one client too many waits in the kernel's queue.
TEST(prefork_lets_the_next_one_wait)
{
    each(named("prefork"), "--workers 2", check_waiting_line);
}

#define ASKING 6

// One worker, one place in the queue, and six requests within the two seconds that the first
// one takes. One or two are served (one, if the second came before the worker had taken the
// first). The others get a 503 before the first has its answer, and their connections stay
// open.
static void check_full_queue(int port, pid_t pid)
{
    (void)pid;
    struct pollfd asking[ASKING];
    int busy = 0, refused = -1;
    for (int i = 0; i < ASKING; i++)
        asking[i] = (struct pollfd){say(port, GET("/io?ms=2000")), POLLIN, 0};
    while (poll(asking, ASKING, -1) > 0 && !asking[0].revents)
        for (int i = 1; i < ASKING; i++) {
            if (!asking[i].revents)
                continue;
            CHECK(read_until(asking[i].fd, "busy\n"));
            CHECK_HAS(answers, "HTTP/1.1 503 Service Unavailable\r\n");
            CHECK_HAS(answers, "\r\nRetry-After: 1\r\n\r\n");
            refused = asking[i].fd;
            asking[i].fd = -1; // poll() ignores a -1
            busy++;
        }
    CHECK(busy >= ASKING - 2);
    for (int i = 0; i < ASKING; i++)
        CHECK(asking[i].fd < 0 || read_until(asking[i].fd, "waited\n"));
    CHECK(ask_cheap(refused)); // a client that was refused asks again
}

TEST(a_full_queue_is_said_at_once)
{
    each(named("pool"), "--workers 1 --queue 1", check_full_queue);
}

// ---- out of descriptors --------------------------------------------------------------------

#define CROWD_60 60

static void expect_no_spinning(pid_t pid)
{
    long used = 0, most = sysconf(_SC_CLK_TCK) / 8;
    for (int i = 0; i < 10; i++) { // at first it may still start processes and threads
        long before = cpu_ticks(pid);
        sleep_ms(500);
        used = cpu_ticks(pid) - before;
        if (used < most)
            return;
    }
    FAIL("%ld ticks of CPU time in half a second, with nothing to do", used);
}

static void check_descriptors(int port, pid_t pid)
{
    int fds[CROWD_60], first = say(port, "");
    CHECK(ask_cheap(first));
    for (int i = 0; i < CROWD_60; i++)
        fds[i] = say(port, "");
    CHECK(ask_cheap(first)); // the connections that are open are served
    expect_no_spinning(pid);
    CHECK(ask_cheap(first));
    close(first);
    for (int i = 0; i < CROWD_60; i++)
        close(fds[i]);
    CHECK(is_cheap(get(port, "/cheap")));
}

TEST(out_of_descriptors)
{
    file_limit = 32;
    each(all_models(), "--workers 2", check_descriptors);
}

#endif
