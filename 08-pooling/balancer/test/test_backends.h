// test_backends.h: backends that break their word, trickle, flood, reset, or say nothing. A
// part of test.c.
#include "layer7.h"
#include "sanitized.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

// What a backend says before it closes, and what the client gets: a status, or 0 where the
// answer is cut.
static const struct {
    const char *says;
    int status;
} answers[] = {
    {"", 502},
    {"nonsense\r\n\r\n", 502},
    {"HTTP/1.1 200 OK", 502},
    {"HTTP/2.0 200 OK\r\n\r\n", 502},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502},
    {"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", 502},
    {OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 502},
    {OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502},
    {OK_HEAD "Content-Length: 5, 5\r\n\r\nhello", 502},
    {OK_HEAD "Content-Length: 10\r\n\r\nhello", 0},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 0},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld", 502},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 502},
    {OK_HEAD "Content-Length: 2\r\n\r\nhello, HTTP/1.1 200 OK\r\n\r\n", 200},
    {OK_HEAD "\r\nto the end", 200},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n", 200},
};

TEST(backends_that_break_their_word)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--no-retry");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct sockaddr_storage address;
        net_address("127.0.0.1", port, SOCK_STREAM, &address);
        CHECK_INT(fetch_open(&f, &address, 0), FETCH_OK);
        CHECK_INT(fetch_send(&f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), FETCH_OK);
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        say(to, answers[i].says);
        close(to);
        enum fetch_result result = fetch_answer(&f);
        int status = result == FETCH_OK ? f.head.status : 0;
        if (status != answers[i].status)
            FAIL("answer %zu: expected %d, got %d", i, answers[i].status, status);
        fetch_close(&f);
    }
    CHECK_INT(test_stop(pid), 0);
}

static void reset(int fd)
{
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

// An answer that only the connection's end would end, and then comes a reset: the client must
// not take it for a whole one.
TEST(a_reset_is_not_an_end)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "");
    int fd = connect_patiently(port);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    int to = accept_soon(listener);
    say(to, OK_HEAD "\r\nhalf");
    CHECK_HAS(read_until(fd, "half"), "half");
    reset(to);
    char byte;
    CHECK_INT(read(fd, &byte, 1), -1);
    CHECK_INT(errno, ECONNRESET);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// One backend takes the request and goes without a word; the other one is good.
TEST(what_is_safe_is_sent_to_another)
{
    static const struct {
        const char *method, *content;
        int status;
    } cases[] = {{"GET", NULL, 200},    {"HEAD", NULL, 200}, {"PUT", "x", 200},
                 {"DELETE", NULL, 200}, {"POST", "x", 502},  {"PATCH", "x", 502}};
    pid_t pid, good;
    char options[80];
    int backend_port, listener = listen_anywhere(&backend_port);
    snprintf(options, sizeof options, "--eject-after 0 --backend 127.0.0.1:%d",
             start_backend(&good, ""));
    int port = start_balancer(&pid, backend_port, options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = connect_patiently(port), status = 0;
        char request[200];
        snprintf(
            request, sizeof request,
            "%s / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
            cases[i].method, cases[i].content ? strlen(cases[i].content) : 0,
            cases[i].content ? cases[i].content : "");
        say(fd, request);
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        close(to);
        sscanf(read_until(fd, "never"), "HTTP/1.1 %d", &status);
        if (status != cases[i].status)
            FAIL("%s: expected %d, got %d", cases[i].method, cases[i].status, status);
        close(fd);
        if (status != 200) // round robin: now it is the good one's turn
            CHECK_INT(ask(port, "GET", "/", "", NULL), 200);
    }
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(good), 0);
}

