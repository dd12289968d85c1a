// test.c: the server's ways, what it answers to what, how it ends, and how it is replaced.
#define SUMMARY         "workers 1, connections 4, requests 3, wake-ups "
#define SUMMARY_OPTIONS "--workers 1"
#include "contract.h"
#include "test_server.h"
#include "test_end.h"
#include "test_handover.h"
#include "test_servers.h"

// ---- which worker gets a connection --------------------------------------------------------

TEST(every_way_serves_and_counts)
{
    struct seen seen[WORKERS_MAX];
    for (size_t i = 0; i < COUNT(ways); i++) {
        alarm(TEST_SECONDS);
        int fds[30];
        pid_t pid;
        int port = serve(&pid, "--workers 3 %s", ways[i]);
        for (int j = 0; j < 30; j++)
            CHECK(exchange(port));
        for (int j = 0; j < 30; j++)
            fds[j] = say(port, GET("/"));
        for (int j = 0; j < 30; j++)
            CHECK_HAS(last_words(fds[j]), "\r\n\r\nworker ");
        CHECK_INT(stats(port, seen), 3);
        struct seen sum = sum_asleep(port);
        CHECK_INT(sum.accepted, 60);
        CHECK_INT(sum.answered, 60);
        CHECK_INT(sum.wakeups - sum.vain, 60); // one connection for each wake-up
        CHECK_INT(sum.queue, 0);
        for (int j = 0; j < 3; j++) {
            CHECK_INT(seen[j].number, j + 1);
            CHECK_INT(kill(seen[j].pid, 0), 0);
            CHECK_INT(seen[j].backlog, seen[0].backlog);
            CHECK((seen[j].pid == pid) == (strstr(ways[i], "threads") != NULL));
        }
        CHECK_INT(test_stop(pid), 0);
        for (int j = 0; j < 3; j++)
            CHECK(has_gone(seen[j].pid));
    }
}

// Makes 80 connections to four workers, each when all workers sleep. Writes to order[] the
// worker that got each connection. Returns how often the workers went to sleep, all together.
static long share(const char *way, int order[80], struct seen seen[WORKERS_MAX])
{
    pid_t pid;
    int port = serve(&pid, "--workers 4 %s", way), worker_pid;
    long before = 0, after = 0;
    CHECK_INT(stats(port, seen), 4);
    for (int i = 0; i < 4; i++)
        before += seen[i].switches;
    for (int i = 0; i < 80; i++) {
        await_sleep(seen, 4);
        order[i] = ask(port, &worker_pid);
    }
    await_sleep(seen, 4);
    CHECK_INT(stats(port, seen), 4);
    for (int i = 0; i < 4; i++)
        after += seen[i].switches;
    CHECK_INT(test_stop(pid), 0);
    return after - before;
}

// Workers that sleep in accept() stand in a queue: first in, first out.
TEST(blocking_accept_takes_turns)
{
    struct seen seen[WORKERS_MAX];
    int order[80], turns = 0;
    share("--mode shared --wait accept", order, seen);
    for (int i = 4; i < 80; i++)
        turns += order[i] == order[i - 4];
    CHECK(turns >= 60);
    for (int i = 0; i < 4; i++) {
        CHECK_AT_LEAST(seen[i].accepted, 15);
        CHECK_INT(seen[i].vain, 0);
    }
}

// A worker with EPOLLEXCLUSIVE keeps its place in the queue: the first one is always woken.
TEST(exclusive_epoll_has_a_favourite)
{
    struct seen seen[WORKERS_MAX];
    int order[80];
    share("--mode shared --wait epoll-exclusive", order, seen);
    CHECK(seen[0].accepted >= 70);
}

