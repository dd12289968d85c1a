// test_client.h: tests of ./client, and of the parts that it and the scenes use: the histogram,
// the load generator against servers that keep to the protocol and against others, and what is
// read in /proc.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "process_usage.h"
#include "histogram.h"
#include "load.h"
#include "net.h"
#include "test_server.h"
#include "test_talk.h"

// ---- the histogram -------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// Against the plainest way: sort all values, and count. Never too low, less than 1/128 too
// high.
TEST(percentiles_are_right)
{
    enum { VALUES = 20000 };
    static uint64_t values[VALUES];
    static struct histogram histogram;
    uint64_t random = 7;
    for (int i = 0; i < VALUES; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        values[i] = (random >> 24) >> (random % 40); // 40 bits, but most have less
        histogram_add(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_size);
    for (int i = 1; i <= VALUES; i++) {
        uint64_t is = values[i - 1],
                 said = histogram_percentile(&histogram, (i - 0.5) * 100 / VALUES);
        if (said < is || (said - is) * HISTOGRAM_CUTS > is)
            FAIL("%d of %d: %lu, not %lu", i, VALUES, (unsigned long)said, (unsigned long)is);
    }
    CHECK_INT(histogram.total, VALUES);
    CHECK_INT(histogram.max, values[VALUES - 1]);
    CHECK(histogram_percentile(&histogram, 100) == values[VALUES - 1]);
    CHECK(histogram_percentile(&histogram, 0) == values[0]);
}

TEST(histograms_have_ends)
{
    static struct histogram one, two;
    CHECK(histogram_percentile(&one, 99) == 0);
    histogram_add(&one, UINT64_MAX);
    CHECK(histogram_percentile(&one, 50) == (UINT64_C(1) << HISTOGRAM_BITS) - 1);
    histogram_add(&two, 0);
    CHECK_INT(histogram_percentile(&two, 99), 0);
    CHECK_INT(two.total, 1);
    histogram_merge(&two, &one);
    CHECK_INT(two.total, 2);
    CHECK_INT(two.max, one.max);
    CHECK_INT(histogram_percentile(&two, 50), 0);
    CHECK_INT(histogram_percentile(&two, 51), one.max);
}

// ---- the load generator --------------------------------------------------------------------

static struct load load;
static struct load_target target;

// Loads a server with so many requests, on as many connections as `target` says.
static void run_load(int port, const char *path, int requests)
{
    target.path = path;
    load_open(&load, "127.0.0.1", port, &target, 1);
    load_run(&load, 20000, (uint64_t)requests);
    load_close(&load);
}

TEST(load_is_counted)
{
    pid_t pid;
    int port = serve(&pid, "thread", "");
    target = (struct load_target){.connections = 10};
    run_load(port, "/cheap", 5000);
    CHECK_BETWEEN(target.latency.total, 5000, 5000 + 10 - 1);
    CHECK_AT_LEAST(target.served, 1);
    CHECK(!load_errors(&target));
    CHECK(load.cpu_seconds > 0);
    run_load(port, "/io?ms=20", 20);
    CHECK(histogram_percentile(&target.latency, 0) >= 20000000);
    run_load(port, "/nothing", 20);
    CHECK_AT_LEAST(target.errors[LOAD_REFUSED], 20);
    CHECK(!target.latency.total);
    CHECK_INT(test_stop(pid), 0);
}

// Each asks once; then the load has nothing more to do, and says so before its time is over.
TEST(load_asks_once)
{
    pid_t pid;
    int port = serve(&pid, "loop", "");
    target = (struct load_target){.connections = 700, .pause_ms = LOAD_ONCE};
    int64_t began_ns = now_ns();
    run_load(port, "/cheap", 0);
    CHECK(now_ns() - began_ns < INT64_C(10000000000));
    CHECK_INT((long)target.latency.total, 700);
    CHECK_INT(target.served, 700);
    CHECK(!load_errors(&target));
    CHECK_INT(test_stop(pid), 0);
}

TEST(load_starves_where_one_is_served)
{
    pid_t pid;
    int port = serve(&pid, "single", "");
    target = (struct load_target){.connections = 5};
    run_load(port, "/cheap", 100);
    CHECK_INT(target.served, 1);
    CHECK_INT(target.latency.total, 100);
    CHECK(!load_errors(&target));
    CHECK_INT(test_stop(pid), 0);
}

TEST(load_is_refused)
{
    pid_t pid;
    int port = serve(&pid, "pool", "--workers 1 --queue 1");
    target = (struct load_target){.connections = 20, .pause_ms = LOAD_ONCE};
    run_load(port, "/io?ms=300", 0);
    CHECK_AT_LEAST(target.latency.total, 1);
    CHECK_AT_LEAST(target.errors[LOAD_OVERLOADED], 10);
    CHECK_INT((long)(target.latency.total + target.errors[LOAD_OVERLOADED]), 20);
    CHECK(target.slowest_error_ns > 0);
    CHECK_INT(test_stop(pid), 0);
    target = (struct load_target){.connections = 3, .pause_ms = LOAD_ONCE};
    run_load(port, "/cheap", 0); // the server has ended
    CHECK_INT(target.errors[LOAD_UNREACHABLE], 3);
    CHECK(!target.served);
}

// A server that answers each request with these bytes, in pieces of so many; and then closes
// the connection if they say so, or end in the middle.
static int serve_script(const char *answer, size_t piece, bool closes)
{
    char request[4096];
    int listener = net_listen("127.0.0.1", 0, 10), on = 1;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            while (read(fd, request, sizeof request) > 0) {
                for (size_t at = 0; at < strlen(answer); at += piece) {
                    size_t left = strlen(answer) - at;
                    write_all(fd, answer + at, left < piece ? left : piece);
                    sleep_ms(piece < left ? 1 : 0);
                }
                if (closes)
                    break;
            }
            close(fd);
        }
    }
    close(listener);
    return ntohs(address.sin_port);
}