// A request has a second try, and no third one.
TEST(a_request_is_sent_twice_at_most)
{
    pid_t pid;
    char options[100];
    int backend_port, listener = listen_anywhere(&backend_port);
    snprintf(options, sizeof options,
             "--eject-after 0 --backend 127.0.0.1:%d "
             "--backend 127.0.0.1:%d",
             backend_port, backend_port); // three times the same one
    int port = start_balancer(&pid, backend_port, options);
    int fd = connect_patiently(port);
    say(fd, GET);
    for (int i = 0; i < 2; i++) {
        int to = accept_soon(listener);
        CHECK_HAS(read_until(to, "\r\n\r\n"), "GET / ");
        close(to);
    }
    CHECK_HAS(read_until(fd, "\r\n\r\n502"), "HTTP/1.1 502 ");
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

// A backend that is ejected comes back after --eject-ms, and not before.
TEST(an_ejected_backend_comes_back)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--no-retry --eject-after 1 --eject-ms 1500");
    int64_t began_ns = now_ns();
    int fd = connect_patiently(port);
    say(fd, GET);
    close(accept_soon(listener));
    CHECK_HAS(read_until(fd, "\r\n\r\n502"), "HTTP/1.1 502 ");
    bool ejected = true;
    for (int i = 0; ejected && i < PATIENCE_S * 100; i++) {
        CHECK_INT(ask(port, "GET", "/balancer?format=json", "", NULL), 200);
        ejected = memmem(f.content.at, f.content.length, "\"ejected\"", 9);
        if (ejected)
            sleep_ms(10);
    }
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 1500, 4900); // not the 5 s of its default
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

// A connection that the backend has closed while it waited: no client notices, not even with a
// request that cannot be repeated.
TEST(connections_that_went_stale)
{
    pid_t pid, backend;
    char options[60];
    int backend_port = start_backend(&backend, "");
    int port = start_balancer(&pid, backend_port, "--eject-after 0");
    for (int i = 0; i < 5; i++) {
        CHECK_INT(ask(port, "POST", "/", "", "x"), 200);
        CHECK_INT(test_stop(backend), 0);
        snprintf(options, sizeof options, "./backend --quiet --port %d", backend_port);
        test_start(&backend, options);
        CHECK_INT(ask(port, "POST", "/", "", "x"), 200);
    }
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

TEST(backends_that_do_not_answer)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--answer-ms 200 --no-retry");
    CHECK_INT(ask(port, "GET", "/", "", NULL), 504); // it takes the connection, and is silent
    close(accept_soon(listener));
    int fd = connect_patiently(port);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    int to = accept_soon(listener);
    say(to, OK_HEAD "Content-Length: 9\r\n\r\nhalf"); // it stops in the middle
    CHECK_HAS(read_until(fd, "never"), "\r\n\r\nhalf");
    close(fd);
    close(to);
    close(listener);
    CHECK_INT(ask(port, "GET", "/", "", NULL), 502); // it is not there
    CHECK_INT(test_stop(pid), 0);
}

// A listener whose queue is full takes no connection: the kernel drops the SYN. The balancer
// waits for --connect-ms, and not for the 1000 ms that are its default.
TEST(a_backend_that_takes_no_connection)
{
    enum { WAITING = 4 };
    pid_t pid;
    int backend_port, fds[WAITING], listener = listen_anywhere(&backend_port);
    CHECK_INT(listen(listener, 0), 0);
    struct sockaddr_storage address;
    net_address("127.0.0.1", backend_port, SOCK_STREAM, &address);
    for (int i = 0; i < WAITING; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof(struct sockaddr_in)))
            CHECK_INT(errno, EINPROGRESS);
    }
    int port = start_balancer(&pid, backend_port, "--connect-ms 1600 --no-retry");
    int64_t began_ns = now_ns();
    CHECK_INT(ask(port, "GET", "/", "", NULL), 504);
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 1600, PATIENCE_S * 1000 - 1000);
    for (int i = 0; i < WAITING; i++)
        close(fds[i]);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