// Without EPOLLEXCLUSIVE all workers are woken for each connection. With it, or with a socket
// for each worker, only one is: it sleeps once more for the request.
TEST(a_herd)
{
    struct seen seen[WORKERS_MAX];
    int order[80];
    CHECK(share("--mode shared --wait epoll", order, seen) >= 80 * 4);
    CHECK(share("--mode shared --wait epoll --as threads", order, seen) >= 80 * 4);
    CHECK(share("--mode shared --wait accept", order, seen) < 80 * 3);
    CHECK(share("--mode shared --wait epoll-exclusive", order, seen) < 80 * 3);
    CHECK(share("--mode sharded --wait epoll", order, seen) < 80 * 3);
}

// Asks from this port (0: the kernel chooses one; it is written to *from_port). Returns the
// worker's number; 0: the port is not free.
static int ask_from(in_port_t *from_port, int port)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_storage to;
    struct linger reset = {1, 0}; // so that the port is free again at once
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, number = 0, asked = -1;
    socklen_t length = net_address("127.0.0.1", port, SOCK_STREAM, &to), own = sizeof from;
    from.sin_port = *from_port;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (struct sockaddr *)&to, length) == 0)
        asked = (int)send(fd, GET("/"), strlen(GET("/")), 0);
    getsockname(fd, (struct sockaddr *)&from, &own);
    *from_port = from.sin_port;
    ssize_t got = asked > 0 ? recv(fd, answer, sizeof answer - 1, 0) : 0;
    close(fd);
    answer[got > 0 ? got : 0] = '\0';
    const char *text = strstr(answer, "\r\n\r\nworker ");
    return text && sscanf(text, " worker %d", &number) == 1 ? number : 0;
}

// The same two addresses and ports, the same worker.
TEST(the_hash_is_faithful)
{
    int same = 0, compared = 0;
    pid_t pid;
    int port = serve(&pid, "--mode sharded --workers 4");
    for (int i = 0; i < 40; i++) {
        in_port_t from = 0;
        int first = ask_from(&from, port), second = ask_from(&from, port);
        CHECK(first > 0);
        compared += second > 0;
        same += second > 0 && second == first;
    }
    CHECK(compared >= 20); // another program may have taken a port meanwhile
    CHECK_INT(same, compared);
    CHECK_INT(test_stop(pid), 0);
}

TEST(steered_by_cpu)
{
    cpu_set_t mine, one, its;
    pid_t pid;
    int worker_pid, cpus = 0;
    sched_getaffinity(0, sizeof mine, &mine);
    int port = serve(&pid, "--steer cpu --workers 2");
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus < 4; cpu++) {
        if (!CPU_ISSET(cpu, &mine))
            continue;
        cpus++;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        for (int i = 0; i < 50; i++)
            CHECK_INT(ask(port, &worker_pid), cpu % 2 + 1);
        // The worker runs where its connections come in, and nowhere else.
        long home = cpu % 2 % sysconf(_SC_NPROCESSORS_ONLN);
        CHECK_INT(sched_getaffinity(worker_pid, sizeof its, &its), 0);
        if (CPU_ISSET((size_t)home, &mine)) {
            CHECK_INT(CPU_COUNT(&its), 1);
            CHECK(CPU_ISSET((size_t)home, &its));
        }
    }
    CHECK_INT(test_stop(pid), 0);
}

