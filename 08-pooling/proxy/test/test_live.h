// test_live.h: a running proxy, between clients and a server of the test's own, which says what
// the test wants. A part of test.c.
#include <poll.h>
#include <sys/time.h>

#define TEXT_MAX 70000
#define OK_60    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
#define OK_NO    "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"

static char got[TEXT_MAX]; // what was read last
static int listener, proxy_port;
static pid_t proxy;

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = net_listen("127.0.0.1", 0, 500);
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

// Starts a reverse proxy in front of `listener`, with further options.
static void begin(const char *options)
{
    char command[300];
    int port;
    listener = listen_anywhere(&port);
    snprintf(command, sizeof command, "./proxy --port 0 --upstream 127.0.0.1:%d %s", port,
             options);
    proxy_port = test_start(&proxy, command);
    CHECK(proxy_port > 0);
}

static void patient(int fd)
{
    struct timeval wait = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

static int send_to(int port, const char *text)
{
    int fd = net_connect("127.0.0.1", port);
    CHECK(fd >= 0);
    patient(fd);
    write_all(fd, text, strlen(text));
    return fd;
}

// A client that asks.
static int ask(const char *text)
{
    return send_to(proxy_port, text);
}

static int ask_for(const char *target)
{
    char text[500];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    return ask(text);
}

// Reads until `end` has come, or the connection ends. Returns what has come.
static const char *read_until(int fd, const char *end)
{
    size_t length = 0;
    got[0] = '\0';
    for (ssize_t part = 1; part > 0 && !(*end && strstr(got, end)) && length < TEXT_MAX - 1;) {
        part = read(fd, got + length, TEXT_MAX - 1 - length);
        if (part > 0)
            length += (size_t)part;
        got[length] = '\0';
    }
    return got;
}

static bool has_request(int ms)
{
    struct pollfd in = {listener, POLLIN, 0};
    return poll(&in, 1, ms) == 1;
}

// The server takes a request: its head, up to `end`.
static int take(const char *end)
{
    if (!has_request(10000)) {
        FAIL("no connection comes to the server");
        exit(1);
    }
    int fd = accept(listener, NULL, NULL);
    patient(fd);
    read_until(fd, end);
    return fd;
}

// The server answers; the client reads up to `end`, and both close.
static const char *answer(int client, const char *text, const char *end)
{
    int fd = take("\r\n\r\n");
    write_all(fd, text, strlen(text));
    shutdown(fd, SHUT_WR);
    read_until(client, end);
    close(fd);
    close(client);
    return got;
}

static void end_test(void)
{
    CHECK_INT(test_stop(proxy), 0);
    close(listener);
}

static void expect_hit(const char *target, bool hit)
{
    int client = ask_for(target);
    if (hit)
        CHECK_HAS(read_until(client, "\r\n\r\n"), "X-Cache: HIT\r\n");
    else
        CHECK_HAS(answer(client, OK_NO, "ok"), "X-Cache: MISS\r\n");
    if (hit)
        close(client);
}

TEST(what_the_server_gets)
{
    begin("");
    int client =
        ask("POST /a?b HTTP/1.1\r\nHost: x:1\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
            "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_Host: evil\r\nUpgrade: h2c\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Evil: 1\r\n\r\n");
    int fd = take("\r\n0\r\n");
    CHECK_HAS(got, "POST /a?b HTTP/1.1\r\nHost: x:1\r\n");
    CHECK_HAS(got, "X-Forwarded-For: 127.0.0.1\r\n");
    CHECK_HAS(got, "Via: 1.1 workbench\r\n");
    CHECK_HAS(got, "\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(!strstr(got, "6.6.6.6") && !strstr(got, "evil") && !strstr(got, "Hop") &&
          !strstr(got, "Upgrade") && !strstr(got, "Evil"));
    write_all(fd, "HTTP/1.1 100 Continue\r\n\r\n" OK_60, strlen(OK_60) + 25);
    CHECK_HAS(read_until(client, "ok"), "HTTP/1.1 100 Continue\r\n");
    CHECK_HAS(got, "\r\nHTTP/1.1 200 OK\r\n");
    CHECK_HAS(got, "\r\nDate: ");
    CHECK_HAS(got, "\r\nVia: 1.1 workbench\r\n");
    CHECK(!strstr(got, "X-Cache"));
    // The next request on the same two connections.
    write_all(client, "GET /c HTTP/1.1\r\nHost: a\r\n\r\n", 28);
    CHECK_HAS(read_until(fd, "\r\n\r\n"), "GET /c HTTP/1.1\r\n");
    write_all(fd, OK_NO, strlen(OK_NO));
    CHECK_HAS(read_until(client, "ok"), "X-Cache: MISS\r\n");
    close(fd);
    close(client);
    end_test();
}

// Requests that two programs could read in two ways never come to the server.
TEST(nothing_is_smuggled)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\nContent-Length:5\r\n\r\n0",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"};
    begin("");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int client = ask(requests[i]);
        read_until(client, "");
        if (strncmp(got, "HTTP/1.1 400", 12) && strncmp(got, "HTTP/1.1 501", 12))
            FAIL("request %zu: %s", i, got);
        close(client);
    }
    CHECK(!has_request(100));
    // A chunk that goes wrong in the middle: the server's request is not completed.
    int client =
        ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello");
    int fd = take("\r\n\r\n");
    CHECK(!strstr(read_until(fd, ""), "0\r\n\r\n"));
    CHECK_HAS(read_until(client, ""), "HTTP/1.1 400");
    close(fd);
    close(client);
    end_test();
}