// Every second answer is a 500. It is an answer: it passes, and is not asked for again.
TEST(a_backend_that_fails)
{
    pid_t pid, backend;
    int port = start_balancer(&pid, start_backend(&backend, "--fail-every 2"), "");
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ask(port, "GET", "/", "", NULL), 200);
        CHECK_INT(ask(port, "GET", "/", "", NULL), 500);
    }
    char command[60];
    snprintf(command, sizeof command, "./client --port %d --count 4", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "\n  one  "); // and its status, where that is not 200
    CHECK_HAS(test_output, "\n  one, 500  ");
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

// It is down by the checks, and up again.
TEST(active_checks)
{
    pid_t pid, one, two;
    char command[300];
    int port_one = start_backend(&one, "--name one"),
        port_two = start_backend(&two, "--name two --sick");
    snprintf(command, sizeof command,
             "./balancer --quiet --port 0 --check-ms 20 --fall 2 --rise 2 --backend "
             "127.0.0.1:%d --backend 127.0.0.1:%d",
             port_one, port_two);
    int port = test_start(&pid, command);
    for (int tries = 0; tries < 500; tries++) {
        CHECK_INT(ask(port, "GET", "/balancer?format=json", "", NULL), 200);
        if (memmem(f.content.at, f.content.length, "\"down\"", 6))
            break;
        sleep_ms(20);
    }
    for (int i = 0; i < 10; i++) {
        CHECK_INT(ask(port, "GET", "/", "", NULL), 200);
        CHECK(http_is(http_field(&f.head, "x-backend"), "one"));
    }
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(one), 0);
    CHECK_INT(test_stop(two), 0);
}

// At layer 7 a check is good if the answer is 2xx or 3xx.
TEST(answers_to_a_check)
{
    static const struct {
        const char *answer, *state;
    } cases[] = {{"404 Not Found", "down"},   {"204 No Content", "up"},
                 {"400 Bad Request", "down"}, {"399 Odd", "up"},
                 {"503 Busy", "down"},        {"301 Moved Permanently", "up"}};
    pid_t pid;
    char text[100];
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port,
                              "--check-ms 20 --check-timeout-ms 15000 --fall 1 --rise 1");
    int check = accept_soon(listener);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_HAS(read_until(check, "\r\n\r\n"), "GET /health HTTP/1.1\r\n");
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n",
                 cases[i].answer);
        say(check, text);
        close(check);
        check = accept_soon(listener); // the next one: that one has been judged
        CHECK_INT(ask(port, "GET", "/balancer?format=json", "", NULL), 200);
        snprintf(text, sizeof text, "\"state\":\"%s\"", cases[i].state);
        if (!memmem(f.content.at, f.content.length, text, strlen(text)))
            FAIL("%s: expected %s, got %.*s", cases[i].answer, text, (int)f.content.length,
                 f.content.at);
    }
    close(check);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

// ---- backends that trickle, flood, and reset -----------------------------------------------

static bool can_read(int fd)
{
    struct pollfd in = {fd, POLLIN, 0};
    return poll(&in, 1, 0) == 1;
}