#define OK(fields, content) "HTTP/1.1 200 OK\r\n" fields "\r\n" content

// A pause is one, although the server closes the connection meanwhile, and does not say so.
TEST(load_pauses)
{
    int port = serve_script(OK("Content-Length: 3\r\n", "abc"), 1000, true);
    target = (struct load_target){.connections = 2, .pause_ms = 600};
    int64_t began_ns = now_ns();
    run_load(port, "/", 4);
    CHECK(now_ns() - began_ns > 600 * 1000000);
    CHECK_INT(target.latency.total, 4);
    CHECK(!load_errors(&target));
}

TEST(load_reads_answers_of_all_kinds)
{
    static const struct {
        const char *answer;
        size_t piece;
        bool closes;
    } cases[] = {
        {OK("Content-Length: 3\r\n", "abc"), 1000, false},
        {OK("Content-Length: 3\r\n", "abc"), 1, false},
        {OK("Content-Length: 3\r\n", "abc"), 39, false},
        {OK("Content-Length: 0\r\n", ""), 1000, false},
        {OK("Content-Length: 3\r\nConnection: close\r\n", "abc"), 1000, true},
        {OK("Content-Length: 3\r\nConnection: close\r\n", "abc"), 7, true},
        {OK("", "until it closes"), 1000, true},
        {OK("", "until it closes"), 5, true},
        {OK("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), 1000, false},
        {OK("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), 3, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", 1000, false},
        {"HTTP/1.1 100 Continue\r\n\r\n" OK("Content-Length: 3\r\n", "abc"), 1000, false},
        {"HTTP/1.1 100 Continue\r\n\r\n" OK("Content-Length: 3\r\n", "abc"), 25, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int port = serve_script(cases[i].answer, cases[i].piece, cases[i].closes);
        target = (struct load_target){.connections = 1};
        run_load(port, "/", 5);
        if (target.latency.total != 5 || load_errors(&target))
            FAIL("case %zu: %lu answers, %lu errors", i, (unsigned long)target.latency.total,
                 (unsigned long)load_errors(&target));
    }
}

TEST(load_counts_errors)
{
    static const struct {
        const char *answer;
        bool closes;
        enum load_error error;
    } cases[] = {
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false, LOAD_OVERLOADED},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nabc", true, LOAD_OVERLOADED},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", false, LOAD_REFUSED},
        {"", true, LOAD_CLOSED},
        {"HTTP/1.1 200 O", true, LOAD_CLOSED},
        {OK("Content-Length: 3\r\n", "ab"), true, LOAD_CLOSED},
        {OK("Transfer-Encoding: chunked\r\n", "3\r\nab"), true, LOAD_CLOSED},
        {OK("Transfer-Encoding: chunked\r\n", "x\r\nab"), false, LOAD_MALFORMED},
        {OK("Content-Length: x\r\n", "abc"), false, LOAD_MALFORMED},
        {OK("Content-Length: 3\r\n", "abcd"), false, LOAD_MALFORMED},
        {OK("Content-Length: 0\r\n", "") OK("Content-Length: 0\r\n", ""), false,
         LOAD_MALFORMED},
        {"hello\r\n\r\n", false, LOAD_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int port = serve_script(cases[i].answer, 1000, cases[i].closes);
        target = (struct load_target){.connections = 1};
        run_load(port, "/", 3);
        if (target.errors[cases[i].error] != 3 || load_errors(&target) != 3 ||
            target.latency.total)
            FAIL("case %zu: %lu answers, %lu errors, %lu of the right kind", i,
                 (unsigned long)target.latency.total, (unsigned long)load_errors(&target),
                 (unsigned long)target.errors[cases[i].error]);
    }
}

// The next answer need not look like the last one.
TEST(load_is_not_misled_by_what_it_remembers)
{
    pid_t pid;
    int port = serve(&pid, "loop", "");
    target = (struct load_target){.connections = 3};
    run_load(port, "/count?how=plain&times=7", 3000); // 7 ... 21000: contents grow
    CHECK_AT_LEAST(target.latency.total, 3000);
    CHECK(!load_errors(&target));
    CHECK_INT(test_stop(pid), 0);
}

// ---- ./client ------------------------------------------------------------------------------

static int run_client(int port, const char *options)
{
    char command[300];
    snprintf(command, sizeof command, "./client --port %d %s", port, options);
    return test_run(command);
}

TEST(the_client_reports)
{
    pid_t pid;
    int port = serve(&pid, "thread", "");
    CHECK_INT(run_client(port, "--connections 5 --requests 1000 --seconds 20"), 0);
    CHECK_HAS(test_output, "5 connections ask 127.0.0.1, port ");
    CHECK_HAS(test_output, ", for /cheap\n");
    CHECK_HAS(test_output, " answers a second (100"); // 1000 ... 1004
    CHECK_HAS(test_output, "\n  p50 ");
    CHECK(!strstr(test_output, "error"));
    CHECK_INT(run_client(port, "--url /no --requests 10 --seconds 20"), 1);
    CHECK_HAS(test_output, "errors; the first: the answer has status 404\n");
    CHECK_INT(run_client(port, "--requests 10 --seconds 20 >/dev/full"), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(test_stop(pid), 0);
}

// One worker, 10 ms for each request, and 20 clients at once: the answers take 10, 20 ... 200
// ms.
TEST(the_client_tells_the_middle_from_the_slowest)
{
    double p50 = 0, p99 = 0, slowest = 0;
    pid_t pid;
    int port = serve(&pid, "pool", "--workers 1");
    CHECK_INT(run_client(port, "--url '/io?ms=10' --connections 20 --requests 20 --seconds 20"),
              0);
    const char *line = strstr(test_output, "p50 ");
    CHECK(line && sscanf(line, "p50 %lf ms, p99 %lf ms, the slowest %lf ms", &p50, &p99,
                         &slowest) == 3);
    CHECK_BETWEEN(p50, 80, 20000);
    CHECK_BETWEEN(p99, p50 + 80, slowest * 1.01);
    CHECK_INT(test_stop(pid), 0);
}

// Of 5 connections the server allows 3: the summary says that two were refused, and none
// crashed.
TEST(the_summary_counts_the_refused)
{
    int fds[5];
    pid_t pid;
    int port = serve(&pid, "loop", "--connections 3 >build/refused.log");
    for (int i = 0; i < 5; i++)
        fds[i] = net_connect("127.0.0.1", port);
    CHECK_HAS(last_words(fds[3]), " 503 ");
    CHECK_HAS(last_words(fds[4]), " 503 ");
    CHECK_INT(test_stop(pid), 0);
    test_run("cat build/refused.log; rm build/refused.log");
    CHECK_HAS(test_output, "stopped: connections 5, requests 0, refused 2, crashed 0\n");
}

static void log_three(const char *model)
{
    char options[100], show[100];
    pid_t pid;
    snprintf(options, sizeof options, "--log --workers 1 >build/%s.log", model);
    int port = serve(&pid, model, options);
    last_words(say(port, GET("/cheap") GET("/cheap") GET_LAST("/cheap")));
    CHECK_INT(test_stop(pid), 0);
    snprintf(show, sizeof show, "cat build/%s.log; rm build/%s.log", model, model);
    test_run(show);
    CHECK_HAS(test_output, ", /cheap: 200, 6 bytes\n             ... and 2 more\nstopped: ");
}

// A line that came again is counted, by a child too: the count is printed before the end.
TEST(the_log_is_whole_at_the_end)
{
    for_models(all_models(), log_three);
}

TEST(the_client_rejects_bad_options)
{
    CHECK_INT(test_run("./client --connections 0"), 2);
    CHECK_INT(test_run("./client --seconds 0"), 2);
    CHECK_INT(test_run("./client /cheap"), 2);
    CHECK_INT(test_run("./client --url cheap"), 2);
    CHECK_HAS(test_output, "--url takes a path such as /cheap, not 'cheap'");
    CHECK_INT(test_run("./client --url '/a b'"), 2);
    CHECK_INT(test_run("./client --url \"$(printf '/a\\r\\nX: y')\""), 2);
    CHECK_INT(test_run("./client --url \"$(printf '/\\303\\244')\""), 2);
    CHECK_INT(test_run("./client --url '/a#b'"), 2);
}

// Where a worker belongs to one connection, the client says how many were not served.
TEST(the_client_counts_connections_without_an_answer)
{
    pid_t pid;
    int port = serve(&pid, "single", "");
    CHECK_INT(run_client(port, "--connections 5 --requests 100 --seconds 20"), 0);
    CHECK_HAS(test_output, "\n  4 of 5 connections had no answer\n");
    CHECK_INT(test_stop(pid), 0);
}

// Each kind of error has a text of its own.
TEST(the_client_says_what_is_wrong)
{
    static const struct {
        const char *answer;
        bool closes;
        const char *why;
    } cases[] = {
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false, "the answer has status 503"},
        {"", true, "closed before the answer"},
        {"HTTP/1.1 200 O", true, "closed in the head of the answer"},
        {OK("Content-Length: 100\r\n", "abcd"), true,
         "closed after 4 of 100 bytes of the answer"},
        {OK("Transfer-Encoding: chunked\r\n", "3\r\nab"), true,
         "closed after 2 bytes of the answer, before its end"},
        {OK("Transfer-Encoding: chunked\r\n", "x\r\nab"), false, "one of them is malformed"},
        {OK("Content-Length: x\r\n", "abc"), false, "the head of the answer is no HTTP/1.1"},
        {OK("Content-Length: 3\r\n", "abcd"), false, "bytes behind the answer"},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false,
         "101, although nothing else"},
        {"hello\r\n\r\n", false, "the head of the answer is no HTTP/1.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int port = serve_script(cases[i].answer, 1000, cases[i].closes);
        CHECK_INT(run_client(port, "--connections 1 --requests 3 --seconds 20"), 1);
        CHECK_HAS(test_output, cases[i].why);
        CHECK_HAS(test_output, "\n  3 errors; the first: ");
    }
}

// The Host field: an IPv6 address stands in brackets, the usual port is left out.
static void check_request(const char *host, int port, const char *path, const char *request)
{
    char *text = exchange_request(host, port, path);
    CHECK_HAS(text, request);
    CHECK_INT((long)strlen(text), (long)strlen(request));
    free(text);
}

TEST(the_request_names_the_host)
{
    check_request("::1", 8006, "/a?b", "GET /a?b HTTP/1.1\r\nHost: [::1]:8006\r\n\r\n");
    check_request("fe80::1%eth0", 80, "/", "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n\r\n");
    check_request("localhost", 80, "/", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    check_request("10.0.0.2", 1, "/", "GET / HTTP/1.1\r\nHost: 10.0.0.2:1\r\n\r\n");
}

// A new model is one line of the table: --list-models is made from it.
TEST(models_are_listed)
{
    CHECK_INT(test_run("./server --list-models"), 0);
    CHECK_HAS(test_output, "single   one      one process");
    CHECK_HAS(test_output, "prefork  workers  N processes");
    CHECK_INT(count_in(test_output, "\n"), model_count());
    CHECK_INT(test_run("./server --model none"), 2);
    CHECK_HAS(test_output, "--model takes one of these, not 'none':");
    CHECK_HAS(test_output, "\n  loop     one thread, an event loop");
}

// ---- /proc ---------------------------------------------------------------------------------

TEST(the_usage_of_processes_is_seen)
{
    struct process_usage before, after;
    int line[2];
    process_usage_read(getpid(), &before);
    CHECK_INT(before.processes, 1);
    CHECK_AT_LEAST(before.threads, 1);
    CHECK_AT_LEAST(before.virtual_kb, 1);
    CHECK(pipe(line) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(line[1]);
        _exit(read(line[0], &pid, 1) < 0);
    }
    process_usage_read(getpid(), &after);
    CHECK_INT(after.processes, 2);
    CHECK(after.virtual_kb > before.virtual_kb);
    close(line[0]);
    close(line[1]);
    waitpid(pid, NULL, 0);
    process_usage_read(getpid(), &after);
    CHECK(after.processes == 1);
    process_usage_read(pid, &after);
    CHECK_INT(after.processes, 0);
    CHECK_INT(after.threads, 0);
}

#endif
