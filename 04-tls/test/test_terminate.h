// test_terminate.h: the proxy at which TLS ends, and what it does to requests. A part of
// test.c.
#include <poll.h>

#include "forward.h"

#define HEAD_A                                                                                 \
    "POST /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-A: 1\r\nConnection: X-B\r\n" \
    "X-B: 2\r\nForwarded: for=6.6.6.6\r\nTransfer-Encoding: chunked\r\n\r\n"
#define BODY_A "3;e=f\r\nabc\r\n0\r\n\r\n"
#define HEAD_B                                                                                 \
    "GET http://y:8/b?q HTTP/1.0\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n"

static const char rewritten[] =
    "POST /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n"
    "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n" BODY_A
    "GET /b?q HTTP/1.0\r\nHost: y:8\r\n"
    "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";

TEST(requests_are_rewritten_in_any_pieces)
{
    static const char requests[] = HEAD_A BODY_A HEAD_B "GET /no-more HTTP/1.1\r\n";
    static char bytes[100000];
    for (size_t cut = 0; cut < sizeof requests; cut++) {
        struct forward forward = {.client = "9.9.9.9"};
        struct http_out out = {bytes, sizeof bytes, 0, false};
        size_t used = forward_requests(&forward, requests, cut, &out);
        forward_requests(&forward, requests + used, sizeof requests - 1 - used, &out);
        CHECK_INT((long)out.length, (long)sizeof rewritten - 1);
        CHECK(!memcmp(bytes, rewritten, sizeof rewritten - 1));
        CHECK(forward.last && !forward.refused && !out.overflow);
        CHECK_INT(forward.requests, 2);
    }
}

TEST(requests_that_are_not_passed_on)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For : 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400}};
    static char bytes[100000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward forward = {.client = "9.9.9.9"};
        struct http_out out = {bytes, sizeof bytes, 0, false};
        forward_requests(&forward, cases[i].request, strlen(cases[i].request), &out);
        CHECK_INT(forward.refused, cases[i].status);
    }
    // Without room for a whole head nothing happens.
    struct forward forward = {.client = "9.9.9.9"};
    struct http_out out = {bytes, FORWARD_HEAD_BYTES - 1, 0, false};
    CHECK_INT((long)forward_requests(&forward, GET_FACTS, strlen(GET_FACTS), &out), 0);
}

// The framing of a request can not be taken away by naming it in Connection.
TEST(the_length_of_a_request_stays)
{
    static char bytes[100000];
    struct forward forward = {.client = "9.9.9.9"};
    struct http_out out = {bytes, sizeof bytes, 0, false};
    static const char request[] = "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\n"
                                  "Content-Length: 2\r\n\r\nok";
    forward_requests(&forward, request, sizeof request - 1, &out);
    bytes[out.length] = '\0';
    CHECK_HAS(bytes, "\r\nContent-Length: 2\r\n");
    CHECK(!strstr(bytes, "Connection"));
}

// ---- the proxy itself, with a server of the test's own behind it ---------------------------

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
    snprintf(command, sizeof command, "./terminate --port 0 --upstream 127.0.0.1:%d %s",
             upstream, options);
    return test_start(pid, command);
}

// Reads from the proxy until an empty line has come.
static void read_request(int fd, char *text, size_t size)
{
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && !strstr(text, "\r\n\r\n"); length += (size_t)got) {
        got = read(fd, text + length, size - 1 - length);
        got = got > 0 ? got : 0;
        text[length + (size_t)got] = '\0';
    }
}

TEST(the_proxy_passes_requests_and_answers)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char text[2000] = "";
    int upstream_port, listener = listen_anywhere(&upstream_port);
    pid_t pid;
    int port = start_proxy(&pid, upstream_port, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, HEAD_A BODY_A, strlen(HEAD_A BODY_A)));
    int fd = accept(listener, NULL, NULL);
    read_request(fd, text, sizeof text);
    CHECK_HAS(text, "\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n");
    CHECK(!strstr(text, "6.6.6.6"));
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
    CHECK_INT(probe_once(port, &(struct probe){0}, "nonsense\r\n\r\n"), 400);
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
    CHECK(write_all(fd, "HTTP/1.1 200 OK\r\n\r\nhalf", 23));
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
        sent += part > 0 ? (size_t)part : 0;
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
    CHECK_INT(test_run("./terminate --upstream nowhere"), 2);
    CHECK_HAS(test_output, "--upstream takes HOST:PORT, not 'nowhere'");
}