// A byte now and then buys no more time for a head. An answer's content may take as long as it
// likes, so long as something comes.
TEST(backends_that_trickle)
{
    enum { ANSWER_MS = 1000, BYTE_MS = 100, BYTES = 12 };
    static const char begins[] = "HTTP/1.1 200 OK\r\nX: ";
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--answer-ms 1000 --no-retry");
    int fd = connect_patiently(port);
    say(fd, GET);
    int to = accept_soon(listener);
    for (int i = 0; i < 200 && !can_read(fd); i++) {
        send(to, i < (int)strlen(begins) ? &begins[i] : "y", 1, MSG_NOSIGNAL);
        sleep_ms(BYTE_MS);
    }
    CHECK_HAS(read_until(fd, "\r\n\r\n504"), "HTTP/1.1 504 ");
    close(to);
    say(fd, GET);
    to = accept_soon(listener);
    say(to, HEAD "12\r\n\r\n");
    int64_t began = now_ns();
    for (int i = 0; i < BYTES; i++) {
        sleep_ms(BYTE_MS);
        say(to, "z");
    }
    CHECK(now_ns() - began > ANSWER_MS * INT64_C(1000000));
    CHECK_HAS(read_until(fd, "zzzzzzzzzzzz"), "HTTP/1.1 200 ");
    close(fd);
    close(to);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

#define FLOOD_BYTES ((size_t)100 << 20)

// Sends it over and over, until the balancer has closed the connection; at most FLOOD_BYTES.
static size_t flood(int to, const char *text)
{
    static char bytes[65536];
    struct timeval patience = {PATIENCE_S, 0};
    size_t sent = 0, part = strlen(text);
    setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (size_t at = 0; at + part <= sizeof bytes; at += part)
        memcpy(bytes + at, text, part);
    ssize_t more = 1;
    while (sent < FLOOD_BYTES && more > 0) {
        more = send(to, bytes, sizeof bytes / part * part, MSG_NOSIGNAL);
        if (more > 0)
            sent += (size_t)more;
    }
    return sent;
}

// More bytes than there should be: the client gets what is right, or learns that it is not, and
// the balancer does not store them.
TEST(backends_that_flood)
{
    static const struct {
        const char *begins, *goes_on, *client_gets;
    } cases[] = {{OK_HEAD, "X-Field: value\r\n", "HTTP/1.1 502 "},
                 {"HTTP/1.1 200 ", "y", "HTTP/1.1 502 "},
                 {OK_HEAD "Content-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\n", "hello"},
                 {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "1", "hello"},
                 {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;", "e", "hello"},
                 {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                  "X-Trailer: value\r\n", "hello"}};
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--no-retry --eject-after 0");
    long before = memory_kb(pid, "VmRSS");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = connect_patiently(port);
        say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        say(to, cases[i].begins);
        if (*cases[i].client_gets == 'h') // what is good passes before the bad comes
            CHECK_HAS(read_until(fd, cases[i].client_gets), cases[i].client_gets);
        if (flood(to, cases[i].goes_on) >= FLOOD_BYTES)
            FAIL("case %zu: the balancer has read it all", i);
        const char *text = read_until(fd, "never"); // the connection ends
        if (*cases[i].client_gets == 'H')
            CHECK_HAS(text, cases[i].client_gets);
        CHECK(strlen(text) < 20000);
        close(fd);
        close(to);
    }
    CHECK_AT_MOST(memory_kb(pid, "VmHWM") - before, SANITIZED ? 50000 : 2000);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

TEST(backends_that_reset)
{
    static const struct {
        const char *says, *client_gets;
        bool more; // the client's connection goes on
    } cases[] = {{"", "HTTP/1.1 502 ", true},
                 {"HTTP/1.1 200 O", "HTTP/1.1 502 ", true},
                 {OK_HEAD "Content-Length: 10\r\n\r\nhello", "hello", false},
                 {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello", false}};
    pid_t pid;
    char byte;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--no-retry --eject-after 0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = connect_patiently(port);
        say(fd, GET);
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        say(to, cases[i].says);
        if (!cases[i].more) // else the reset could overtake the answer
            read_until(fd, "hello");
        reset(to);
        if (cases[i].more)
            CHECK_HAS(read_until(fd, "\r\n\r\n502"), cases[i].client_gets);
        else
            CHECK_INT(read(fd, &byte, 1), 0); // less than was announced: that says it
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
    port = start_balancer(&pid, backend_port, "--layer 4");
    int fd = connect_patiently(port);
    int to = accept_soon(listener);
    say(to, "hello");
    CHECK_TEXT(read_until(fd, "hello"), "hello");
    reset(to);
    CHECK_INT(read(fd, &byte, 1), -1);
    CHECK_INT(errno, ECONNRESET);
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}
