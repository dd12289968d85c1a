// test_proxy.h: the proxy, between a client and an upstream of the test's own. What it does to
// each field is tested in ../../common/test/test_forward.h. A part of test.c.
#include <poll.h>

#define HEAD_A                                                                                 \
    "POST /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n"  \
    "Connection: X-B\r\nX-B: 2\r\nConnection: X-C\r\nX-C: 3\r\nTransfer-Encoding: "            \
    "chunked\r\n\r\n"
#define BODY_A "3;e=f\r\nabc\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = net_listen("127.0.0.1", 0, 16);
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

static int start_proxy(pid_t *pid, int upstream, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./proxy --port 0 --upstream 127.0.0.1:%d %s", upstream,
             options);
    return test_start(pid, command);
}

// Reads from the proxy until an empty line has come.
static void read_request(int fd, char *text, size_t size)
{
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && !strstr(text, "\r\n\r\n"); length += (size_t)got) {
        got = read(fd, text + length, size - 1 - length);
        if (got < 0)
            got = 0;
        text[length + (size_t)got] = '\0';
    }
}

TEST(the_proxy_passes_requests_and_answers)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, ">build/proxy-said");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, HEAD_A BODY_A, strlen(HEAD_A BODY_A)));
    int fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    CHECK_HAS(text, "\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n");
    CHECK_HAS(text, "\r\nVia: 1.1 workbench\r\n");
    CHECK(!strstr(text, "6.6.6.6"));
    CHECK(!strstr(text, "X-B"));
    CHECK(!strstr(text, "X-C"));
    CHECK(write_all(fd, answer, sizeof answer - 1));
    CHECK_INT(probe_read(ssl), 200);
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS))); // on the same two connections
    *text = '\0';
    read_request(fd, text, sizeof text);
    CHECK_HAS(text, "GET / HTTP/1.1\r\nHost: workbench.test\r\n");
    CHECK(write_all(fd, answer, sizeof answer - 1));
    CHECK_INT(probe_read(ssl), 200);
    close(fd); // and its end is the client's end, properly
    char byte;
    CHECK_INT(SSL_read(ssl, &byte, 1), 0);
    CHECK_INT(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("grep -c 'answers 200, 2 bytes$' build/proxy-said"), 0);
    CHECK_TEXT(test_output, "2\n");
    CHECK_INT(test_run("grep -c ': \\(POST /a\\|GET /\\), for 127.0.0.1$' build/proxy-said"),
              0);
    CHECK_TEXT(test_output, "2\n");
    CHECK_INT(test_run("grep -c '  client 127.0.0.1: TLSv1.3, TLS_' build/proxy-said"), 0);
}

