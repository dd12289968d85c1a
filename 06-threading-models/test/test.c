// test.c: tests of lesson 06. `make test` runs them, the scenes, real peers, and the patches in
// break/. Here: what all models have in common, request by request. Further tests, by
// topic:
//
//     test_parts.h   the parts on their own
//     test_limits.h  clients that are slow, silent, gone, or too many
//     test_ends.h    how servers end: asked to, crashed, killed
//     test_disk.h    records that have to reach the disk
//     test_uring.h   what only model uring can meet
//     test_client.h  the load generators: what they measure, and what they can stand
#define SUMMARY "connections 4, requests 3, refused 0, crashed 0\n"
#include "contract.h"
#include "smaller.h"

#include "test_client.h"
#include "test_disk.h"
#include "test_ends.h"
#include "test_limits.h"
#include "test_parts.h"
#include "test_talk.h"
#include "test_uring.h"

static bool exchange(int port)
{
    return is_cheap(get(port, "/cheap"));
}

// ---- one request after another -------------------------------------------------------------

static void check_keep_alive(int port, pid_t pid)
{
    char line[40];
    int fd = say(port, GET("/cheap"));
    CHECK(read_until(fd, "\r\n\r\ncheap\n"));
    CHECK_HAS(answers, "\r\nContent-Length: 6\r\n");
    CHECK(!strstr(answers, "Connection:"));
    for (int i = 0; i < 20; i++)
        CHECK(ask_cheap(fd));
    CHECK(write_all(fd, GET_LAST("/who"), strlen(GET_LAST("/who"))));
    CHECK_HAS(last_words(fd), "\r\nConnection: close\r\n");
    CHECK_HAS(answers, "\r\n\r\nmodel: ");
    CHECK_HAS(answers, "\nworker: 0\n"); // the first one
    snprintf(line, sizeof line, "\npid: %d\n", pid);
    const char *name = strstr(answers, "\r\n\r\nmodel: ");
    CHECK(name);
    if (!name)
        return;
    name = strndup(name + 11, strcspn(name + 11, "\n"));
    int model = model_find(name);
    CHECK(model >= 0 && models[model].kind == (strstr(answers, line) ? THREADS : PROCESSES));
}

// prefork: which of the processes gets the connection is up to the kernel, so there is one.
TEST(connections_are_kept)
{
    each(all_models(), "--workers 1", check_keep_alive);
}

static const char *const pipelined[3][2] = {{GET("/nothing"), "Not Found\n"},
                                            {GET("/cheap"), "cheap\n"},
                                            {GET("/io?ms=2"), "waited\n"}};

static int kind_of(int i)
{
    if (i % 100 == 50)
        return 2;
    return i % 3 != 0;
}

static void check_pipelining(int port, pid_t pid)
{
    (void)pid;
    static char requests[100000];
    *requests = '\0';
    for (int i = 0; i < 300; i++)
        strcat(requests, pipelined[kind_of(i)][0]);
    strcat(requests, GET_LAST("/who") GET("/cheap"));
    int fd = say(port, requests), i = 0;
    const char *at = last_words(fd);
    for (; (at = strstr(at, "HTTP/1.1 ")) && i < 300; at++, i++) {
        const char *content = strstr(at, "\r\n\r\n");
        const char *expected = pipelined[kind_of(i)][1];
        if (!content || strncmp(content + 4, expected, strlen(expected)))
            FAIL("answer %d is not %s", i, expected);
    }
    CHECK_INT(i, 300);
    CHECK_INT(count_in(answers, "HTTP/1.1 "), 301); // nothing behind the last one
    CHECK_HAS(at ? at : "", "\r\n\r\nmodel: ");
}

TEST(pipelined_requests_are_answered_in_order)
{
    each(all_models(), "--workers 2", check_pipelining);
}

// Cut in two at each byte, and sent byte by byte. The moment in between only makes it likely
// that the server reads the first part alone: the answers are the same in any case.
static void check_cuts(int port, pid_t pid)
{
    (void)pid;
    static const char requests[] =
        "\r\n" GET("/cheap") "HEAD /cheap HTTP/1.1\r\nHost: h\r\n\r\n" GET_LAST("/nothing");
    size_t length = sizeof requests - 1;
    for (size_t cut = 0; cut <= length; cut++) {
        char first[sizeof requests];
        snprintf(first, cut + 1, "%s", requests);
        int fd = say(port, first);
        for (size_t sent = cut; sent < length; sent += cut ? length : 1) {
            sleep_ms(0.1);
            CHECK(write_all(fd, requests + sent, cut ? length - sent : 1));
        }
        last_words(fd);
        CHECK_INT(count_in(answers, "HTTP/1.1 200 OK\r\n"), 2);
        CHECK_INT(count_in(answers, "cheap\n"), 1);
        CHECK_HAS(answers, "HTTP/1.1 404 Not Found\r\n");
        CHECK_HAS(answers, "\r\n\r\nNot Found");
    }
}

