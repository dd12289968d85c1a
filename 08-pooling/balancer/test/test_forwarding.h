// test_forwarding.h: requests and answers through the balancer: what arrives, and on which
// connections. A part of test.c.

#define PATIENCE_S 20 // seconds until a test that waits has failed

// Starts a backend, or several; then a balancer in front of them.
static int start_backend(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./backend --quiet --port 0 %s", options);
    return test_start(pid, command);
}

static int start_balancer(pid_t *pid, int backend, const char *options)
{
    char command[300];
    snprintf(command, sizeof command,
             "./balancer --quiet --port 0 --check-ms 0 --backend 127.0.0.1:%d %s", backend,
             options);
    return test_start(pid, command);
}

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = net_listen("127.0.0.1", 0, 64);
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

// Waits for a connection of the balancer's, but not for ever.
static int accept_soon(int listener)
{
    struct pollfd waits = {listener, POLLIN, 0};
    if (poll(&waits, 1, PATIENCE_S * 1000) != 1)
        return -1;
    int fd = accept(listener, NULL, NULL);
    struct timeval patience = {PATIENCE_S, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static int connect_patiently(int port)
{
    struct timeval patience = {PATIENCE_S, 0};
    int fd = net_connect("127.0.0.1", port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

// Reads until `end` has come, the connection ends, or nothing comes any more.
static char *read_until(int fd, const char *end)
{
    static char text[100000];
    size_t length = 0;
    *text = '\0';
    while (!strstr(text, end) && length < sizeof text - 1) {
        ssize_t got = read(fd, text + length, sizeof text - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
    }
    return text;
}

static void say(int fd, const char *text)
{
    CHECK(write_all(fd, text, strlen(text)));
}

#define GET    "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD   "HTTP/1.1 200 OK\r\nContent-Length: "
#define ANSWER HEAD "2\r\n\r\nok"

TEST(fields_are_added_and_forged_ones_dropped)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--sticky");
    int fd = connect_patiently(port);
    say(fd, "GET /x?y HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: "
            "6.6.6.6\r\nConnection: X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\n\r\n");
    int to = accept_soon(listener);
    char *text = read_until(to, "\r\n\r\n");
    CHECK_HAS(text, "GET /x?y HTTP/1.1\r\nHost: a\r\n");
    CHECK_HAS(text,
              "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nVia: 1.1 workbench");
    CHECK(!strstr(text, "6.6.6.6"));
    CHECK(!strstr(text, "Hop"));
    CHECK(!strstr(text, "Upgrade"));
    say(to, ANSWER);
    text = read_until(fd, "\r\n\r\nok");
    CHECK_HAS(text, "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(text, "Via: 1.1 workbench\r\nSet-Cookie: balancer=");
    say(fd, GET); // on the same two connections
    CHECK_HAS(read_until(to, "\r\n\r\n"), "Host: a\r\n");
    say(to, ANSWER);
    CHECK_HAS(read_until(fd, "\r\n\r\nok"), "200 OK");
    close(fd);
    close(to);
    CHECK_INT(test_stop(pid), 0);
}

// Requests that come together are answered in their order, and content passes in both framings.
TEST(pipelined_requests)
{
    pid_t pid, backend;
    int port = start_balancer(&pid, start_backend(&backend, ""), "");
    int fd = connect_patiently(port);
    say(fd, "POST /bytes/3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            "POST /bytes/4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n"
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /bytes/5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET);
    char *text = read_until(fd, "never");
    char *three = strstr(text, "\r\n\r\nxxxHTTP/1.1 200"),
         *four = strstr(text, "\r\n\r\nxxxxHTTP/1.1 200"),
         *five = strstr(text, "\r\n\r\nxxxxx");
    CHECK(three && four && five && three < four && four < five);
    CHECK(five && strlen(five) == 9); // nothing behind the one that was the last
    close(fd);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

// "Connection: close" is about the client's connection: the one to the backend is kept.
TEST(connections_are_kept_for_clients_that_close)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, ""), to = -1;
    for (int i = 0; i < 3; i++) {
        int fd = connect_patiently(port);
        say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        if (i == 0)
            to = accept_soon(listener);
        char *text = read_until(to, "\r\n\r\n");
        CHECK_HAS(text, "GET / HTTP/1.1\r\n");
        CHECK(!strstr(text, "Connection"));
        say(to, ANSWER);
        text = read_until(fd, "never");
        CHECK_HAS(text, "\r\nConnection: close\r\n");
        CHECK_HAS(text, "\r\n\r\nok");
        close(fd);
    }
    close(to);
    CHECK_INT(test_stop(pid), 0);
}

// A kept connection that has no request is closed after --keep-ms, and not before.
TEST(a_kept_connection_ends)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--keep-ms 1000");
    int fd = connect_patiently(port);
    say(fd, GET);
    int to = accept_soon(listener);
    read_until(to, "\r\n\r\n");
    int64_t began_ns = now_ns();
    say(to, ANSWER);
    CHECK_TEXT(read_until(to, "never"), "");                    // to the end of the connection
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 1000, 3900); // not the 4 s of its default
    close(to);
    CHECK_HAS(read_until(fd, "ok"), "HTTP/1.1 200 "); // the client's goes on
    say(fd, GET);
    to = accept_soon(listener);
    CHECK_HAS(read_until(to, "\r\n\r\n"), "GET / ");
    close(fd);
    close(to);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

TEST(an_old_client)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "");
    int fd = connect_patiently(port);
    say(fd, "GET / HTTP/1.0\r\n\r\n");
    int to = accept_soon(listener);
    CHECK_HAS(read_until(to, "\r\n\r\n"), "GET / HTTP/1.1\r\n");
    say(to,
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    char *text = read_until(fd, "never"); // to the end of the connection
    CHECK_HAS(text, "\r\nConnection: close\r\n");
    CHECK_HAS(text, "\r\n\r\nabc");
    CHECK(!strstr(text, "chunked"));
    CHECK(!strstr(text, "103"));
    close(fd);
    close(to);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_tunnel)
{
    for (int layer = 4; layer <= 7; layer += 3) {
        pid_t pid;
        char options[40];
        int backend_port, listener = listen_anywhere(&backend_port);
        snprintf(options, sizeof options, "--layer %d", layer);
        int port = start_balancer(&pid, backend_port, options);
        int fd = connect_patiently(port);
        say(fd,
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        int to = accept_soon(listener);
        char *text = read_until(to, "\r\n\r\n");
        CHECK_HAS(text, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
        say(to, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
                "websocket\r\n\r\nbytes-of-the-backend");
        text = read_until(fd, "bytes-of-the-backend");
        CHECK_HAS(text, "HTTP/1.1 101 ");
        CHECK_HAS(text, "\r\n\r\nbytes-of-the-backend");
        say(fd, "GET / HTTP/1.1\r\n\r\nno longer HTTP");
        CHECK_TEXT(read_until(to, "longer HTTP"), "GET / HTTP/1.1\r\n\r\nno longer HTTP");
        CHECK_INT(shutdown(fd, SHUT_WR), 0); // one half ends, the other one goes on
        CHECK_INT(read(to, options, 1), 0);
        say(to, "last words");
        close(to);
        CHECK_TEXT(read_until(fd, "never"), "last words");
        close(fd);
        close(listener);
        CHECK_INT(test_stop(pid), 0);
    }
}

// A client that has sent its last byte reads slowly: both ends of the backend's connection are
// over while a part of the answer still waits in the kernel.
TEST(a_slow_reader_gets_the_last_byte)
{
    enum { BYTES = 30 << 20 };
    static char part[65536];
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--layer 4");
    int fd = connect_patiently(port);
    say(fd, "all");
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    int to = accept_soon(listener);
    CHECK_TEXT(read_until(to, "all"), "all");
    pid_t writer = fork();
    if (writer == 0) {
        for (int written = 0; written < BYTES; written += (int)sizeof part)
            write_all(to, part, sizeof part);
        _exit(0);
    }
    close(to);
    long came = 0;
    ssize_t got;
    while ((got = read(fd, part, sizeof part)) > 0) {
        came += got;
        sleep_ms(1);
    }
    CHECK_INT(got, 0);
    CHECK_INT(came, BYTES);
    waitpid(writer, NULL, 0);
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_proxy_protocol)
{
    pid_t pid;
    char expected[120];
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--layer 4 --proxy-protocol");
    int fd = connect_patiently(port);
    say(fd, "hello");
    getsockname(fd, (struct sockaddr *)&own, &length);
    snprintf(expected, sizeof expected, "PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\nhello",
             ntohs(own.sin_port), port);
    int to = accept_soon(listener);
    CHECK_TEXT(read_until(to, "hello"), expected);
    close(fd);
    close(to);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_page_of_the_balancer)
{
    pid_t pid, backend;
    char change[100];
    int backend_port = start_backend(&backend, "");
    int port = start_balancer(&pid, backend_port, "");
    CHECK_INT(ask(port, "GET", "/balancer", "", NULL), 200);
    for (size_t i = 0, columns = 0; i < f.content.length; i++) {
        columns++;
        if (f.content.at[i] == '\n')
            columns = 0;
        CHECK_AT_MOST((long)columns, 80);
    }
    CHECK_INT(ask(port, "GET", "/balancer?format=json", "", NULL), 200);
    CHECK_HAS(f.content.at, "\"state\":\"up\",\"weight\":1,");
    snprintf(change, sizeof change, "/balancer?backend=127.0.0.1:%d&weight=0", backend_port);
    CHECK_INT(ask(port, "PUT", change, "Origin: http://evil.example\r\n", NULL), 403);
    CHECK_INT(ask(port, "PUT", change, "X-Forwarded-For: 1.2.3.4\r\n", NULL), 403);
    CHECK_INT(ask(port, "GET", "/", "", NULL), 200);
    CHECK_INT(ask(port, "PUT", change, "", NULL), 200);
    CHECK_INT(ask(port, "GET", "/", "", NULL), 503);
    CHECK_INT(ask(port, "PUT", "/balancer?algorithm=by-smell", "", NULL), 400);
    CHECK_INT(ask(port, "PUT", "/balancer?backend=x&weight=1", "", NULL), 400);
    CHECK_INT(ask(port, "POST", "/balancer", "", ""), 405);
    CHECK_INT(ask(port, "CONNECT", "a:1", "", NULL), 501);
    CHECK_INT(ask(port, "OPTIONS", "/", "Max-Forwards: 0\r\n", NULL), 204);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

// The last two columns of the page: milliseconds of an answer, and kilobytes a second.
TEST(the_figures_of_the_page)
{
    pid_t pid, backend;
    char name[80];
    double ms = 0, kbytes = 0;
    int backend_port = start_backend(&backend, "--delay-ms 50");
    int port = start_balancer(&pid, backend_port, "");
    CHECK_INT(ask(port, "GET", "/bytes/20000", "", NULL), 200);
    CHECK_INT((long)f.content.length, 20000);
    CHECK_INT(ask(port, "GET", "/balancer", "", NULL), 200);
    snprintf(name, sizeof name, "\n127.0.0.1:%d ", backend_port);
    const char *row = memmem(f.content.at, f.content.length, name, strlen(name));
    CHECK(row != NULL);
    if (row)
        CHECK_INT(sscanf(row, " %*s up %*d %*d %*d %*d %*d %*d %lf %lf", &ms, &kbytes), 2);
    CHECK_BETWEEN(ms, 5, 5000); // both fade with time
    CHECK_BETWEEN(kbytes, 1, 21);
    CHECK_INT(ask(port, "GET", "/balancer?format=json", "", NULL), 200);
    row = memmem(f.content.at, f.content.length, "\"response_ms\":", 14);
    CHECK(row != NULL);
    if (row)
        CHECK_INT(sscanf(row, "\"response_ms\":%lf,\"bytes_second\":%lf}", &ms, &kbytes), 2);
    CHECK_BETWEEN(ms, 2, 5000);
    CHECK_BETWEEN(kbytes, 500, 21000); // here they are bytes
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(backend), 0);
}

// A tunnel over which nothing passes ends after --tunnel-ms, and not before.
TEST(a_silent_tunnel)
{
    for (int layer = 4; layer <= 7; layer += 3) {
        pid_t pid;
        char options[40];
        int backend_port, listener = listen_anywhere(&backend_port);
        snprintf(options, sizeof options, "--layer %d --tunnel-ms 400", layer);
        int port = start_balancer(&pid, backend_port, options);
        int fd = connect_patiently(port);
        say(fd,
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        int to = accept_soon(listener);
        read_until(to, "\r\n\r\n");
        int64_t began_ns = now_ns();
        say(to, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
                "websocket\r\n\r\n");
        CHECK_HAS(read_until(fd, "never"), "HTTP/1.1 101 "); // to the end of the connection
        CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 400, PATIENCE_S * 1000 - 1000);
        CHECK_TEXT(read_until(to, "never"), "");
        close(fd);
        close(to);
        close(listener);
        CHECK_INT(test_stop(pid), 0);
    }
}

// ./client sends the method that it was told, and the cookie that it was given.
TEST(the_client_and_a_cookie)
{
    char command[200], said[300];
    int port, listener = listen_anywhere(&port);
    snprintf(command, sizeof command,
             "timeout 60 ./client --port %d --count 2 --new --method DELETE --cookies /a",
             port);
    skip_if_alone();
    FILE *client = popen(command, "r");
    for (int i = 0; i < 2; i++) {
        int fd = accept_soon(listener);
        const char *text = read_until(fd, "\r\n\r\n");
        CHECK_HAS(text, "DELETE /a HTTP/1.1\r\n");
        if (i == 1)
            CHECK_HAS(text, "\r\nCookie: to=b\r\n");
        say(fd, "HTTP/1.1 200 OK\r\nX-Backend: b\r\nSet-Cookie: to=b; Path=/\r\n"
                "Content-Length: 0\r\n\r\n");
        CHECK_TEXT(read_until(fd, "never"), ""); // each on a connection of its own
        close(fd);
    }
    said[fread(said, 1, sizeof said - 1, client)] = '\0';
    CHECK_INT(exit_status(pclose(client)), 0);
    CHECK_HAS(said, " 2\n");
    close(listener);
}

// ./client waits for --wait-ms, and not for the 10 s that are its default.
TEST(the_client_does_not_wait_for_ever)
{
    char command[200];
    int port, listener = listen_anywhere(&port); // the kernel connects, and nobody answers
    snprintf(command, sizeof command, "./client --port %d --count 2 --wait-ms 300", port);
    int64_t began_ns = now_ns();
    CHECK_INT(test_run(command), 0);
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 600, 9000);
    CHECK_HAS(test_output, "timed out");
    CHECK_HAS(test_output, " 2\n");
    close(listener);
}

// SIGTERM: a request that is under way is answered, a new connection is refused.
TEST(the_balancer_drains)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "");
    int idle = connect_patiently(port), fd = connect_patiently(port);
    say(fd, GET);
    int to = accept_soon(listener);
    read_until(to, "\r\n\r\n");
    kill(pid, SIGTERM);
    await_refusal(port);
    CHECK_TEXT(read_until(idle, "never"), ""); // it is closed
    say(to, ANSWER);
    char *text = read_until(fd, "never");
    CHECK_HAS(text, "\r\nConnection: close\r\n");
    CHECK_HAS(text, "\r\n\r\nok");
    close(idle);
    close(fd);
    close(to);
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
}

// Asked to stop, it waits for --drain-ms, not for ever.
TEST(the_balancer_drains_for_a_time)
{
    pid_t pid;
    int backend_port, listener = listen_anywhere(&backend_port);
    int port = start_balancer(&pid, backend_port, "--drain-ms 400");
    int fd = connect_patiently(port);
    say(fd, GET);
    int to = accept_soon(listener); // and there is no answer
    read_until(to, "\r\n\r\n");
    int64_t began_ns = now_ns();
    CHECK_INT(test_stop(pid), 0);
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 390, 9000);
    close(fd);
    close(to);
    close(listener);
}
