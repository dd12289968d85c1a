// test.c: tests of lesson 09. `make test` runs them, the scenes, real peers, and the patches in
// break/.
#define SUMMARY "connections 4, requests 3\n"
#define LOGGED  "answer 'K', 1 byte\n"
#include "contract.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "protocol.h"

// Sends a request of `body_bytes` bytes, in two parts that are cut at `cut`.
static bool send_cut(int fd, uint32_t body_bytes, size_t cut)
{
    static uint8_t request[HEADER_BYTES + BODY_MAX_BYTES];
    uint32_t header = htonl(body_bytes);
    size_t length = HEADER_BYTES + body_bytes;
    memcpy(request, &header, sizeof header);
    return write_all(fd, request, cut) && write_all(fd, request + cut, length - cut);
}

static char answer(int fd)
{
    char reply = 0;
    if (!read_exactly(fd, &reply, 1))
        return 0;
    return reply;
}

static bool exchange(int port)
{
    int fd = net_connect("127.0.0.1", port);
    bool good = fd >= 0 && send_cut(fd, 10, 14) && answer(fd) == REPLY_OK;
    close(fd);
    return good;
}

TEST(requests_in_any_pieces)
{
    pid_t pid;
    int fd = net_connect_or_die("127.0.0.1", test_start(&pid, "./server --port 0"));
    for (size_t cut = 0; cut <= 14; cut++) {
        CHECK(send_cut(fd, 10, cut));
        CHECK_INT(answer(fd), REPLY_OK);
    }
    for (int i = 0; i < 100; i++)
        CHECK(send_cut(fd, (uint32_t)i, 0)); // many at once, an empty one first
    for (int i = 0; i < 100; i++)
        CHECK_INT(answer(fd), REPLY_OK);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_longest_body_and_one_byte_more)
{
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(send_cut(fd, BODY_MAX_BYTES, 4));
    CHECK_INT(answer(fd), REPLY_OK);
    uint32_t header = htonl(BODY_MAX_BYTES + 1);
    CHECK(write_all(fd, &header, sizeof header));
    CHECK_INT(answer(fd), REPLY_TOO_LONG);
    CHECK_INT(answer(fd), 0); // closed
    close(fd);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(quickack_is_accepted)
{
    pid_t pid;
    int fd = net_connect_or_die("127.0.0.1", test_start(&pid, "./server --port 0"));
    uint32_t header = htonl(0 | QUICKACK);
    CHECK(write_all(fd, &header, sizeof header));
    CHECK_INT(answer(fd), REPLY_OK);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// A client sends requests without end and never reads. The server closes its connection, and
// goes on to serve the others.
TEST(a_client_that_does_not_read)
{
    static uint8_t headers[100000]; // 25,000 requests with empty bodies
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    int fd = net_connect_or_die("127.0.0.1", port), little = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little); // soon full of answers
    signal(SIGPIPE, SIG_IGN);
    alarm(3 * TEST_SECONDS); // millions of requests, until the kernel keeps no more answers
    for (int i = 0; i < 400 && write_all(fd, headers, sizeof headers); i++)
        ;
    CHECK(exchange(port));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// A client sends one byte a second. The server closes the connection although bytes come.
TEST(a_byte_now_and_then_buys_no_time)
{
    pid_t pid;
    int fd = net_connect_or_die("127.0.0.1", test_start(&pid, "./server --port 0"));
    uint32_t header = htonl(1000);
    int64_t start = now_ns();
    signal(SIGPIPE, SIG_IGN);
    CHECK(write_all(fd, &header, sizeof header));
    while (now_ns() - start < INT64_C(40000000000) && write_all(fd, "x", 1))
        sleep_ms(1000);
    int64_t took_s = (now_ns() - start) / 1000000000;
    CHECK(took_s >= 19);
    CHECK(took_s <= 30);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// Clients that never finish a request take all places. A client that does finish its requests
// keeps its place, and a new client gets one.
TEST(slow_clients_do_not_lock_out_others)
{
    static int fds[CROWD + 20];
    pid_t pid;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < CROWD + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = test_start(&pid, "./server --port 0"), good = net_connect("127.0.0.1", port);
    for (int i = 0; i < CROWD + 20; i++) { // some of them wait until there is room
        fds[i] = net_connect("127.0.0.1", port);
        CHECK_AT_LEAST(fds[i], 0);
        CHECK(write_all(fds[i], "\0\0", 2));
    }
    for (int i = 0; i < 8; i++, sleep_ms(1000)) {
        CHECK(send_cut(good, 10, 14));
        CHECK_INT(answer(good), REPLY_OK);
    }
    CHECK(exchange(port));
    CHECK(send_cut(good, 10, 14));
    CHECK_INT(answer(good), REPLY_OK);
    CHECK_INT(test_stop(pid), 0);
}

// ---- the client ----------------------------------------------------------------------------

#define TRIES 10

TEST(the_client_shows_each_request)
{
    char command[100];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    static const struct {
        const char *way, *segments;
    } cases[] = {{"nagle", " 2.0 segments a request"},
                 {"nodelay", " 2.0 segments a request"},
                 {"writev", " 1.0 segments a request"},
                 {"cork", " 1.0 segments a request"}};
    for (int i = 0; i < 4; i++) {
        snprintf(command, sizeof command, "./client --port %d --count 3 --way %s", port,
                 cases[i].way);
        // On a busy machine an acknowledgement may come so late that a segment is sent again.
        int tries = 0;
        do
            CHECK_INT(test_run(command), 0);
        while (!strstr(test_output, cases[i].segments) && ++tries < TRIES);
        CHECK_HAS(test_output, "\n   3 ");
        CHECK_HAS(test_output, cases[i].segments);
    }
    snprintf(command, sizeof command, "./client --port %d --count 2 --body 1048576", port);
    CHECK_INT(test_run(command), 0);
    CHECK_INT(test_stop(pid), 0);
}

// A server that thinks for 100 ms about each of three requests, which come whole (--way
// writev).
static int slow_server(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int listener = net_listen("127.0.0.1", 0, 5);
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (fork() == 0) {
        char request[200];
        int fd = accept(listener, NULL, NULL);
        while (read(fd, request, sizeof request) > 0) {
            sleep_ms(100);
            if (!write_all(fd, "K", 1))
                break;
        }
        _exit(0);
    }
    close(listener);
    return ntohs(address.sin_port);
}

// The figures of the client: milliseconds, a block for each four of them, and their mean.
TEST(the_client_measures_each_request)
{
    char command[100];
    double sum_ms = 0, mean_ms = 0, ms;
    snprintf(command, sizeof command, "./client --port %d --count 3 --way writev",
             slow_server());
    CHECK_INT(test_run(command), 0);
    const char *line = test_output;
    for (int i = 1; i <= 3; i++) {
        int number = 0, blocks = 0;
        line = strchr(line, '\n') + 1;
        CHECK_INT(sscanf(line, "%d %lf ms", &number, &ms), 2);
        CHECK_INT(number, i);
        CHECK_BETWEEN(ms, 100, 20000);
        for (const char *c = line; *c != '\n'; c++)
            blocks += !strncmp(c, "█", 3);
        if (ms < 240) // a longer bar is cut
            CHECK_BETWEEN(blocks, ms / 4 - 1, ms / 4 + 1);
        sum_ms += ms;
    }
    CHECK_INT(sscanf(strchr(line, '\n') + 1, "mean %lf ms", &mean_ms), 1);
    CHECK_BETWEEN(mean_ms, sum_ms / 3 - 0.02, sum_ms / 3 + 0.02);
}

// The server's log has each read() with its bytes, and each answer. A line that repeats the one
// before is only counted.
TEST(the_log_has_every_byte)
{
    pid_t pid;
    int port = test_start(&pid, "./server --port 0 >build/log"), on = 1;
    int fd = net_connect("127.0.0.1", port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (int i = 0; i < 14; i++) { // a header that says 10, and a body
        CHECK(write_all(fd, i == 3 ? "\n" : "", 1));
        sleep_ms(2); // as a rule the server reads each byte alone
    }
    CHECK_INT(answer(fd), REPLY_OK);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_number("awk '/read\\(\\)/ { last = $5; sum += last } "
                          "/ more$/ { sum += last * $3 } END { print sum }' build/log"),
              14);
    CHECK_INT(test_number("grep -c \"answer 'K', 1 byte\" build/log"), 1);
    unlink("build/log");
}

// Two answers that follow each other at once: with TCP_NODELAY the second does not wait until
// the client's kernel has acknowledged the first. A busy machine may delay it too, but not
// always.
TEST(an_answer_does_not_wait_for_an_ack)
{
    double quickest_ms = 1000;
    pid_t pid;
    int port = test_start(&pid, "./server --port 0"), fd = net_connect("127.0.0.1", port);
    for (int i = 0; i < 30; i++) { // after these the kernel delays its ACKs
        CHECK(send_cut(fd, 10, 0));
        CHECK_INT(answer(fd), REPLY_OK);
    }
    for (int i = 0; i < 20 && quickest_ms > 20; i++) {
        CHECK(write_all(fd, "\0\0\0\0\0\0\0\0", 8)); // two requests with an empty body
        CHECK_INT(answer(fd), REPLY_OK);
        int64_t first_ns = now_ns();
        CHECK_INT(answer(fd), REPLY_OK);
        if ((double)(now_ns() - first_ns) / 1e6 < quickest_ms)
            quickest_ms = (double)(now_ns() - first_ns) / 1e6;
    }
    CHECK_AT_MOST(quickest_ms, 20);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_client_refuses_bad_options)
{
    CHECK_INT(test_run("./client --way fast"), 2);
    CHECK_HAS(test_output, "--way takes nagle, nodelay, writev or cork, not 'fast'");
    CHECK_INT(test_run("./client --body 1048577"), 2);
    CHECK_INT(test_run("./client stall"), 2);
    CHECK_HAS(test_output, "unexpected argument 'stall'");
}

TEST(the_client_says_if_it_cannot_write)
{
    char command[100];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    snprintf(command, sizeof command, "./client --port %d --count 1 >/dev/full", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(test_stop(pid), 0);
}

// Runs the client against a server that answers the first request with these bytes. The client
// must fail, and say why.
static void expect_refused(const char *answer, size_t length, bool keep, const char *why)
{
    char command[100];
    int port = test_fake_server(answer, length, keep);
    snprintf(command, sizeof command, "timeout 20 ./client --way writev --port %d", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, why);
}

TEST(the_client_is_strict)
{
    expect_refused("", 0, false, "closed the connection after 0 answers");
    expect_refused("K", 1, false, "closed the connection after 1 answers");
    expect_refused("!", 1, true, "refused request 1: its body is too long");
    expect_refused("\033", 1, true, "is not the one byte 'K', but 1, 0x1b first");
    expect_refused("KK", 2, true, "is not the one byte 'K', but 2, 0x4b first");
}

TEST(the_client_does_not_wait_for_ever)
{
    expect_refused("", 0, true, "no answer to request 1 from 127.0.0.1:");
}