// What a server must not say: the client gets 502, and nothing of it is stored.
TEST(answers_that_lie)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b=c\r\n\r\nok", // response splitting
        "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b=c\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nLocation: /\r\n\tHTTP/1.1 200 OK\r\n\r\nok",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "hello",
        "",
        "HTTP/1.1 200 OK\r\nContent-Le"};
    begin("");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
            answer(ask_for("/x"), answers[i], "\r\n\r\n");
            if (strncmp(got, "HTTP/1.1 502 Bad Gateway\r\n", 26))
                FAIL("answer %zu: %s", i, got);
        }
    }
    // 1xx without end.
    static char many[20000];
    for (int i = 0; i < 200; i++)
        strcat(many, "HTTP/1.1 103 Early Hints\r\n\r\n");
    int client = ask_for("/x");
    int fd = take("\r\n\r\n");
    write_all(fd, many, strlen(many));
    CHECK_HAS(read_until(client, "502"), "HTTP/1.1 502");
    close(fd);
    close(client);
    // More than the answer: it answers nobody.
    client = ask_for("/more");
    fd = take("\r\n\r\n");
    write_all(fd, OK_NO "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", strlen(OK_NO) + 42);
    CHECK_HAS(read_until(client, "ok"), "MISS");
    write_all(client, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", 31);
    int next = take("\r\n\r\n"); // on a new connection
    write_all(next, OK_NO, strlen(OK_NO));
    CHECK(!strstr(read_until(client, "ok"), "evil"));
    close(fd);
    close(next);
    close(client);
    end_test();
}

// An answer that is cut must not look whole, and is not stored.
TEST(an_answer_that_is_cut)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\nhalf\r\n"};
    begin("");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        answer(ask_for("/cut"), answers[i], "");
        CHECK_HAS(got, "HTTP/1.1 200 OK\r\n");
        CHECK(!strstr(got, "0\r\n\r\n") || strstr(got, "Content-Length: 9"));
        CHECK(!strstr(got, "Content-Length: 4"));
    }
    // One that ends with its connection is whole; its client gets chunks, and another one a
    // hit.
    answer(ask_for("/close"), "HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\nall of it",
           "0\r\n\r\n");
    CHECK_HAS(got, "Transfer-Encoding: chunked\r\n");
    CHECK_HAS(got, "\r\n9\r\nall of it\r\n0\r\n\r\n");
    int client = ask_for("/close");
    CHECK_HAS(read_until(client, "all of it"), "Content-Length: 9\r\n");
    close(client);
    // A client of HTTP/1.0 gets no chunks.
    answer(ask("GET /old HTTP/1.0\r\nHost: a\r\n\r\n"),
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "");
    CHECK_HAS(got, "Connection: close\r\n");
    CHECK_HAS(got, "\r\n\r\nok");
    CHECK(!strstr(got, "chunked"));
    end_test();
}

