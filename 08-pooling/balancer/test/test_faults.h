// test_faults.h: what goes wrong: backends that break their word, clients that are slow, and
// bytes that nobody should send. A part of test.c.
#include "layer7.h"
#include "sanitized.h"

static int start_balancer(pid_t *pid, int backend, const char *options);
static int start_backend(pid_t *pid, const char *options);
static int listen_anywhere(int *port);
static int accept_soon(int listener);
static int connect_patiently(int port);
static char *read_until(int fd, const char *end);
static void say(int fd, const char *text);

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

// An answer that only the connection's end would end, and then comes a reset: the client must
// not take it for a whole one.
TEST(a_reset_is_not_an_end)
{
    pid_t pid;
    struct linger reset = {1, 0};
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "");
    int fd = connect_patiently(port);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    int to = accept_soon(listener);
    say(to, OK_HEAD "\r\nhalf");
    CHECK_HAS(read_until(fd, "half"), "half");
    setsockopt(to, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(to);
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

// ---- clients -------------------------------------------------------------------------------

TEST(slow_clients)
{
    enum { PLACES = 20 };
    pid_t pid, backend;
    int fds[PLACES + 10];
    int port =
        start_balancer(&pid, start_backend(&backend, ""), "--clients 20 --head-ms 60000");
    for (int i = 0; i < PLACES + 10; i++) {
        fds[i] = connect_patiently(port);
        say(fds[i], "GET / HT");
    }
    CHECK_INT(ask(port, "GET", "/", "", NULL), 200); // the slowest one has made place
    for (int i = 0; i < PLACES + 10; i++)
        close(fds[i]);
    CHECK_INT(test_stop(pid), 0);
    port = start_balancer(&pid, 1, "--head-ms 300");
    fds[0] = connect_patiently(port);
    say(fds[0], "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 8; i++) { // a byte now and then buys no more time
        sleep_ms(50);
        send(fds[0], "x", 1, MSG_NOSIGNAL);
    }
    CHECK_HAS(read_until(fds[0], "never"), "HTTP/1.1 408 ");
    close(fds[0]);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

TEST(requests_that_are_refused)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505}};
    pid_t pid, backend;
    int port = start_balancer(&pid, start_backend(&backend, ""), "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = connect_patiently(port), status = 0;
        say(fd, cases[i].request);
        sscanf(read_until(fd, "never"), "HTTP/1.1 %d", &status);
        if (status != cases[i].status)
            FAIL("request %zu: expected %d, got %d", i, cases[i].status, status);
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

// ---- back-pressure -------------------------------------------------------------------------

// A gigabyte for a client that at first reads nothing: the balancer's memory stays as it is.
TEST(a_large_answer_in_flat_memory)
{
    const long long size = SANITIZED ? 100000000 : 1LL << 30;
    static char bytes[1 << 17];
    for (int layer = 4; layer <= 7; layer += 3) {
        pid_t pid, backend;
        char options[20], request[100];
        snprintf(options, sizeof options, "--layer %d", layer);
        int port = start_balancer(&pid, start_backend(&backend, ""), options);
        int fd = connect_patiently(port);
        long before = memory_kb(pid, "VmRSS");
        snprintf(request, sizeof request, "GET /bytes/%lld HTTP/1.1\r\nHost: a\r\n\r\n", size);
        say(fd, request);
        sleep_ms(200);
        long long got = 0;
        while (got < size) {
            ssize_t part = read(fd, bytes, sizeof bytes);
            if (part <= 0)
                break;
            got += part;
        }
        CHECK(got >= size);
        CHECK_AT_MOST(memory_kb(pid, "VmHWM") - before, SANITIZED ? 50000 : 2000);
        close(fd);
        CHECK_INT(test_stop(pid), 0);
        CHECK_INT(test_stop(backend), 0);
    }
}

// How many bytes one side takes while the other one reads nothing.
static size_t fill(int fd, size_t limit)
{
    static char bytes[65536];
    size_t sent = 0;
    struct pollfd out = {fd, POLLOUT, 0};
    net_set_nonblocking(fd);
    while (sent < limit && poll(&out, 1, 500) == 1) {
        ssize_t part = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        if (part <= 0 && errno != EAGAIN)
            break;
        if (part > 0)
            sent += (size_t)part;
    }
    return sent;
}

TEST(an_upload_that_nobody_reads)
{
    enum { LIMIT = 200 << 20 };
    for (int layer = 4; layer <= 7; layer += 3) {
        pid_t pid;
        char options[20];
        int backend_port, listener = listen_anywhere(&backend_port);
        snprintf(options, sizeof options, "--layer %d", layer);
        int port = start_balancer(&pid, backend_port, options);
        int fd = connect_patiently(port);
        say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n");
        int to = accept_soon(listener);
        CHECK(fill(fd, LIMIT) < LIMIT);
        close(to);
        close(fd);
        close(listener);
        CHECK_INT(test_stop(pid), 0);
    }
}

// ---- mutations -----------------------------------------------------------------------------

static const char *const heads[] = {
    "GET /a?b=c HTTP/1.1\r\nHost: shop.example:80\r\nCookie: a=1; balancer=0123abcd; "
    "c=2\r\n\r\n",
    "POST /api/x HTTP/1.1\r\nHost: a\r\nCookie: balancer=\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.1\r\nHost: h\r\nCookie: ;;; =; balancer=1;balancer=2\r\nConnection: "
    "Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 1\r\n\r\n"};

static const struct forward_proxy test_proxy = {"test", false};

// What is read of a head, and what is written of it, can be read again.
static void try_head(const char *bytes, size_t length)
{
    static char written[FORWARD_HEAD_BYTES];
    struct http_head head, again;
    if (http_read_request(bytes, length, &head) <= 0 || forward_refuses(&head))
        return;
    struct http_text path, query;
    http_split_target(head.target, &path, &query);
    sticky_find(&head);
    backends_find_group(head.host, path);
    struct forward forward = {.by = &test_proxy, .client = "192.0.2.1"};
    struct http_out out = {written, sizeof written, 0, false};
    forward_request_head(&forward, &head, &out);
    CHECK(!out.overflow);
    CHECK_INT(http_read_request(written, out.length, &again), 1);
    CHECK(http_is(http_field(&again, "x-forwarded-for"), "192.0.2.1"));
    CHECK_INT(again.content_length, head.content_length);
    CHECK_INT(again.chunked, head.chunked);
}

static size_t mutate(char bytes[300], const char *from, unsigned long *random)
{
    size_t length = strlen(from);
    memcpy(bytes, from, length);
    for (unsigned long n = next_random(random) % 4 + 1; n > 0; n--)
        bytes[next_random(random) % length] = (char)next_random(random);
    return length - (next_random(random) % 8 == 0) * (next_random(random) % length);
}

TEST(mutated_heads)
{
    unsigned long random = 1;
    char bytes[300];
    backends_add("127.0.0.1:1");
    for (int i = 0; i < 100000; i++) {
        size_t length = mutate(bytes, heads[i % 3], &random);
        char *exact = memcpy(malloc(length), bytes, length);
        try_head(exact, length);
        free(exact);
    }
}

// The same against a balancer that runs, and mutated answers from behind.
TEST(mutated_requests_and_answers)
{
    pid_t pid, backend;
    unsigned long random = 2;
    char bytes[300];
    int port = start_balancer(&pid, start_backend(&backend, ""), "--sticky --head-ms 100");
    for (int i = 0; i < 1000; i++) {
        int fd = connect_patiently(port);
        size_t length = mutate(bytes, heads[i % 3], &random);
        CHECK(write_all(fd, bytes, length));
        close(fd);
    }
    CHECK_INT(ask(port, "GET", "/", "", NULL), 200);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
    int backend_port, listener = listen_anywhere(&backend_port);
    port = start_balancer(&pid, backend_port, "--no-retry --eject-after 0");
    for (int i = 0; i < 1000; i++) {
        int fd = connect_patiently(port);
        say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        size_t length = mutate(bytes, answers[8 + i % 10].says, &random);
        send(to, bytes, length, MSG_NOSIGNAL);
        close(to);
        if (!*read_until(fd, "never")) // some answer, and an end
            FAIL("no answer: %zu bytes, %d of '%.*s'", length, errno, (int)length, bytes);
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
}