// All other workers may run on every core that the server may use.
TEST(without_steering_no_worker_is_pinned)
{
    struct seen seen[WORKERS_MAX];
    cpu_set_t mine, its;
    sched_getaffinity(0, sizeof mine, &mine);
    for (size_t i = 0; i < COUNT(ways); i++) {
        pid_t pid;
        int port = serve(&pid, "--workers 3 %s", ways[i]);
        CHECK_INT(stats(port, seen), 3);
        for (int j = 0; j < 3; j++) {
            CHECK_INT(sched_getaffinity(seen[j].tid, sizeof its, &its), 0);
            CHECK(CPU_EQUAL(&its, &mine));
        }
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(only_the_stuck_workers_clients_wait)
{
    struct seen seen[WORKERS_MAX];
    int fds[60], hanging = 0;
    pid_t pid;
    int port = serve(&pid, "--mode sharded --workers 3 --stuck 2");
    for (int i = 0; i < 60; i++)
        fds[i] = say(port, GET("/"));
    await_all_behind(port, 2, 60);
    CHECK_INT(stats(port, seen), 3);
    CHECK_INT(seen[1].accepted, 0);
    CHECK_AT_LEAST(seen[1].queue, 1);
    CHECK_INT(seen[0].answered + seen[2].answered + seen[1].queue, 60);
    for (int i = 0; i < 60; i++)
        hanging += recv(fds[i], answer, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    CHECK_INT(hanging, seen[1].queue);
    kill(pid, SIGTERM); // which frees it
    for (int i = 0; i < 60; i++)
        CHECK(*last_words(fds[i]) != '(');
    CHECK_INT(test_stop(pid), 0);

    port = serve(&pid, "--mode shared --workers 3 --stuck 2");
    for (int i = 0; i < 60; i++)
        CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// The queue holds one more than listen() was told. The next client is not even connected.
TEST(backlog_and_one)
{
    pid_t pid;
    int port = serve(&pid, "--workers 1 --stuck 1 --backlog 3"), connected = 0, fds[8];
    for (int i = 0; i < 8; i++) {
        struct sockaddr_storage to;
        socklen_t length = net_address("127.0.0.1", port, SOCK_STREAM, &to);
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK_AT_MOST(connect(fds[i], (struct sockaddr *)&to, length), -1);
        CHECK_INT(errno, EINPROGRESS);
    }
    CHECK_INT(await_queue(port, 4), 4);
    for (int i = 0; i < 8; i++)
        connected += send(fds[i], GET("/"), strlen(GET("/")), MSG_NOSIGNAL) > 0;
    CHECK_INT(connected, 4);
    struct seen seen[WORKERS_MAX];
    CHECK_INT(stats(port, seen), 1);
    CHECK_INT(seen[0].backlog, 3);
    CHECK_INT(test_stop(pid), 0);
}

// ---- requests ------------------------------------------------------------------------------

TEST(every_request_gets_its_answer)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {GET("/"), "HTTP/1.1 200 OK\r\n"},
        {GET("/"), "\r\nConnection: close\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
        {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
        {GET("/stats"), "\r\n\r\nworker     pid"},
        {GET("/busy?ms=1"), "HTTP/1.1 200 OK\r\n"},
        {GET("/busy?ms=0"), "HTTP/1.1 200 OK\r\n"},
        {GET("/busy?ms=60001"), "HTTP/1.1 404 "},
        {GET("/busy?ms=99999999999999999999"), "HTTP/1.1 404 "},
        {GET("/busy?ms=-1"), "HTTP/1.1 404 "},
        {GET("/busy?ms="), "HTTP/1.1 404 "},
        {GET("/nothing"), "HTTP/1.1 404 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 405 "},
        {"POST / HTTP/1.1\r\nHost: h\r\n\r\n", "\r\nAllow: GET, HEAD\r\n"},
        {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 "},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "HTTP/1.1 505 "},
        {"hello\r\n\r\n", "HTTP/1.1 400 "},
        {GET("/") GET("/"), "HTTP/1.1 200 "}, // the second one is not answered
    };
    for (size_t i = 0; i < COUNT(two_ways); i++) {
        pid_t pid;
        int port = serve(&pid, "%s --workers 1", two_ways[i]);
        for (size_t j = 0; j < COUNT(cases); j++)
            CHECK_HAS(last_words(say(port, cases[j].request)), cases[j].answer);
        CHECK(!strstr(strstr(answer, "200") + 1, "200 OK"));
        last_words(say(port, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(!strcmp(answer + strlen(answer) - 4, "\r\n\r\n"));
        last_words(say(port, "HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(!strcmp(answer + strlen(answer) - 4, "\r\n\r\n"));
        CHECK_INT(test_stop(pid), 0);
    }
}

// The table of /stats fits a terminal of 80 columns, with the longest pids that there are, and
// after 99,999,999 connections.
TEST(the_table_fits_a_terminal)
{
    char text[STATS_BYTES];
    struct stats *all = stats_begin(2);
    for (int i = 0; i < 2; i++) {
        struct worker_stats *line = &all->line[i];
        line->pid = line->tid = 4194304; // PID_MAX_LIMIT: proc(5), /proc/sys/kernel/pid_max
        line->accepted = line->wakeups = line->answered = 99999999;
        line->vain = 9999999;
        line->listener = -1;
    }
    text[stats_text(all, text, sizeof text)] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        CHECK_INT((long long)strlen(line), 80);
    stats_end(all);
}

TEST(a_head_has_a_limit)
{
    static char request[20000];
    pid_t pid;
    int port = serve(&pid, "--workers 1");
    for (int fields = 1; fields < 300; fields += 50) {
        int length = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; i < fields; i++)
            length += snprintf(request + length, sizeof request - (size_t)length,
                               "Field: %060d\r\n", i);
        snprintf(request + length, sizeof request - (size_t)length, "\r\n");
        // The answer arrives even though the rest of the head is never read.
        CHECK_HAS(last_words(say(port, request)),
                  length + 2 <= 4096 ? "HTTP/1.1 200 " : "HTTP/1.1 431 ");
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(requests_in_pieces)
{
    static const char request[] = GET("/");
    for (size_t i = 0; i < COUNT(two_ways); i++) {
        pid_t pid;
        int port = serve(&pid, "%s --workers 2", two_ways[i]);
        int fd = say(port, "");
        for (size_t j = 0; j < strlen(request); j++) {
            CHECK_INT(send(fd, request + j, 1, MSG_NOSIGNAL), 1);
            sleep_ms(1);
        }
        CHECK_HAS(last_words(fd), "HTTP/1.1 200 ");
        fd = say(port, "GET / HTTP/1.1\r\nHo"); // half a request, and then the end
        shutdown(fd, SHUT_WR);
        CHECK(!*last_words(fd));
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(silent_clients_disturb_nobody)
{
    static int fds[400];
    pid_t pid;
    for (size_t i = 0; i < COUNT(ways); i++) {
        alarm(TEST_SECONDS);
        bool blocking = strstr(ways[i], "accept") != NULL;
        int port = serve(&pid, "--workers 2 %s", ways[i]), count = blocking ? 1 : 400;
        if (blocking && strstr(ways[i], "sharded")) { // a client of its shard waits: next test
            CHECK_INT(test_stop(pid), 0);
            continue;
        }
        for (int j = 0; j < count; j++)
            fds[j] = say(port, j & 1 ? "GET / HT" : "");
        for (int j = 0; j < 20; j++)
            CHECK(exchange(port));
        for (int j = 0; j < count; j++)
            close(fds[j]);
        CHECK_INT(test_stop(pid), 0);
    }
}

// A worker that waits in accept() serves one client at a time, but not for ever.
TEST(a_slow_client_gets_408)
{
    static const int patience_ms[] = {900, 4900};
    for (size_t i = 0; i < COUNT(two_ways); i++) {
        pid_t pid;
        int port = serve(&pid, "%s --workers 1", two_ways[i]);
        int64_t start = now_ns();
        int half = say(port, "GET / HTTP/1.1\r\n"), silent = say(port, "");
        CHECK(exchange(port));
        CHECK_HAS(last_words(half), "HTTP/1.1 408 ");
        CHECK(!*last_words(silent));
        CHECK(now_ns() - start >= patience_ms[i] * INT64_C(1000000));
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(busy_is_busy)
{
    pid_t pid;
    for (size_t i = 0; i < COUNT(two_ways); i++) {
        int port = serve(&pid, "%s --workers 1", two_ways[i]);
        int64_t start = now_ns();
        int busy = say(port, GET("/busy?ms=500")), other = say(port, GET("/"));
        CHECK_HAS(last_words(other), "worker 1");
        CHECK(now_ns() - start >= INT64_C(500000000));
        CHECK_HAS(last_words(busy), "worker 1");
        busy = say(port, GET("/busy?ms=60000"));
        other = say(port, GET("/")); // it waits in the queue until the server is to end
        CHECK_INT(await_queue(port, 1), 1);
        kill(pid, SIGTERM);
        CHECK_HAS(last_words(other), "worker 1");
        CHECK_HAS(last_words(busy), "worker 1");
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(the_supervisor_answers_no_short_questions)
{
    struct seen seen[WORKERS_MAX];
    pid_t pid;
    int port = serve(&pid, "--workers 2 --stuck 1");
    CHECK_INT(question(port, 100, seen), 0);
    CHECK_INT(stats(port, seen), 2);
    CHECK_INT(test_stop(pid), 0);
}

// The server prints a line for each answer: the worker, the request, the status and the bytes
// of content. With --quiet it does not.
TEST(a_line_for_each_answer)
{
    static const char file[] = "build/test.log";
    for (int quiet = 0; quiet < 2; quiet++) {
        const char *option = "";
        char command[200];
        pid_t pid;
        if (quiet)
            option = "--quiet";
        snprintf(command, sizeof command, "./server --port 0 --workers 1 %s >%s", option, file);
        int port = test_start(&pid, command);
        last_words(say(port, GET("/nothing")));
        last_words(say(port, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
        for (int i = 0; i < 3; i++)
            last_words(say(port, "hello\r\n\r\n"));
        CHECK_INT(test_stop(pid), 0);
        CHECK_INT(test_number("grep -c 'worker 1, GET /nothing: 404, 10 bytes' %s", file),
                  !quiet);
        CHECK_INT(test_number("grep -c 'worker 1, HEAD /: 200, 0 bytes' %s", file), !quiet);
        CHECK_INT(test_number("grep -c 'worker 1, refused: 400, 12 bytes' %s", file), !quiet);
        CHECK_INT(test_number("grep -c '^  *\\.\\.\\. and 2 more' %s", file), !quiet);
        CHECK_INT(test_number("grep -c '^stopped: workers 1, connections 5' %s", file), 1);
        long wakeups = test_number("sed -n 's/^stopped:.*wake-ups //p' %s", file);
        long vain = test_number("sed -n 's/^stopped:.*in vain //p' %s", file);
        CHECK_BETWEEN(wakeups - vain, 1, 5); // the others brought a client, or several
        unlink(file);
    }
}

TEST(choices)
{
    CHECK_INT(test_run("./server --mode some"), 2);
    CHECK_HAS(test_output, "--mode takes shared or sharded, not 'some'");
    CHECK_INT(test_run("./server --wait long"), 2);
    CHECK_HAS(test_output, "--wait takes accept, epoll or epoll-exclusive, not 'long'");
    CHECK_INT(test_run("./server --as fibres"), 2);
    CHECK_INT(test_run("./server --workers 2 --stuck 3"), 2);
    CHECK_INT(test_run("./server --steer cpu --mode shared"), 2);
    CHECK_INT(test_run("./server --steer left"), 2);
    CHECK_INT(test_run("./server --workers 65"), 2);
}

// ---- the client ----------------------------------------------------------------------------

// Runs ./client with these arguments. Returns its exit status; its output is in test_output.
static int run_client(int port, const char *arguments)
{
    char command[200];
    snprintf(command, sizeof command, "timeout 30 ./client --port %d %s", port, arguments);
    return test_run(command);
}

// Returns the sum of the counts behind "worker N pid P tid T", of so many connections in all.
// Behind each count stands its share, and a bar of that length; 32 blocks are all of them.
static int count_in_output(int connections)
{
    int sum = 0, count;
    double share;
    for (const char *at = test_output; (at = strstr(at, "worker ")); at++) {
        if (sscanf(at, "worker %*d pid %*d tid %*d %d %lf %%", &count, &share) != 2)
            continue;
        sum += count;
        int blocks = 0;
        for (const char *c = at; *c != '\n'; c++)
            blocks += !strncmp(c, "█", 3);
        CHECK_BETWEEN(share, 100.0 * count / connections - 0.06,
                      100.0 * count / connections + 0.06);
        CHECK_BETWEEN(blocks, 32.0 * count / connections - 1, 32.0 * count / connections + 1);
    }
    return sum;
}

TEST(the_client_counts_every_connection)
{
    pid_t pid;
    for (size_t i = 0; i < COUNT(two_ways); i++) {
        int port = serve(&pid, "--workers 3 %s", two_ways[i]);
        CHECK_INT(run_client(port, ""), 0);
        CHECK_HAS(test_output, "1000 connections to 127.0.0.1:");
        CHECK_INT(count_in_output(1000), 1000);
        CHECK_INT(test_stop(pid), 0);
    }
}

// One worker of four is stuck. Some of 200 connections have no answer, and the client says so.
TEST(the_client_counts_connections_without_an_answer)
{
    int failed = 0;
    pid_t pid;
    int port = serve(&pid, "--workers 4 --stuck 2 --mode sharded");
    CHECK_INT(run_client(port, "--connections 200"), 1);
    const char *line = strstr(test_output, "client: ");
    CHECK(line && sscanf(line, "client: %d of 200", &failed) == 1);
    CHECK_BETWEEN(failed, 11, 189);
    CHECK_INT(count_in_output(200), 200 - failed);
    CHECK_HAS(test_output, "no answer: nothing has come in time");
    CHECK(!strstr(test_output, "worker 2 "));
    CHECK_INT(test_stop(pid), 0);
}

// Runs the client against a server that answers with these bytes. It must fail, and say why.
static void expect_refused(const char *bytes, const char *why)
{
    int port = test_fake_server(bytes, strlen(bytes), false);
    CHECK_INT(run_client(port, "--connections 2"), 1);
    CHECK_HAS(test_output, why);
    CHECK_HAS(test_output, "2 of 2 have no answer; the first: connection 1");
}

TEST(the_client_is_strict)
{
    static char long_answer[6000] = "HTTP/1.1 200 OK\r\n\r\n";
    expect_refused("", "closed without an answer");
    expect_refused("worker 1\n", "not HTTP/1.1");
    expect_refused("HTTP/1.1 200 OK\r\nContent-", "in the middle of the answer's head");
    expect_refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "is not 200");
    expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nworker 1", "in the middle");
    expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nworker 1", "more has come");
    memset(long_answer + 19, 'x', sizeof long_answer - 20);
    expect_refused(long_answer, "it is too long");
    const char *escape = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\033[31m";
    CHECK_INT(run_client(test_fake_server(escape, strlen(escape), false), "--connections 2"),
              0);
    CHECK_HAS(test_output, "\n.[31m ");
}

// An IPv6 address in a Host field stands in brackets (RFC 9110 §7.2); our server insists on it.
TEST(the_client_over_ipv6)
{
    pid_t pid;
    if (test_run("cat /proc/net/if_inet6 | grep -q lo"))
        SKIP("there is no IPv6 here");
    int port = serve(&pid, "--workers 2 --host ::1");
    CHECK_INT(run_client(port, "--host ::1 --connections 50"), 0);
    CHECK_HAS(test_output, "50 connections to [::1]:");
    CHECK_INT(count_in_output(50), 50);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_client_says_if_it_cannot_write)
{
    pid_t pid;
    int port = serve(&pid, "--workers 1");
    CHECK_INT(run_client(port, "--connections 1 >/dev/full"), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(run_client(port, "--connections 10001"), 2);
    CHECK_INT(run_client(port, "spread"), 2);
    CHECK_INT(test_stop(pid), 0);
}