// ./client is both ends of the proxy.
TEST(the_client)
{
    char command[200];
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    close(listener); // the client is to listen there
    int port = start_proxy(&pid, upstream_port, "--quiet");
    snprintf(command, sizeof command,
             "timeout 60 ./client --port %d --upstream-port %d 'X-Test: one'", port,
             upstream_port);
    CHECK_INT(test_run(command), 0);
    const char *behind = strstr(test_output, "The server behind the proxy gets");
    CHECK(behind != NULL);
    if (behind) {
        CHECK_HAS(behind, "X-Test: one\r\n");
        CHECK_HAS(behind, "X-Forwarded-Proto: https\r\n");
        CHECK_HAS(behind, "The client gets:\n\n");
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(an_upstream_that_is_not_there)
{
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    char text[2000] = "";
    int port = start_proxy(&pid, upstream_port, "--idle-ms 500");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    int fd = accept(listener, NULL, NULL);
    CHECK_INT(probe_read(ssl), 504); // it says nothing
    probe_close(ssl);
    close(fd);
    ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    close(fd);
    CHECK_INT(probe_read(ssl), 502); // it goes without a word
    probe_close(ssl);
    close(listener);
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_FACTS), 502); // it is not there
    CHECK_HAS(probe_answer, "HTTP/1.1 502 Bad Gateway\r\n");
    CHECK_HAS(probe_answer, "\r\n\r\nBad Gateway: Connection refused\n");
    CHECK_INT(probe_once(port, &(struct probe){0}, "nonsense\r\n\r\n"), 400);
    CHECK_HAS(probe_answer, "\r\n\r\nBad Request: ");
    // A whole URI as the target: https is right here, http is not (RFC 9110 §7.4).
    CHECK_INT(
        probe_once(port, &(struct probe){0}, "GET https://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        502);
    CHECK_INT(probe_once(port, &(struct probe){0}, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
              421);
    CHECK_INT(test_stop(pid), 0);
}

// An answer that is cut by a reset must not look complete to the client.
TEST(an_upstream_that_is_reset)
{
    struct linger reset = {1, 0};
    static char bytes[1000];
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    int fd = accept(listener, NULL, NULL);
    CHECK(write_all(fd, "HTTP/1.0 200 OK\r\n\r\nhalf", 23));
    size_t got;
    CHECK(SSL_read_ex(ssl, bytes, sizeof bytes, &got));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    while (SSL_read_ex(ssl, bytes, sizeof bytes, &got))
        ;
    CHECK(SSL_get_error(ssl, 0) != SSL_ERROR_ZERO_RETURN);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// How many bytes one side takes while the other one reads nothing: it must come to an end.
static size_t fill(int fd, size_t limit)
{
    static char bytes[65536];
    size_t sent = 0;
    struct pollfd out = {fd, POLLOUT, 0};
    net_set_nonblocking(fd);
    while (sent < limit && poll(&out, 1, 1000) == 1) {
        ssize_t part = write(fd, bytes, sizeof bytes);
        if (part > 0)
            sent += (size_t)part;
    }
    return sent;
}

// A client that asks and does not read: the upstream is held up, and others are served.
TEST(back_pressure_towards_the_upstream)
{
    enum { LIMIT = 200 << 20 };
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    int fd = accept(listener, NULL, NULL);
    CHECK(write_all(fd, "HTTP/1.0 200 OK\r\n\r\n", 19));
    CHECK(fill(fd, LIMIT) < LIMIT);
    SSL *other = probe_open(port, &(struct probe){0});
    CHECK(probe_write(other, GET_FACTS, strlen(GET_FACTS)));
    int other_fd = accept(listener, NULL, NULL);
    CHECK(write_all(other_fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38));
    CHECK_INT(probe_read(other), 200);
    probe_close(other);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// An upstream that does not read: the client is held up.
TEST(back_pressure_towards_the_client)
{
    enum { LIMIT = 200 << 20 };
    static const char head[] =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n";
    static char bytes[16384];
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    size_t sent = 0, part;
    CHECK(probe_write(ssl, head, sizeof head - 1));
    int fd = accept(listener, NULL, NULL);
    struct pollfd out = {SSL_get_fd(ssl), POLLOUT, 0};
    net_set_nonblocking(SSL_get_fd(ssl));
    while (sent < LIMIT && poll(&out, 1, 1000) == 1)
        if (SSL_write_ex(ssl, bytes, sizeof bytes, &part))
            sent += part;
    CHECK(sent < LIMIT);
    close(fd);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

TEST(garbage_for_the_proxy)
{
    static const char *const garbage[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "",
                                          "x"};
    pid_t pid;
    int port = start_proxy(&pid, 1, "");
    for (int i = 0; i < 400; i++)
        send_and_end(port, garbage[i % 4], strlen(garbage[i % 4]));
    send_and_end(port, GET_FACTS, strlen(GET_FACTS));
    CHECK_HAS(probe_answer, "HTTP/1.1 400 Bad Request\r\n");
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_FACTS), 502);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("./proxy --upstream nowhere"), 2);
    CHECK_HAS(test_output, "--upstream takes HOST:PORT, not 'nowhere'");
}

// ---- answers that are not whole -------------------------------------------------------------

// Asks, has the upstream send `answer`, and then nothing more, or close. Returns what
// SSL_get_error() says at the end; what the client has got is in probe_answer.
static int end_of_answer(const char *answer, bool closes)
{
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "--idle-ms 500");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    int fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    CHECK(write_all(fd, answer, strlen(answer)));
    if (closes)
        close(fd);
    size_t length = 0, got;
    ERR_clear_error();
    while (length < ANSWER_MAX &&
           SSL_read_ex(ssl, probe_answer + length, ANSWER_MAX - length, &got))
        length += got;
    probe_answer[length] = '\0';
    int error = SSL_get_error(ssl, 0);
    probe_close(ssl);
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
    return error;
}

// Only a whole answer ends in a close_notify: by it the client knows that nothing is missing.
TEST(only_whole_answers_look_whole)
{
    static const struct {
        const char *answer;
        bool closes, whole;
        const char *gets;
    } cases[] = {
        {"HTTP/1.0 200 OK\r\n\r\nall of it", true, true, "all of it"},
        {"HTTP/1.0 200 OK\r\n\r\nhalf", false, false, "half"}, // it stalls
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, false, "half"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true, false, "half"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true, false,
         "half"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n",
         true, true, "2\r\nok\r\n0\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, true,
         "Connection: close\r\n\r\nok"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", false, true,
         "HTTP/1.1 502 Bad Gateway\r\n"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, true,
         "HTTP/1.1 502 Bad Gateway\r\n"},
        {"HTTP/1.1 200", true, true, "HTTP/1.1 502 Bad Gateway\r\n"},
        {"HTTP/1.1 200", false, true, "HTTP/1.1 504 Gateway Timeout\r\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int error = end_of_answer(cases[i].answer, cases[i].closes);
        CHECK_HAS(probe_answer, cases[i].gets);
        CHECK((error == SSL_ERROR_ZERO_RETURN) == cases[i].whole ||
              FAIL("case %zu: SSL_get_error() is %d", i, error));
    }
}

// An upstream that never is silent for --idle-ms has all the time that its answer needs.
TEST(an_answer_that_comes_in_small_parts)
{
    enum { PARTS = 6 };
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "--idle-ms 2000");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
    int fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    CHECK(write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", 38));
    for (int i = 0; i < PARTS; i++) {
        sleep_ms(500);
        CHECK(write_all(fd, "x", 1));
    }
    CHECK_INT(probe_read(ssl), 200);
    CHECK_HAS(probe_answer, "\r\n\r\nxxxxxx");
    probe_close(ssl);
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

// Requests that come before the answers to the ones before: all in their order, and a bad one
// is refused behind them.
TEST(pipelined_requests)
{
    static const char requests[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "HEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "nonsense\r\n\r\n";
    static const char answers[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n";
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, requests, sizeof requests - 1));
    int fd = accept(listener, NULL, NULL);
    while (!strstr(text, "HEAD /2"))
        read_request(fd, text + strlen(text), sizeof text - strlen(text));
    CHECK(write_all(fd, answers, sizeof answers - 1));
    CHECK_INT(probe_read(ssl), 200);
    CHECK_HAS(probe_answer, "\r\n\r\none");
    size_t got, length = 0;
    while (SSL_read_ex(ssl, probe_answer + length, ANSWER_MAX - length, &got))
        length += got;
    probe_answer[length] = '\0';
    CHECK_HAS(probe_answer, "Content-Length: 9999\r\n");
    CHECK_HAS(probe_answer, "\r\n\r\nHTTP/1.1 400 Bad Request\r\n");
    CHECK_INT(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    probe_close(ssl);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// ---- clients that are slow ------------------------------------------------------------------

// A byte of a head now and then buys no time: the head as a whole has a deadline.
TEST(a_head_has_a_deadline)
{
    pid_t pid;
    int port = start_proxy(&pid, 1, "--head-ms 500");
    SSL *ssl = probe_open(port, &(struct probe){0});
    int64_t began_ns = now_ns();
    char byte;
    int flags = fcntl(SSL_get_fd(ssl), F_GETFL);
    fcntl(SSL_get_fd(ssl), F_SETFL, flags | O_NONBLOCK);
    while (SSL_peek(ssl, &byte, 1) != 1 && now_ns() - began_ns < INT64_C(5000000000)) {
        SSL_write(ssl, "G", 1);
        sleep_ms(100);
    }
    fcntl(SSL_get_fd(ssl), F_SETFL, flags);
    CHECK(now_ns() - began_ns < INT64_C(2000000000));
    CHECK_INT(probe_read(ssl), 408);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// More slow clients than the proxy has places: the others are served all the same.
static void crowd(const char *begins)
{
    enum { SLOW = 500, SESSIONS = 1 };
    static SSL *slow[SLOW];
    pid_t pid;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < SLOW + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = start_proxy(&pid, 1, "--quiet");
    for (int i = 0; i < SLOW; i++) {
        slow[i] = probe_open(port, &(struct probe){0});
        CHECK(slow[i] && probe_write(slow[i], begins, strlen(begins)));
    }
    for (int i = 0; i < 10; i++) {
        int64_t began_ns = now_ns();
        CHECK_INT(probe_once(port, &(struct probe){0}, GET_FACTS), 502);
        CHECK(now_ns() - began_ns < INT64_C(2000000000));
        // The one that has waited longest had to go, not the one that has just come.
        struct pollfd first = {SSL_get_fd(slow[0]), POLLRDHUP, 0},
                      last = {SSL_get_fd(slow[SLOW - 1]), POLLRDHUP, 0};
        CHECK(i > 0 || (poll(&last, 1, 0) == 0 && poll(&first, 1, 5000) == 1));
        for (int j = 0; j < SLOW; j += 7)
            probe_write(slow[j], "x", 1);
    }
    for (int i = 0; i < SLOW; i++)
        probe_close(slow[i]);
    CHECK_INT(test_stop(pid), 0);
}

TEST(slow_heads_lock_nobody_out)
{
    crowd("GET / HTTP/1.1\r\nX-");
}

TEST(idle_clients_lock_nobody_out)
{
    crowd("");
}

// Content that comes slower than the proxy has patience for, and an answer that its client does
// not take. In the first ten seconds of an answer the kernels still take some of it.
TEST(content_has_a_pace)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port), seconds = 0;
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *taker = probe_open(port, &(struct probe){0});
    CHECK(probe_write(taker, GET_FACTS, strlen(GET_FACTS)));
    int answer_fd = accept(listener, NULL, NULL);
    read_request(answer_fd, text, sizeof text);
    CHECK(write_all(answer_fd, "HTTP/1.0 200 OK\r\n\r\n", 19));
    fill(answer_fd, 200 << 20);
    int64_t full_ns = now_ns();
    *text = '\0';
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, head, sizeof head - 1));
    int fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    struct pollfd in = {SSL_get_fd(ssl), POLLIN, 0}, cut = {answer_fd, 0, 0};
    for (; seconds < 20; seconds++) {
        SSL_write(ssl, "x", 1);
        if (poll(&in, 1, 1000) == 1 && read(SSL_get_fd(ssl), text, sizeof text) <= 0)
            break;
    }
    CHECK_BETWEEN(seconds, 8, 13);
    CHECK_INT(poll(&cut, 1, 15000), 1); // the proxy has closed both ends
    CHECK_BETWEEN((now_ns() - full_ns) / 1000000000, 7, 24);
    probe_close(ssl);
    probe_close(taker);
    close(fd);
    close(answer_fd);
    CHECK_INT(test_stop(pid), 0);
}
