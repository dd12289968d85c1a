// test_load.h: tests of the server with many clients at once, with slow ones, with odd ones.
#ifndef TEST_LOAD_H
#define TEST_LOAD_H

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>

#include "test_talk.h"

// ---- many at once --------------------------------------------------------------------------

#define RACERS 20

// Waits until so many requests are under way.
static inline void await_under_way(int port, long count)
{
    while (figure(port, "/stats", "under_way") < count)
        sleep_ms(2);
}

TEST(the_same_key_twenty_times_at_once)
{
    int fds[RACERS], made = 0, busy = 0;
    pid_t pid;
    int port = serve(&pid, "--process-ms 500");
    fds[0] = begin_charge(port, "/charges", "k", A_CHARGE);
    await_under_way(port, 1);
    for (int i = 1; i < RACERS; i++)
        fds[i] = begin_charge(port, "/charges", "k", A_CHARGE);
    for (int i = RACERS - 1; i >= 0; i--) {
        int status = status_of(fds[i]);
        if (status == 409)
            CHECK_HAS(answer, "\"field\":\"Idempotency-Key\"");
        made += status == 201;
        busy += status == 409;
    }
    CHECK_INT(made + busy, RACERS); // a late one may have come when it was over
    CHECK_AT_LEAST(made, 1);
    CHECK_AT_LEAST(busy, 1);
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK(was_replayed());
    expect_balance(port, 1, 500);
    CHECK_INT(test_stop(pid), 0);
}

// The notes' pattern: while the first has checked and not marked yet, the others check too.
TEST(the_notes_pattern_charges_twice)
{
    int fds[5];
    pid_t pid;
    int port = serve(&pid, "--lookup-ms 1000");
    for (int i = 0; i < 5; i++) {
        fds[i] = begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE);
        await_under_way(port, i ? 2 : 1); // the second one is there before the first has marked
    }
    for (int i = 0; i < 5; i++)
        status_of(fds[i]);
    CHECK(figure(port, "/balance", "count") >= 2);
    CHECK_INT(test_stop(pid), 0);
}

// A client that goes away in the middle, politely or not, has its charge all the same.
TEST(a_client_that_has_gone_is_charged)
{
    struct linger reset = {1, 0};
    pid_t pid;
    char key[10];
    int port = serve(&pid, "--process-ms 200");
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "k%d", i);
        int fd = begin_charge(port, "/charges", key, A_CHARGE);
        await_under_way(port, 1);
        if (i & 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        while (figure(port, "/stats", "charges") < i + 1)
            sleep_ms(5);
        CHECK_INT(charge(port, key, A_CHARGE), 201);
        CHECK(was_replayed());
    }
    expect_balance(port, 10, 5000);
    CHECK_INT(test_stop(pid), 0);
}

// When it is told to stop, it first does what it has begun.
TEST(a_stop_in_the_middle)
{
    pid_t pid;
    int port = serve(&pid, "--process-ms 300"), fds[8];
    char key[10];
    for (int i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "k%d", i);
        fds[i] = begin_charge(port, "/charges", key, A_CHARGE);
    }
    await_under_way(port, 8);
    CHECK_INT(test_stop(pid), 0);
    for (int i = 0; i < 8; i++)
        CHECK_INT(status_of(fds[i]), 201);
    port = serve(&pid, "");
    expect_balance(port, 8, 4000);
    CHECK_INT(test_stop(pid), 0);
}

#define PIPELINED 200

// One after another on one connection, all sent at once: each in its place, and each once.
TEST(pipelined_charges)
{
    static char text[PIPELINED * 200];
    size_t length = 0;
    pid_t pid;
    int port = serve(&pid, ""), count = 0;
    for (int i = 0; i < PIPELINED; i++)
        length += (size_t)sprintf(
            text + length,
            "POST /charges HTTP/1.1\r\nHost: h\r\n%sIdempotency-Key: k%d\r\n"
            "Content-Length: %zu\r\n\r\n" A_CHARGE,
            i == PIPELINED - 1 ? "Connection: close\r\n" : "", i / 2, sizeof A_CHARGE - 1);
    int fd = say(port, "%s", text);
    last_words(fd);
    for (const char *at = answer; (at = strstr(at, "HTTP/1.1 201 ")); at++, count++) {
        const char *next = strstr(at + 1, "HTTP/1.1 "),
                   *mark = strstr(at, "Idempotent-Replayed");
        CHECK_INT(mark && (!next || mark < next), count % 2);
    }
    CHECK_INT(count, PIPELINED);
    expect_balance(port, PIPELINED / 2, 500 * PIPELINED / 2);
    CHECK_INT(test_stop(pid), 0);
}

// Many connections that each wait for the disk share its syncs.
TEST(many_charges_share_a_sync)
{
    enum { CLIENTS = 200 };
    static int fds[CLIENTS];
    char key[20];
    pid_t pid;
    int port = serve(&pid, "--process-ms 1000");
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(key, sizeof key, "k%d", i);
        fds[i] = begin_charge(port, "/charges", key, A_CHARGE);
    }
    for (int i = 0; i < CLIENTS; i++)
        CHECK_INT(status_of(fds[i]), 201);
    expect_balance(port, CLIENTS, 500 * CLIENTS);
    CHECK(figure(port, "/stats", "syncs") <= CLIENTS);
    CHECK_INT(test_stop(pid), 0);
}

// ---- compaction ----------------------------------------------------------------------------