// Fields that are not in the key must not choose what others get.
TEST(the_store_is_not_poisoned)
{
    static const char *const requests[] = {
        "GET /p HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: POST\r\n\r\n",
        "GET /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nq=1",
        "GET /p HTTP/1.1\r\nHost: a\r\nCache-Control: no-store\r\n\r\n",
        "GET /p HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dTpw\r\n\r\n",
        "HEAD /p HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET /p HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET /P HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /p? HTTP/1.1\r\nHost: a\r\n\r\n"};
    begin("");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        answer(ask(requests[i]), OK_60, i == 4 ? "\r\n\r\n" : "ok");
    answer(ask("GET /p HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n"),
           "HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\n"
           "Content-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
           "ok");
    expect_hit("/p", false);
    // What a server could take for another host is not passed on; the answer is for all.
    int client = ask("GET /q HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil\r\n"
                     "X-Original-URL: /evil\r\nForwarded: host=evil\r\n\r\n");
    int fd = take("\r\n\r\n");
    CHECK(!strstr(got, "evil"));
    write_all(fd, OK_60, strlen(OK_60));
    read_until(client, "ok");
    close(fd);
    close(client);
    expect_hit("/q", true);
    expect_hit("http://A:80/q", true); // the same host
    // HEAD is answered with what a GET has stored.
    client = ask("HEAD /q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK_HAS(read_until(client, ""), "X-Cache: HIT\r\n");
    CHECK_HAS(got, "Content-Length: 2\r\n");
    CHECK(!strstr(got, "ok"));
    close(client);
    // An empty line in front of it changes nothing (RFC 9112 §2.2).
    client = ask("\r\nHEAD /q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK_HAS(read_until(client, ""), "Content-Length: 2\r\n");
    CHECK(!strstr(got, "ok"));
    close(client);
    end_test();
}

TEST(unsafe_methods_invalidate)
{
    begin("");
    answer(ask_for("/i"), OK_60, "ok");
    answer(ask_for("/j"), OK_60, "ok");
    expect_hit("/i", true);
    answer(ask("POST /i HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
           "HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nno", "no");
    expect_hit("/i", true); // it has failed
    answer(ask("POST /i HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
           "HTTP/1.1 201 x\r\nLocation: http://a/j\r\nContent-Length: 2\r\n\r\nok", "ok");
    expect_hit("/i", false);
    expect_hit("/j", false);
    // A GET that is under way when something changes is not stored.
    int reader = ask_for("/k");
    int fd = take("\r\n\r\n");
    answer(ask("DELETE /k HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 204 x\r\n\r\n", "\r\n\r\n");
    write_all(fd, OK_60, strlen(OK_60));
    CHECK_HAS(read_until(reader, "ok"), "MISS");
    close(fd);
    close(reader);
    expect_hit("/k", false);
    end_test();
}

// The first client leaves; those that wait for its answer still get it.
TEST(a_flight_outlives_its_client)
{
    int waiting[10];
    begin("");
    int first = ask_for("/f");
    int fd = take("\r\n\r\n");
    for (int i = 0; i < 10; i++)
        waiting[i] = ask_for("/f");
    CHECK(!has_request(100));
    close(first);
    write_all(fd, OK_60, strlen(OK_60));
    for (int i = 0; i < 10; i++) {
        CHECK_HAS(read_until(waiting[i], "ok"), "X-Cache: HIT\r\n");
        close(waiting[i]);
    }
    close(fd);
    // The server fails: one request, one failure for all.
    first = ask_for("/g");
    fd = take("\r\n\r\n");
    for (int i = 0; i < 10; i++)
        waiting[i] = ask_for("/g");
    CHECK(!has_request(100));
    close(fd);
    for (int i = 0; i < 10; i++) {
        CHECK_HAS(read_until(waiting[i], "\r\n\r\n"), "HTTP/1.1 502");
        close(waiting[i]);
    }
    close(first);
    CHECK(!has_request(100));
    end_test();
    // The first one's answer takes too long: the others stop waiting.
    begin("--collapse-ms 1000");
    first = ask_for("/h");
    fd = take("\r\n\r\n");
    int64_t began_ns = now_ns();
    CHECK_HAS(answer(ask_for("/h"), OK_60, "ok"), "X-Cache: MISS\r\n");
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 1000, 4500); // not the 5 s of its default
    close(fd);
    close(first);
    end_test();
}

// A kept connection that the server has closed: a GET is sent again, a POST never.
TEST(a_kept_connection_that_is_gone)
{
    begin("");
    int client = ask_for("/1");
    int fd = take("\r\n\r\n");
    write_all(fd, OK_NO, strlen(OK_NO));
    read_until(client, "ok");
    write_all(client, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", 28);
    CHECK_HAS(read_until(fd, "\r\n\r\n"), "GET /2");
    close(fd); // without an answer, as a server whose patience ends in this moment
    fd = take("\r\n\r\n");
    CHECK_HAS(got, "GET /2");
    write_all(fd, OK_NO, strlen(OK_NO));
    CHECK_HAS(read_until(client, "ok"), "200 OK");
    write_all(client, "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 50);
    int post = take("\r\n\r\n"); // a new connection
    CHECK_HAS(got, "POST /3");
    close(post);
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 502");
    CHECK(!has_request(100));
    close(fd);
    close(client);
    end_test();
}

// A request that has passed 17 proxies goes in a circle.
TEST(a_request_in_a_circle)
{
    char text[1000];
    begin("");
    for (int hops = 16; hops <= 17; hops++) {
        int length = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 a");
        for (int i = 1; i < hops; i++)
            length += snprintf(text + length, sizeof text - (size_t)length, ", 1.1 a");
        snprintf(text + length, sizeof text - (size_t)length, "\r\n\r\n");
        int client = ask(text);
        if (hops == 16)
            CHECK_HAS(answer(client, OK_NO, "ok"), "HTTP/1.1 200 ");
        else
            CHECK_HAS(read_until(client, "circle"), "HTTP/1.1 502 ");
    }
    CHECK(!has_request(100));
    end_test();
}

// One connection to the server serves more requests than there may be idle connections.
TEST(a_kept_connection_serves_many)
{
    begin("");
    int client = ask_for("/");
    int fd = take("\r\n\r\n");
    for (int i = 0; i <= UPSTREAM_IDLE_MAX && strstr(got, "GET /"); i++) {
        write_all(fd, OK_NO, strlen(OK_NO));
        CHECK_HAS(read_until(client, "ok"), "200 OK");
        write_all(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
        read_until(fd, "\r\n\r\n");
    }
    CHECK_HAS(got, "GET /");
    close(fd);
    close(client);
    end_test();
}

// ---- the forward proxy ---------------------------------------------------------------------

static void expect_refused(bool by_connect, const char *host, int port, int status)
{
    char request[600], line[40];
    if (by_connect)
        snprintf(request, sizeof request, "CONNECT %s:%d HTTP/1.1\r\nHost: a\r\n\r\n", host,
                 port);
    else
        snprintf(request, sizeof request, "GET http://%s:%d/ HTTP/1.1\r\nHost: a\r\n\r\n", host,
                 port);
    int client = send_to(proxy_port, request);
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    if (strncmp(read_until(client, "\r\n\r\n"), line, strlen(line)))
        FAIL("%s: expected %d, got %s", host, status, got);
    close(client);
}

TEST(server_side_request_forgery)
{
    static const char *const hosts[] = {"127.0.0.1",
                                        "0.0.0.0",
                                        "0",
                                        "localhost",
                                        "127.1",
                                        "2130706433",
                                        "0x7f.1",
                                        "017700000001",
                                        "[::1]",
                                        "[::]",
                                        "[::ffff:127.0.0.1]",
                                        "10.0.0.1",
                                        "169.254.169.254",
                                        "inside.test",
                                        "[fe80::1]"};
    char command[300];
    int port;
    listener = listen_anywhere(&port);
    snprintf(command, sizeof command,
             "./proxy --port 0 --connect-ports 443,%d --resolve inside.test=127.0.0.1 "
             "--resolve rebind.test=192.0.2.1,127.0.0.1",
             port);
    proxy_port = test_start(&proxy, command);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        expect_refused(false, hosts[i], port, 403);
        expect_refused(true, hosts[i], port, 403);
    }
    expect_refused(false, "127.0.0.1", proxy_port, 403); // the proxy itself
    expect_refused(true, "8.8.8.8", 25, 403);            // a port that is not allowed
    // A name with a good address, and at the next look-up a bad one: a proxy that looks it up
    // once to check and once to connect would now connect to this test.
    char request[200];
    snprintf(request, sizeof request, "GET http://rebind.test:%d/ HTTP/1.1\r\nHost: a\r\n\r\n",
             port);
    int client = send_to(proxy_port, request);
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 50"); // 192.0.2.1 is nobody's
    close(client);
    expect_refused(false, "rebind.test", port, 403);
    CHECK(!has_request(100));
    end_test();
}

TEST(a_forward_proxy)
{
    char request[300], command[100];
    int port;
    listener = listen_anywhere(&port);
    snprintf(command, sizeof command, "./proxy --port 0 --allow-private --connect-ports %d",
             port);
    proxy_port = test_start(&proxy, command);
    snprintf(request, sizeof request,
             "GET http://127.0.0.1:%d/a?b HTTP/1.1\r\nHost: other\r\n\r\n", port);
    int client = ask(request);
    int fd = take("\r\n\r\n");
    CHECK_HAS(got, "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:");
    CHECK(!strstr(got, "X-Forwarded") && !strstr(got, "other"));
    write_all(fd, OK_60, strlen(OK_60));
    CHECK_HAS(read_until(client, "ok"), "MISS");
    close(client);
    client = ask(request);
    CHECK_HAS(read_until(client, "ok"), "HIT");
    close(client);
    CHECK_HAS(read_until(client = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "\n\r\n"), " 400 ");
    close(client);
    client = ask("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 204");
    close(client);
    // A request to the proxy itself goes in a circle, but not for ever.
    snprintf(request, sizeof request, "GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: a\r\n\r\n",
             proxy_port);
    client = ask(request);
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 400"); // there it is no whole URI
    close(client);
    // CONNECT, bytes both ways, and each side's end by itself.
    snprintf(request, sizeof request, "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: a\r\n\r\nearly",
             port);
    client = ask(request);
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 200 Connection established\r\n");
    close(fd);
    fd = take("early");
    shutdown(client, SHUT_WR);
    CHECK_INT(read(fd, got, 1), 0); // the client's end has come
    write_all(fd, "late", 4);
    close(fd);
    CHECK_TEXT(read_until(client, ""), "late");
    close(client);
    end_test();
}

TEST(a_tunnel_with_much_in_it)
{
    enum { BYTES = 3000000 };
    static char bytes[BYTES], back[BYTES];
    char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    static const char accepted[] =
        "HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nfirst";
    uint64_t random = 7;
    begin("--tunnel-idle-ms 2000"); // a busy machine may move no byte for a while
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (char)next_random(&random);
    int client = ask(request);
    int fd = take("\r\n\r\n");
    CHECK_HAS(got, "Connection: Upgrade\r\nUpgrade: x\r\n");
    write_all(fd, accepted, strlen(accepted));
    CHECK_HAS(read_until(client, "first"), "HTTP/1.1 101 Switching Protocols\r\n");
    CHECK_HAS(got, "Upgrade: x\r\nConnection: Upgrade\r\n\r\nfirst");
    if (fork() == 0) { // the server sends all of it back, with a half-close at the end
        ssize_t part;
        while ((part = read(fd, back, sizeof back)) > 0)
            write_all(fd, back, (size_t)part);
        _exit(0);
    }
    close(fd);
    if (fork() == 0) {
        write_all(client, bytes, BYTES);
        shutdown(client, SHUT_WR);
        _exit(0);
    }
    CHECK_INT((long)read_to_end(client, back, BYTES), BYTES);
    CHECK(!memcmp(bytes, back, BYTES));
    CHECK_INT(read(client, back, 1), 0);
    close(client);
    // One that is silent is closed.
    client = ask(request);
    fd = take("\r\n\r\n");
    write_all(fd, accepted, strlen(accepted));
    read_until(client, "first");
    CHECK_INT(read(client, back, 1), 0);
    close(fd);
    close(client);
    // A server that does not agree is an ordinary one.
    CHECK_HAS(answer(ask(request), OK_60, "ok"), "HTTP/1.1 200 OK\r\n");
    CHECK_INT(count_descriptors(proxy) < 20, 1);
    end_test();
}

// ---- limits --------------------------------------------------------------------------------

TEST(a_gigabyte_in_flat_memory)
{
    static char bytes[1 << 18];
    char command[100];
    pid_t origin;
    if (SANITIZED) // it has memory of its own
        return;
    int port = test_start(&origin, "./origin --port 0 --quiet");
    snprintf(command, sizeof command, "./proxy --quiet --port 0 --upstream 127.0.0.1:%d", port);
    proxy_port = test_start(&proxy, command);
    int slow = ask_for("/?size=1000000000"); // one that does not read
    int client = ask("GET /?size=1000000000&cc=max-age=9 HTTP/1.1\r\nHost: a\r\n"
                     "Connection: close\r\n\r\n");
    size_t total = 0;
    for (ssize_t part; (part = read(client, bytes, sizeof bytes)) > 0;)
        total += (size_t)part;
    CHECK_AT_LEAST(total, 1000000000);
    CHECK_AT_MOST(memory_kb(proxy, "VmHWM"), 16000);
    close(slow);
    close(client);
    CHECK_INT(test_stop(proxy), 0);
    CHECK_INT(test_stop(origin), 0);
}

// Content of unknown length that turns out too long for the store: all of it comes through.
TEST(an_answer_that_outgrows_the_store)
{
    static char bytes[40000];
    begin("--object-kb 100");
    memset(bytes, 'x', sizeof bytes);
    int client = ask_for("/grow");
    int fd = take("\r\n\r\n");
    write_all(fd, "HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\n", 46);
    int waiting = ask_for("/grow");
    if (fork() == 0) {
        for (int i = 0; i < 10; i++)
            write_all(fd, bytes, sizeof bytes);
        _exit(0);
    }
    close(fd);
    struct http_head head;
    size_t length = 0, content_length = 0;
    static char all[600000];
    while (length < sizeof all && !memmem(all, length, "\r\n0\r\n\r\n", 7)) {
        ssize_t part = read(client, all + length, sizeof all - length);
        if (part <= 0)
            break;
        length += (size_t)part;
    }
    struct http_body body;
    struct http_text content;
    CHECK_INT(http_read_response(all, length, &head), 1);
    http_body_of_response(&body, &head, false);
    for (size_t at = head.length; at < length && !body.done;) {
        ssize_t used = http_body_take(&body, all + at, length - at, &content);
        CHECK(used > 0);
        if (used <= 0)
            break;
        at += (size_t)used;
        content_length += content.length;
    }
    CHECK(body.done);
    CHECK_INT((long)content_length, 10 * sizeof bytes);
    CHECK_HAS(answer(waiting, OK_NO, "ok"), "MISS"); // it has gone on its own way
    close(client);
    end_test();
}

TEST(eviction_under_storms)
{
    static struct fetch f;
    struct sockaddr_storage address;
    char command[100], target[100];
    pid_t origin;
    int port = test_start(&origin, "./origin --port 0 --quiet");
    snprintf(command, sizeof command,
             "./proxy --quiet --cache-mb 1 --port 0 --upstream 127.0.0.1:%d", port);
    proxy_port = test_start(&proxy, command);
    net_address("127.0.0.1", proxy_port, SOCK_STREAM, &address);
    CHECK_INT(fetch_open(&f, &address, 0), FETCH_OK);
    for (int i = 0; i < 3000; i++) {
        snprintf(target, sizeof target, "/%d?cc=max-age=60&size=%d", i, i * 7 % 20000);
        CHECK_INT(fetch_ask(&f, "GET", target, "", NULL), FETCH_OK);
        CHECK_INT(f.head.status, 200);
    }
    CHECK_INT(fetch_ask(&f, "GET", target, "", NULL), FETCH_OK);
    CHECK(http_is(http_field(&f.head, "x-cache"), "HIT"));
    if (!SANITIZED)
        CHECK_AT_MOST(memory_kb(proxy, "VmHWM"), 12000);
    fetch_close(&f);
    CHECK_INT(test_stop(proxy), 0);
    CHECK_INT(test_stop(origin), 0);
}

// A client whose head comes byte by byte is thrown out after HEAD_MS; others notice nothing.
TEST(slow_clients)
{
    begin("");
    int64_t start_ns = now_ns();
    int slow = ask("GET / HTTP/1.1\r\n");
    answer(ask_for("/s"), OK_60, "ok");
    for (int i = 0; i < 200 && !memchr(got, '4', 12); i++) {
        write(slow, "x", 1);
        expect_hit("/s", true);
        sleep_ms(150);
        ssize_t part = recv(slow, got, TEXT_MAX - 1, MSG_DONTWAIT);
        got[part > 0 ? part : 0] = '\0';
    }
    CHECK_HAS(got, "HTTP/1.1 408 ");
    CHECK_AT_LEAST((now_ns() - start_ns) / 1000000, 9000);
    close(slow);
    end_test();
}

// A client that asks nothing more is let go after --idle-ms, and not before.
TEST(an_idle_client)
{
    begin("--idle-ms 400");
    int64_t start_ns = now_ns();
    int client = ask_for("/a"), server = take("\r\n\r\n");
    CHECK(write_all(server, OK_60, strlen(OK_60)));
    CHECK_HAS(read_until(client, "never"), "HTTP/1.1 200 "); // to the end of the connection
    CHECK_BETWEEN((now_ns() - start_ns) / 1000000, 400, 9000);
    close(client);
    close(server);
    end_test();
}

// A server that does not answer: 504 after --answer-ms, and not before.
TEST(a_server_that_does_not_answer)
{
    begin("--answer-ms 400");
    int64_t start_ns = now_ns();
    int client = ask_for("/a"), server = take("\r\n\r\n");
    CHECK_HAS(read_until(client, "\r\n\r\n"), "HTTP/1.1 504 ");
    CHECK_BETWEEN((now_ns() - start_ns) / 1000000, 390, 9000);
    close(client);
    close(server);
    end_test();
}

// ./client sends the method and the fields that it was told, and shows the answer's head.
TEST(the_client)
{
    char command[200], said[600];
    int port;
    listener = listen_anywhere(&port);
    snprintf(command, sizeof command,
             "timeout 60 ./client --port %d --method DELETE --fields 'X-Test: one' --head /a",
             port);
    skip_if_alone();
    FILE *client = popen(command, "r");
    int server = take("\r\n\r\n");
    CHECK_HAS(got, "DELETE /a HTTP/1.1\r\n");
    CHECK_HAS(got, "\r\nX-Test: one\r\n");
    CHECK(write_all(server, OK_60, strlen(OK_60)));
    said[fread(said, 1, sizeof said - 1, client)] = '\0';
    CHECK_INT(exit_status(pclose(client)), 0);
    CHECK_HAS(said, "\nHTTP/1.1 200 OK\r\n");
    close(server);
    close(listener);
}

// Asked to stop, the proxy brings the answer that is under way to its end.
TEST(an_answer_under_way_when_the_proxy_stops)
{
    int status;
    begin("");
    int idle = ask_for("/a");
    int fd = take("\r\n\r\n");
    write_all(fd, OK_NO, strlen(OK_NO));
    read_until(idle, "ok");
    int client = ask_for("/b");
    CHECK_HAS(read_until(fd, "\r\n\r\n"), "GET /b");
    write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", 42);
    read_until(client, "half");
    kill(proxy, SIGTERM);
    CHECK_TEXT(read_until(idle, ""), ""); // closed
    write_all(fd, "half", 4);
    CHECK_HAS(read_until(client, ""), "half");
    waitpid(proxy, &status, 0);
    CHECK_INT(exit_status(status), 0);
    close(fd);
    close(client);
    close(idle);
}

TEST(nothing_leaks)
{
    if (!has_valgrind())
        return;
    char command[200];
    pid_t origin;
    int port = test_start(&origin, "./origin --port 0 --quiet");
    snprintf(command, sizeof command,
             VALGRIND "./proxy --quiet --port 0 --cache-mb 1 --upstream 127.0.0.1:%d", port);
    proxy_port = test_start(&proxy, command);
    static const char *const targets[] = {"/a?cc=max-age=60",      "/a?cc=max-age=60",
                                          "/b?cc=no-cache&etag=x", "/b?cc=no-cache&etag=x",
                                          "/c?size=3000000",       "/d?cc=no-store"};
    for (int i = 0; i < 12; i++) {
        int client = ask_for(targets[i % 6]);
        if (i < 6)
            read_until(client, "request");
        close(client); // half of them do not wait
    }
    exchange(proxy_port);
    CHECK_INT(test_stop(proxy), 0);
    CHECK_INT(test_stop(origin), 0);
}
