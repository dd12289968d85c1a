// test_faults.h: clients that are slow, peers that do not read, and bytes that nobody should
// send. A part of test.c; what backends do wrong is in test_backends.h.

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

// A client that asks nothing more is let go after --idle-ms, and not before.
TEST(an_idle_client)
{
    pid_t pid, backend;
    int port = start_balancer(&pid, start_backend(&backend, ""), "--idle-ms 400");
    int fd = connect_patiently(port);
    int64_t began_ns = now_ns();
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_HAS(read_until(fd, "never"), "HTTP/1.1 200 "); // to the end of the connection
    CHECK_BETWEEN((now_ns() - began_ns) / 1000000, 400, PATIENCE_S * 1000 - 1000);
    close(fd);
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

static size_t mutate(char bytes[300], const char *from, uint64_t *random)
{
    size_t length = strlen(from);
    memcpy(bytes, from, length);
    for (unsigned long n = next_random(random) % 4 + 1; n > 0; n--)
        bytes[next_random(random) % length] = (char)next_random(random);
    return length - (next_random(random) % 8 == 0) * (next_random(random) % length);
}

TEST(mutated_heads)
{
    uint64_t random = 1;
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
    uint64_t random = 2;
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