TEST(requests_may_be_cut_anywhere)
{
    each(all_models(), "", check_cuts);
}

// ---- odd requests --------------------------------------------------------------------------

#define HOST  "Host: h\r\n"
#define TEN   "0123456789"
#define HUND  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUS HUND HUND HUND HUND HUND HUND HUND HUND HUND HUND

// A request, and how it is answered: "close" where the one behind it is not answered.
static const struct {
    const char *request, *expected;
} odd_requests[] = {
    {GET("/"), "200"},
    {GET("/cheap?x=y"), "200"},
    {"GET http://h/cheap HTTP/1.1\r\n" HOST "\r\n", "200"},
    {"GET /cheap HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "200"},
    {"GET /cheap HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200"},
    {"GET /cheap HTTP/1.0\r\n\r\n", "200 close"},
    {"GET /cheap HTTP/1.1\r\n\r\n", "400 close"},
    {"GET /cheap\r\n\r\n", "400 close"},
    {"GET  /cheap HTTP/1.1\r\n" HOST "\r\n", "400 close"},
    {"GET /cheap HTTP/1.1\r\n" HOST "Broken\r\n\r\n", "400 close"},
    {"GET /cheap HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", "400 close"},
    {"GET /cheap HTTP/2.0\r\n" HOST "\r\n", "505 close"},
    {"\x16\x03\x01\x02", "400 close"},
    {"GET /cheap HTTP/1.1\r\n" HOST "Expect: more\r\n\r\n", "417 close"},
    {"POST /cheap HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "413 close"},
    {"GET /cheap HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413 close"},
    {"POST /cheap HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
     "413 close"},
    {"POST /cheap HTTP/1.1\r\n" HOST "\r\n", "405"},
    {"BREW /cheap HTTP/1.1\r\n" HOST "\r\n", "405"},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "405"},
    {GET("/cheap/"), "404"},
    {GET("/chea"), "404"},
    {"GET /" THOUS THOUS THOUS THOUS THOUS THOUS THOUS THOUS THOUS " HTTP/1.1\r\n",
     "414 close"},
    {"GET / HTTP/1.1\r\n" HOST "X: " THOUS THOUS THOUS THOUS THOUS THOUS THOUS THOUS THOUS THOUS
         THOUS THOUS THOUS THOUS THOUS THOUS THOUS "\r\n\r\n",
     "431 close"},
    {GET("/io"), "400"},
    {GET("/io?ms="), "400"},
    {GET("/io?ms=-1"), "400"},
    {GET("/io?ms=0"), "200"},
    {GET("/io?ms=2"), "200"},
    {GET("/io?ms=10001"), "400"},
    {GET("/io?ms=99999999999999999999"), "400"},
    {GET("/cpu?ms=1x"), "400"},
    {GET("/cpu?ms=2"), "200"},
    {GET("/cpu?x=1&ms=0"), "200"},
    {GET("/count"), "200"},
    {GET("/count?how=plain&times=3"), "200"},
    {GET("/count?how=mutex"), "200"},
    {GET("/count?times=1000000&how=atomic"), "200"},
    {GET("/count?times=1000001"), "400"},
    {GET("/count?how=luck"), "400"},
    {GET("/count?how="), "400"},
    {GET("/write"), "200"},
    {GET("/write?kb=8"), "200"},
    {GET("/write?kb=0"), "400"},
    {GET("/write?kb=262145"), "400"},
    {GET("/stats"), "200"},
    {GET("/crash"), "403"},
};

static void check_odd_requests(int port, pid_t pid)
{
    (void)pid;
    static char text[40000], seen[40];
    for (size_t i = 0; i < sizeof odd_requests / sizeof *odd_requests; i++) {
        snprintf(text, sizeof text, "%s" GET_LAST("/who"), odd_requests[i].request);
        last_words(say(port, text));
        bool marker = strstr(answers, "\r\n\r\nmodel: "),
             one = count_in(answers, "HTTP/1.") == 1;
        bool close_said = strstr(answers, "\r\nConnection: close\r\n");
        const char *ending = " closed, unsaid";
        if (one && close_said)
            ending = " close";
        if (marker)
            ending = "";
        snprintf(seen, sizeof seen, "%.3s%s", strlen(answers) > 9 ? answers + 9 : "---",
                 ending);
        if (strcmp(seen, odd_requests[i].expected))
            FAIL("%.60s: expected %s, got %s", odd_requests[i].request,
                 odd_requests[i].expected, seen);
    }
}

TEST(odd_requests)
{
    each(all_models(), "", check_odd_requests);
}

// ---- what the handler does -----------------------------------------------------------------

static void check_heads(int port, pid_t pid)
{
    (void)pid;
    int fd = say(port, "HEAD /cheap HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(read_until(fd, "\r\n\r\n"));
    CHECK_HAS(answers, "\r\nContent-Length: 6\r\n");
    CHECK_HAS(answers, "\r\nConnection: keep-alive\r\n");
    CHECK(!*last_words(fd)); // and then it closes
}

// HTTP/1.0 is told that its connection is kept; a silent client is closed without a word.
TEST(heads_have_no_content)
{
    each(all_models(), "--idle-ms 100", check_heads);
}

#define COUNTERS 4
#define TIMES    20000

// Several clients count at once; nothing is lost where there is a mutex or an atomic counter.
static void count_all(int port, const char *how, unsigned long expected)
{
    char text[100];
    unsigned long largest = 0;
    int fds[COUNTERS];
    snprintf(text, sizeof text, GET_LAST("/count?times=%d&how=%s"), TIMES, how);
    for (int i = 0; i < COUNTERS; i++)
        fds[i] = say(port, text);
    for (int i = 0; i < COUNTERS; i++) {
        const char *content = strstr(last_words(fds[i]), "\r\n\r\n");
        unsigned long count = content ? strtoul(content, NULL, 10) : 0;
        largest = larger(largest, count);
    }
    CHECK_INT((long)largest, (long)expected);
}

static void check_shared_count(int port, pid_t pid)
{
    (void)pid;
    count_all(port, "mutex", COUNTERS * TIMES);
    count_all(port, "atomic", COUNTERS * TIMES);
    get(port, "/count?how=plain&times=1000000"); // whatever comes out
}

static void check_own_count(int port, pid_t pid)
{
    (void)pid;
    count_all(port, "mutex", TIMES);
    count_all(port, "atomic", TIMES);
}

TEST(threads_count_together_and_processes_alone)
{
    each(all_models() & ~in_processes(), "--workers 4", check_shared_count);
    each(named("fork"), "", check_own_count);
}

static void check_stats(int port, pid_t pid)
{
    for (int i = 0; i < 10; i++)
        CHECK(exchange(port));
    CHECK_INT(figure(port, "requests"), 10);
    CHECK_INT(figure(port, "connections"), 12);
    CHECK_INT(figure(port, "pid"), pid);
    CHECK_INT(figure(port, "refused"), 0);
    CHECK_HAS(get(port, "/stats"), "\nserved: ");
    // Those that closed may not have been noticed yet.
    while (figure(port, "open") != 1)
        ;
}

TEST(stats_know_of_all_workers)
{
    each(all_models(), "--workers 3", check_stats);
}

// With --log the server prints a line for each answer: the worker, the path, the status, the
// bytes.
TEST(a_line_for_each_answer)
{
    static const char file[] = "build/test.log";
    for (int i = 0; i < model_count(); i++) {
        char options[100];
        pid_t pid;
        snprintf(options, sizeof options, "--log --workers 2 >%s", file);
        int port = serve(&pid, models[i].name, options);
        CHECK_HAS(get(port, "/io?ms=1"), "waited");
        CHECK_HAS(get(port, "/nothing"), "Not Found");
        CHECK_INT(test_stop(pid), 0);
        CHECK_INT(test_number("grep -c 'worker [0-9]*, /io: 200, 7 bytes' %s", file), 1);
        CHECK_INT(test_number("grep -c 'worker [0-9]*, ?: 404, 10 bytes' %s", file), 1);
        unlink(file);
    }
}

// /cpu burns CPU time, not time on the clock, and in one thread only.
static void check_cpu(int port, pid_t pid)
{
    long hz = sysconf(_SC_CLK_TCK);
    long before = cpu_ticks(pid);
    CHECK_HAS(get(port, "/cpu?ms=300"), "\r\n\r\nburnt\n");
    CHECK((cpu_ticks(pid) - before + 2) * 1000 / hz >= 290);
}

TEST(cpu_time_is_burnt)
{
    each(all_models() & ~in_processes(), "",
         check_cpu); // children's time is counted when they have ended
}
