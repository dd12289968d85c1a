// test_backends.h: requests through the proxy and the relay to real backends: shares, content
// both ways, slow clients, and backends that die.

#define BACKENDS 3

struct lab {
    pid_t backends[BACKENDS], front;
    int ports[BACKENDS], port;
};

static struct lab lab;

// Starts three backends and, in front of them, a program with its options.
static void begin_lab(const char *backend, const char *front)
{
    for (int i = 0; i < BACKENDS; i++)
        lab.ports[i] = start(&lab.backends[i], "%s --quiet --port 0", backend);
    lab.port = start(&lab.front,
                     "%s --quiet --port 0 --backend 127.0.0.1:%d --backend 127.0.0.1:%d "
                     "--backend 127.0.0.1:%d",
                     front, lab.ports[0], lab.ports[1], lab.ports[2]);
}

static void end_lab(void)
{
    CHECK_INT(test_stop(lab.front), 0);
    for (int i = 0; i < BACKENDS; i++)
        if (lab.backends[i])
            CHECK_INT(test_stop(lab.backends[i]), 0);
}

static void kill_backend(int i)
{
    kill(lab.backends[i], SIGKILL);
    waitpid(lab.backends[i], NULL, 0);
    lab.backends[i] = 0;
}

static int shares[BACKENDS];

static void count_share(struct ask *ask)
{
    for (int i = 0; i < BACKENDS; i++)
        shares[i] += atoi(strchr(ask->backend, ':') + 1) == lab.ports[i];
}

// A hundred requests, ten at once, on one connection. Returns the errors.
static int ask_hundred(struct ask like)
{
    struct spread spread = {0};
    struct load load = {.like = like, .requests = 100, .at_once = 10, .ended = count_share};
    memset(shares, 0, sizeof shares);
    spread_add(&spread, "127.0.0.1", lab.port);
    spread_run(&spread, &load);
    spread_close(&spread);
    return load.errors;
}

TEST(shares_are_even)
{
    static const char *const fronts[] = {"./proxy --tell", "./proxy --tell --http1"};
    for (int way = 0; way < 2; way++) {
        begin_lab("../server", fronts[way]);
        CHECK_INT(ask_hundred(get("/")), 0);
        for (int i = 0; i < BACKENDS; i++)
            CHECK_BETWEEN(shares[i], 33, 34);
        end_lab();
    }
}

// Content of any length comes back as it was, over HTTP/2 and HTTP/1.1, and through the relay.
TEST(content_both_ways)
{
    static const char *const fronts[] = {"./proxy", "./proxy --http1", "./relay"};
    static uint8_t bytes[60000];
    for (int way = 0; way < 3; way++) {
        begin_lab("../server", fronts[way]);
        for (uint32_t length = 1; length <= sizeof bytes; length = length * 3 + 1) {
            struct ask ask = {.method = "POST",
                              .path = "/echo",
                              .type = "text/plain",
                              .bytes = bytes,
                              .length = length};
            ask = ask_once(lab.port, ask);
            CHECK_INT(ask.status, 200);
            CHECK_INT((long)ask.content_bytes, (long)length);
        }
        CHECK_INT((long)ask_once(lab.port, get("/img/1?size=3000000")).content_bytes, 3000000);
        CHECK_INT((long)ask_once(lab.port, get("/stream?n=5&ms=5")).status, 200);
        struct ask head = {.method = "HEAD", .path = "/img/1"};
        head = ask_once(lab.port, head);
        CHECK_INT(head.status, 200);
        CHECK_INT((long)head.content_bytes, 0);
        CHECK_INT(ask_once(lab.port, get("/no")).status, 404);
        end_lab();
    }
}

TEST(calls_of_grpc_with_their_trailers)
{
    static const uint8_t to_do[] = {0, 0, 0, 0, 4, 0x12, 2, 'h', 'i'};
    struct ask ask = session_call("/toDo.ToDo/createToDo", to_do, sizeof to_do);
    begin_lab("../grpc/server", "./proxy");
    struct ask good = ask_once(lab.port, ask);
    CHECK_INT(good.grpc_status, 0);
    CHECK(good.content_bytes > 5);
    ask.length = 3; // a message that is cut short
    CHECK_INT(ask_once(lab.port, ask).grpc_status, 13);
    end_lab();
}

// A client that takes nothing of one answer, until release() is called.
static const struct transport_user *plain;
static struct ask *held;

static struct fault hold_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                              uint32_t length, bool ends)
{
    if (stream->answer.owner != held)
        return plain->data(t, stream, bytes, length, ends);
    held->content_bytes += length;
    if (ends)
        return plain->data(t, stream, NULL, 0, true);
    return fault_none();
}

static struct session *open_and_hold(int port, struct ask *ask)
{
    static struct transport_user user;
    struct session *session = session_open("127.0.0.1", port);
    if (!session)
        die("no proxy on port %d", port);
    plain = session->transport.user;
    user = *plain;
    user.data = hold_data;
    session->transport.user = &user;
    held = ask;
    CHECK(session_ask(session, ask));
    return session;
}

static void release(struct session *session)
{
    transport_socket_lend(&session->socket);
    transport_used(&session->transport, held->stream, (uint32_t)held->content_bytes);
    held = NULL;
}