TEST(the_journal_stays_small)
{
    static char content[200];
    pid_t pid;
    char key[20];
    int port = serve(&pid, "--waste-kb 4 --key-ttl 0.05");
    for (int i = 0; i < 300; i++) {
        snprintf(content, sizeof content, "{\"owner\":\"%0*d\",\"limit\":%d}", 90, i, i);
        CHECK(ask(port, "PUT", "/accounts/a", "", content) / 100 == 2);
        if (i % 10 == 0) {
            snprintf(key, sizeof key, "k%d", i);
            CHECK_INT(charge(port, key, A_CHARGE), 201);
            CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", key, A_CHARGE)),
                      201);
        }
    }
    CHECK(figure(port, "/stats", "rewrites") >= 3);
    CHECK(figure(port, "/stats", "bytes") < 20000); // 300 accounts alone are 45,000
    expect_balance(port, 60, 30000);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    expect_balance(port, 60, 30000);
    CHECK_INT(figure(port, "/accounts/a", "limit"), 299);
    CHECK_INT(test_stop(pid), 0);
}

// ---- HTTP ----------------------------------------------------------------------------------

TEST(odd_requests)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 404},
        {"GET /charges/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 404},
        {"PUT /charges HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 405},
        {"POST /balance HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 405},
        {"BREW /balance HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 405},
        {"HEAD /balance HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200},
        {"GET /balance HTTP/1.0\r\n\r\n", 200},
        {"GET http://h/balance HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200},
        {"GET /balance HTTP/1.1\r\n\r\n", 400},
        {"GET /balance HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"nonsense\r\n\r\n", 400},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nContent-Length: 16385\r\n\r\n", 413},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
         400},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /charges HTTP/1.1\r\nHost: h\r\nConnection: close\r\nIdempotency-Key: chunks\r\n"
         "Transfer-Encoding: chunked\r\n\r\n1b\r\n{\"amount\":500,\"currency\":\"e\r\n"
         "18;x=y\r\nur\",\"source\":\"tok_visa\"}\r\n0\r\nX: y\r\n\r\n",
         201},
    };
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = status_of(say(port, "%s", cases[i].text));
        if (status != cases[i].status)
            FAIL("%s: %d", cases[i].text, status);
        CHECK(status < 400 || strstr(answer, "application/problem+json"));
    }
    // The same one, byte by byte.
    const char *chunks = cases[sizeof cases / sizeof *cases - 1].text;
    int fd = net_connect_or_die("127.0.0.1", port);
    for (const char *at = chunks; *at; at++)
        CHECK(write_all(fd, at, 1));
    CHECK_INT(status_of(fd), 201);
    CHECK(was_replayed());
    CHECK_INT(test_stop(pid), 0);
}

TEST(content_that_is_too_much)
{
    static char text[100000];
    pid_t pid;
    int port = serve(&pid, "");
    memset(text, 'x', sizeof text - 1);
    CHECK_INT(charge(port, "k", text), 413);
    CHECK_HAS(answer, "\"detail\":\"");
    // In chunks of one byte: what counts is the content.
    size_t length = (size_t)sprintf(text, "POST /charges HTTP/1.1\r\nHost: h\r\n"
                                          "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 16385; i++)
        length += (size_t)sprintf(text + length, "1\r\nx\r\n");
    CHECK_INT(status_of(say(port, "%s", text)), 413);
    // Deep, and with many values: it is JSON, but more than is read.
    memset(text, '[', 16000);
    text[16000] = '\0';
    CHECK_INT(charge(port, "k", text), 400);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_client_that_asks_first)
{
    pid_t pid;
    int port = serve(&pid, "");
    int fd = say(port,
                 "POST /charges HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                 "Expect: 100-continue\r\nIdempotency-Key: k\r\nContent-Length: %zu\r\n\r\n",
                 sizeof A_CHARGE - 1);
    char go_on[26] = "";
    CHECK(read_exactly(fd, go_on, 25));
    CHECK(!strcmp(go_on, "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(write_all(fd, A_CHARGE, sizeof A_CHARGE - 1));
    CHECK_INT(status_of(fd), 201);
    CHECK_INT(test_stop(pid), 0);
}

// Each refusal says why, as RFC 9457 has it.
TEST(refusals_have_reasons)
{
    static const struct {
        const char *text, *why;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "a Host field is missing", 400},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "only HTTP/1.1 and HTTP/1.0", 505},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x, chunked\r\n\r\n", "coding", 501},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n", "expectation", 417},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 16385\r\n\r\n", "longer than", 413},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
         "two Content-Length fields", 400},
    };
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(status_of(say(port, "%s", cases[i].text)), cases[i].status);
        CHECK_HAS(answer, "\r\nContent-Type: application/problem+json\r\n");
        const char *why = strstr(answer, "\"detail\":\"");
        CHECK(why);
        CHECK_HAS(why, cases[i].why);
    }
    CHECK_INT(test_stop(pid), 0);
}

// Empty lines are no part of a request (RFC 9112 §2.2): a client that sends nothing else is
// idle, and gets no answer.
TEST(empty_lines_are_no_request)
{
    pid_t pid;
    int port = serve(&pid, "--idle-ms 200");
    CHECK_INT(status_of(say(port, "\r\n\r\n")), 0);
    CHECK(!*answer);
    CHECK_INT(status_of(say(port, "\r\nG")), 408);
    CHECK_INT(test_stop(pid), 0);
}

TEST(slow_clients)
{
    pid_t pid;
    int port = serve(&pid, "--idle-ms 200");
    CHECK_INT(status_of(net_connect_or_die("127.0.0.1", port)), 0); // closed without a word
    CHECK_INT(
        status_of(say(port, "POST /charges HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n{")),
        408);
    CHECK_INT(status_of(say(port, "POST /cha")), 408);
    CHECK_INT(test_stop(pid), 0);
    // A client that waits for the bank is not slow.
    port = serve(&pid, "--idle-ms 100 --process-ms 400");
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK_INT(test_stop(pid), 0);
}

#endif