// A client takes nothing of one answer. Its backend is stopped by flow control; the same
// connection's other answers come, from all backends. Then the client goes on.
static void check_slow_reader(const char *front)
{
    begin_lab("../server", front);
    struct ask slow = get("/img/1?size=20000000");
    struct session *session = open_and_hold(lab.port, &slow);
    for (int i = 0; i < 90; i++) {
        struct ask quick = get("/img/2?size=100000");
        CHECK(session_ask(session, &quick));
        await(session, &quick);
        CHECK_INT((long)quick.content_bytes, 100000);
    }
    CHECK_AT_MOST(slow.content_bytes, WINDOW_DEFAULT);
    CHECK_AT_MOST(memory_kb(lab.front, "VmRSS"), SANITIZED ? 100000 : 8000);
    release(session);
    await(session, &slow);
    CHECK_INT((long)slow.content_bytes, 20000000);
    session_close(session);
    end_lab();
}

TEST(a_slow_reader_stops_its_own_backend_only)
{
    check_slow_reader("./proxy");
}

TEST(a_slow_reader_over_http1)
{
    check_slow_reader("./proxy --http1");
}

// A reader that never goes on is told so.
TEST(a_reader_that_stalls_is_reset)
{
    begin_lab("../server", "./proxy >build/said --stall-ms 300");
    struct ask slow = get("/img/1?size=500000");
    struct session *session = open_and_hold(lab.port, &slow);
    await(session, &slow);
    CHECK(slow.failed);
    CHECK_INT(slow.code, CANCEL);
    session_close(session);
    end_lab();
    CHECK_INT(
        test_run("grep 'requests 1, own answers 0, second tries 0, resets 1$' build/said"), 0);
}

static void check_killed(const char *front)
{
    begin_lab("../server", front);
    CHECK_INT(ask_hundred(get("/")), 0);
    kill_backend(1);
    CHECK_INT(ask_hundred(get("/")), 0);
    CHECK_INT(shares[1], 0);
    CHECK_BETWEEN(shares[0], 40, 60);
    kill_backend(0);
    kill_backend(2);
    CHECK_INT(ask_once(lab.port, get("/")).status, 502);
    end_lab();
}

TEST(a_killed_backend_costs_no_get)
{
    check_killed("./proxy --tell");
}

TEST(a_killed_backend_costs_no_get_over_http1)
{
    check_killed("./proxy --tell --http1");
}

// It stops in good order: GOAWAY. What it has is answered, what comes then goes elsewhere.
TEST(a_backend_that_goes_away)
{
    begin_lab("../server", "./proxy --tell");
    struct session *session = session_open("127.0.0.1", lab.port);
    struct ask slow[BACKENDS];
    for (int i = 0; i < BACKENDS; i++) {
        slow[i] = get("/slow?ms=300");
        CHECK(session_ask(session, &slow[i]));
    }
    sessions_step(&session, 1, 100);
    kill(lab.backends[0], SIGTERM);
    sleep_ms(50);
    CHECK_INT(ask_hundred(get("/")), 0);
    CHECK_INT(shares[0], 0);
    for (int i = 0; i < BACKENDS; i++) {
        await(session, &slow[i]);
        CHECK_INT(slow[i].status, 200);
    }
    session_close(session);
    end_lab();
}

// The proxy stops while answers are under way: they come.
TEST(a_proxy_that_stops)
{
    begin_lab("../server", "./proxy");
    struct session *session = session_open("127.0.0.1", lab.port);
    struct ask slow = get("/slow?ms=300");
    CHECK(session_ask(session, &slow));
    sessions_step(&session, 1, 100);
    kill(lab.front, SIGTERM);
    await(session, &slow);
    CHECK_INT(slow.status, 200);
    session_close(session);
    end_lab();
}

TEST(more_at_once_than_a_backend_allows)
{
    pid_t server, front;
    int port = start(&server, "../server --quiet --port 0 --streams 3");
    lab.port = start(&front, "./proxy --quiet --port 0 --backend 127.0.0.1:%d", port);
    CHECK_INT(ask_once(lab.port, get("/")).status, 200);
    CHECK_INT(ask_hundred(get("/slow?ms=5")), 0);
    CHECK_INT(test_stop(front), 0);
    CHECK_INT(test_stop(server), 0);
}

TEST(no_more_connections_than_the_pool_has)
{
    pid_t server, front;
    int port = start(&server, "../server --quiet --port 0");
    lab.port =
        start(&front, "./proxy --quiet --port 0 --http1 --pool 2 --backend 127.0.0.1:%d", port);
    CHECK_INT(ask_hundred(get("/slow?ms=2")), 0);
    CHECK_AT_MOST(test_number("ls -l /proc/%d/fd | grep -c socket", front), 4);
    CHECK_INT(test_stop(front), 0);
    CHECK_INT(test_stop(server), 0);
}

TEST(a_relay_tries_another_backend)
{
    begin_lab("../server", "./relay");
    kill_backend(0);
    CHECK_INT(ask_hundred(get("/")), 0);
    kill_backend(1);
    kill_backend(2);
    struct ask ask = ask_once(lab.port, get("/"));
    CHECK_INT(ask.status, 0);
    end_lab();
}

// Clients of the relay that vanish, some of them before the backend's connection is there.
TEST(a_relay_and_clients_that_vanish)
{
    struct linger reset = {1, 0};
    begin_lab("../server", "./relay");
    for (int i = 0; i < 300; i++) {
        int fd = net_connect("127.0.0.1", lab.port);
        CHECK_AT_LEAST(fd, 0);
        if (i % 3 == 1)
            CHECK(write_all(fd, PREFACE, 10));
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    CHECK_INT(ask_hundred(get("/")), 0);
    for (int i = 0; i < 100 && count_descriptors(lab.front) > 20; i++)
        sleep_ms(50); // it has not heard of all of them yet
    CHECK_AT_MOST(count_descriptors(lab.front), 20);
    end_lab();
}
