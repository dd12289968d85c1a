// test_hostile.h: backends that break the rules, and clients that do; what is carried through.

#define S "SETTINGS.0.0. "

// Starts a backend that says these frames whatever it is asked, and a proxy in front of it.
static int start_in_front_of(pid_t *pid, const char *frames, bool keep, const char *options)
{
    static struct script script;
    script.length = 0;
    script_add(&script, frames);
    int port = test_fake_server((const char *)script.bytes, script.length, keep);
    return start(pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d %s", port, options);
}

// What a backend says to a GET, and what the client gets: a status, or an error code.
static const struct {
    const char *what, *frames;
    int status;
    enum error_code code;
} answers[] = {
    {"an answer", S "HEADERS.4.1.{:status=200} DATA.1.1.6869", 200, NO_ERROR},
    {"103, then 200", S "HEADERS.4.1.{:status=103} HEADERS.5.1.{:status=200}", 200, NO_ERROR},
    {"a 304 with a length", S "HEADERS.5.1.{:status=304,content-length=9}", 304, NO_ERROR},
    {"trailers", S "HEADERS.4.1.{:status=200} DATA.0.1.6869 HEADERS.5.1.{a=b}", 200, NO_ERROR},
    {"no SETTINGS", "HEADERS.5.1.{:status=200}", 502, NO_ERROR},
    {"HTTP/1.1", "72.84.84.502f312e31203430300d0a0d0a", 502, NO_ERROR},
    {"no :status", S "HEADERS.5.1.{a=b}", 502, NO_ERROR},
    {"two :status", S "HEADERS.5.1.{:status=200,:status=200}", 502, NO_ERROR},
    {"status 101", S "HEADERS.5.1.{:status=101}", 502, NO_ERROR},
    {"status 99", S "HEADERS.5.1.{:status=099}", 502, NO_ERROR},
    {"a 103 that ends", S "HEADERS.5.1.{:status=103}", 502, NO_ERROR},
    {"connection", S "HEADERS.5.1.{:status=200,connection=close}", 502, NO_ERROR},
    {"transfer-encoding", S "HEADERS.5.1.{:status=200,transfer-encoding=chunked}", 502,
     NO_ERROR},
    {"upper case", S "HEADERS.5.1.{:status=200,A=b}", 502, NO_ERROR},
    {"two lengths", S "HEADERS.5.1.{:status=200,content-length=1,content-length=1}", 502,
     NO_ERROR},
    {"less than the length", S "HEADERS.5.1.{:status=200,content-length=5}", 0, INTERNAL_ERROR},
    {"more than the length", S "HEADERS.4.1.{:status=200,content-length=1} DATA.1.1.6869", 0,
     INTERNAL_ERROR},
    {"content of a 204", S "HEADERS.4.1.{:status=204} DATA.1.1.6869", 0, INTERNAL_ERROR},
    {"DATA first", S "DATA.1.1.6869", 502, NO_ERROR},
    {"a stream that nobody has opened", S "HEADERS.5.3.{:status=200}", 502, NO_ERROR},
    {"an even stream", S "HEADERS.5.2.{:status=200}", 502, NO_ERROR},
    {"a push", S "PUSH_PROMISE.4.1.0000000282", 502, NO_ERROR},
    {"no HPACK", S "HEADERS.5.1.ffffffffff", 502, NO_ERROR},
    {"a window of nothing", S "WINDOW_UPDATE.0.0.00000000", 502, NO_ERROR},
    {"a frame too long", S "DATA.0.1.#20000", 502, NO_ERROR},
    {"more than the window", S "HEADERS.4.1.{:status=200} 9xDATA.0.1.16384*61", 0,
     INTERNAL_ERROR},
    {"PINGs without end", S "5000xPING.0.0.0011223344556677", 502, NO_ERROR},
    {"SETTINGS without end", S "5000xSETTINGS.0.0.", 502, NO_ERROR},
    {"a head without end", S "HEADERS.0.1.{:status=200} 5000xCONTINUATION.0.1.", 502, NO_ERROR},
    {"a head that is too long", S "HEADERS.4.1.{:status=200}0001787fa17d8000*61", 502,
     NO_ERROR},
    {"DATA of nothing, without end", S "HEADERS.4.1.{:status=200} 5000xDATA.0.1.", 0,
     INTERNAL_ERROR},
    {"103 without end", S "100xHEADERS.4.1.{:status=103}", 502, NO_ERROR},
    {"a push setting", "SETTINGS.0.0.000200000001", 502, NO_ERROR},
    {"a window too large", S "WINDOW_UPDATE.0.0.7fffffff", 502, NO_ERROR},
    {"RST_STREAM", S "RST_STREAM.0.1.00000008", 0, CANCEL},
    {"RST_STREAM ENHANCE_YOUR_CALM", S "RST_STREAM.0.1.0000000b", 0, ENHANCE_YOUR_CALM},
    {"RST_STREAM PROTOCOL_ERROR", S "RST_STREAM.0.1.00000001", 502, NO_ERROR},
    {"RST_STREAM in the answer", S "HEADERS.4.1.{:status=200} RST_STREAM.0.1.00000008", 0,
     CANCEL},
};

TEST(backends_that_break_the_rules)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        pid_t pid;
        int port = start_in_front_of(&pid, answers[i].frames, true, "--answer-ms 2000");
        struct ask ask = get("/");
        ask.holds = true; // "more than the window": the proxy has to notice, not this client
        ask = ask_once(port, ask);
        int status = ask.failed ? 0 : ask.status;
        if (status != answers[i].status || ask.code != answers[i].code)
            FAIL("%s: expected %d and %s, got %d and %s", answers[i].what, answers[i].status,
                 error_code_name(answers[i].code), status, error_code_name(ask.code));
        CHECK_INT(test_stop(pid), 0);
    }
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

// The same for a backend that speaks HTTP/1.1, and closes the connection when it has said this.
static const struct {
    const char *says;
    int status;
    enum error_code code;
} answers_http1[] = {
    {OK_HEAD "Content-Length: 2\r\n\r\nhi", 200, NO_ERROR},
    {OK_HEAD "\r\nto the end", 200, NO_ERROR},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: y\r\n\r\n", 200, NO_ERROR},
    {"HTTP/1.1 103 Early Hints\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n", 200, NO_ERROR},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, NO_ERROR},
    {OK_HEAD "Content-Length: 2\r\n\r\nhi, HTTP/1.1 404 No\r\n\r\n", 200, NO_ERROR},
    {"", 502, NO_ERROR},
    {"nonsense\r\n\r\n", 502, NO_ERROR},
    {"HTTP/2.0 200 OK\r\n\r\n", 502, NO_ERROR},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502, NO_ERROR},
    {OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 502, NO_ERROR},
    {OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502, NO_ERROR},
    {OK_HEAD "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", 502, NO_ERROR},
    {OK_HEAD "A : b\r\nContent-Length: 0\r\n\r\n", 502, NO_ERROR},
    {OK_HEAD "Content-Length: 10\r\n\r\nhello", 0, INTERNAL_ERROR},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 0, INTERNAL_ERROR},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0, INTERNAL_ERROR},
};

TEST(backends_that_break_the_rules_of_http1)
{
    for (size_t i = 0; i < sizeof answers_http1 / sizeof *answers_http1; i++) {
        const char *says = answers_http1[i].says;
        pid_t pid;
        int backend = test_fake_server(says, strlen(says), false);
        int port =
            start(&pid, "./proxy --quiet --port 0 --http1 --backend 127.0.0.1:%d", backend);
        struct ask ask = ask_once(port, get("/"));
        int status = ask.failed ? 0 : ask.status;
        if (status != answers_http1[i].status || ask.code != answers_http1[i].code)
            FAIL("answer %zu: expected %d and %s, got %d and %s", i, answers_http1[i].status,
                 error_code_name(answers_http1[i].code), status, error_code_name(ask.code));
        CHECK_INT(test_stop(pid), 0);
    }
}

// A backend that has refused a stream has not worked on it: another one gets the request, also
// a POST.
TEST(a_refused_stream_goes_to_another_backend)
{
    pid_t good, pid;
    char options[80];
    static const uint8_t bytes[] = "hello";
    struct ask post = {
        .method = "POST", .path = "/echo", .type = "text/plain", .bytes = bytes, .length = 5};
    snprintf(options, sizeof options, "--tell --backend 127.0.0.1:%d",
             start(&good, "../server --quiet --port 0"));
    int port = start_in_front_of(&pid, S "RST_STREAM.0.1.00000007 RST_STREAM.0.3.00000007",
                                 true, options);
    CHECK_INT(ask_once(port, get("/")).status, 200);
    CHECK_INT(test_stop(pid), 0);
    port = start_in_front_of(&pid, S "GOAWAY.0.0.0000000000000000", true, options);
    struct ask ask = ask_once(port, post);
    if (ask.failed) // its content was sent before GOAWAY came: the client may send it again
        CHECK_INT(ask.code, REFUSED_STREAM);
    else
        CHECK_INT(ask.status, 200);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(good), 0);
}

// A backend takes the request and goes without a word. Nobody knows what it has done: a GET is
// sent to another one, a POST is not.
TEST(a_post_is_not_sent_twice)
{
    pid_t good, pid;
    char options[80];
    struct ask post = {.method = "POST", .path = "/echo"};
    snprintf(options, sizeof options, "--backend 127.0.0.1:%d",
             start(&good, "../server --quiet --port 0"));
    int port = start_in_front_of(&pid, S, false, options);
    CHECK_INT(ask_once(port, get("/")).status, 200);
    CHECK_INT(test_stop(pid), 0);
    port = start_in_front_of(&pid, S, false, options);
    CHECK_INT(ask_once(port, post).status, 502);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(good), 0);
}

TEST(a_mute_backend)
{
    pid_t pid;
    int port = start_in_front_of(&pid, S, true, "--answer-ms 300");
    CHECK_INT(ask_once(port, get("/")).status, 504);
    CHECK_INT(test_stop(pid), 0);
    port = start_in_front_of(&pid, S "HEADERS.4.1.{:status=200} DATA.0.1.6869", true,
                             "--answer-ms 300");
    struct ask ask = ask_once(port, get("/"));
    CHECK(ask.failed);
    CHECK_INT((long)ask.content_bytes, 2);
    CHECK_INT(test_stop(pid), 0);
}

// ---- clients -------------------------------------------------------------------------------

// Listens as a backend that keeps what it hears.
static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = net_listen("127.0.0.1", 0, 64);
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    return fd;
}

// The bytes that come to the backend within `ms`, on its first connection.
static size_t hear(int listener, uint8_t *bytes, size_t size, int ms)
{
    struct pollfd waits = {listener, POLLIN, 0};
    struct timeval patience = {ms / 1000, ms % 1000 * 1000};
    if (poll(&waits, 1, ms) != 1)
        return 0;
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    size_t length = read_to_end(fd, (char *)bytes, size);
    close(fd);
    return length;
}

// Sends a client's frames to a proxy. Returns the connection.
static int say(int port, const char *frames)
{
    static struct script script;
    struct timeval patience = {5, 0};
    script_begin(&script, frames);
    int fd = net_connect("127.0.0.1", port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(write_all(fd, script.bytes, script.length));
    return fd;
}

// Requests that are malformed, and those that HTTP/1.1 could read differently: the backend must
// not see anything of them.
static const char *const refused[] = {
    "HEADERS.5.1.{GET,transfer-encoding=chunked}",
    "HEADERS.5.1.{GET,connection=content-length}",
    "HEADERS.5.1.{GET,content-length=5}",
    "HEADERS.4.1.{POST,content-length=5} DATA.1.1.6869",
    "HEADERS.4.1.{POST,content-length=1} DATA.1.1.6869",
    "HEADERS.5.1.{GET,content-length=0,content-length=0}",
    "HEADERS.5.1.{GET,content-length=+0}",
    "HEADERS.5.1.{GET,host=b}",
    "HEADERS.5.1.{GET,host=a,host=a}",
    "HEADERS.5.1.{GET,te=gzip}",
    "HEADERS.5.1.{GET,X=y}",
    "HEADERS.5.1.{GET,x y=z}",
    "HEADERS.5.1.{GET,:path=/a b}",
    "HEADERS.5.1.{GET,:path=a}",
    "HEADERS.5.1.{:method=GET / HTTP/1.1,:scheme=http,:authority=a,:path=/}",
    "HEADERS.5.1.{:method=GET,:scheme=http,:authority=u@a,:path=/}",
    "HEADERS.5.1.{:method=GET,:scheme=http,:path=/}",
    // "a: 1\r\nb: 2": a literal whose value has a line end in it
    "HEADERS.5.1.{GET}0001610a310d0a623a2032203b3b",
    "HEADERS.5.1.{GET}00016104310a3232",
    "HEADERS.5.1.{GET}0001610431003232",
    "HEADERS.5.1.{GET,:path=/a#b}",
};

static void check_refused(const char *option)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        static uint8_t bytes[65536];
        pid_t pid;
        int backend, listener = listen_anywhere(&backend);
        int port =
            start(&pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d %s", backend, option);
        int fd = say(port, refused[i]);
        bool part = strstr(refused[i], "DATA"); // its head is right, and may have passed
        size_t length = hear(listener, bytes, sizeof bytes, part ? 100 : 30);
        if (!part && length > 0)
            FAIL("%s: %zu bytes have passed", refused[i], length);
        for (size_t at = 0; part && at + 2 <= length; at++)
            CHECK(memcmp(bytes + at, "hi", 2));
        close(fd);
        close(listener);
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(nothing_malformed_passes)
{
    check_refused("");
}

TEST(nothing_malformed_passes_to_http1)
{
    check_refused("--http1");
}

// A client resets its stream: so does the proxy, with the same code.
TEST(a_cancelled_request_is_cancelled_behind)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int backend, listener = listen_anywhere(&backend);
    int port = start(&pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d", backend);
    int fd = say(port, "HEADERS.5.1.{GET}");
    int to = accept(listener, NULL, NULL);
    struct timeval patience = {0, 300000};
    setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(write_all(to, "\0\0\0\4\0\0\0\0\0", 9)); // SETTINGS
    CHECK(read(to, bytes, sizeof bytes) > 0);
    CHECK(write_all(fd, "\0\0\4\3\0\0\0\0\1\0\0\0\x0b", 13)); // RST_STREAM ENHANCE_YOUR_CALM
    size_t length = read_to_end(to, (char *)bytes, sizeof bytes);
    bool found = false;
    for (size_t i = 0; i + 13 <= length; i++)
        found = found || !memcmp(bytes + i, "\0\0\4\3\0\0\0\0\1\0\0\0\x0b", 13);
    CHECK(found);
    close(fd);
    close(to);
    CHECK_INT(test_stop(pid), 0);
}

// The client's deadline passes, and the backend does not keep to it: the proxy ends the call.
TEST(a_deadline_is_kept)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int port = start_in_front_of(&pid, S, true, "");
    int fd = say(port, "HEADERS.5.1.{POST,grpc-timeout=100m}");
    bool reset = false;
    int64_t begun_ns = now_ns();
    for (ssize_t got; !reset && (got = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i + 13 <= got; i++)
            reset = reset || !memcmp(bytes + i, "\0\0\4\3\0\0\0\0\1\0\0\0\x08", 13);
    CHECK(reset);
    CHECK_AT_LEAST((now_ns() - begun_ns) / 1000000, 100);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// Requests that are cancelled at once, without end (CVE-2023-44487).
TEST(rapid_resets)
{
    static struct script script;
    static char bytes[200000];
    pid_t pid, server;
    int port = start(&pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d",
                     start(&server, "../server --quiet --port 0"));
    script_begin(&script, "");
    for (int stream = 1; stream < 4000; stream += 2) {
        char frames[100];
        snprintf(frames, sizeof frames, "HEADERS.5.%d.{GET} RST_STREAM.0.%d.00000008", stream,
                 stream);
        script_add(&script, frames);
    }
    signal(SIGPIPE, SIG_IGN);
    int fd = net_connect("127.0.0.1", port);
    bool all = write_all(fd, script.bytes, script.length);
    size_t length = read_to_end(fd, bytes, sizeof bytes);
    bool goaway = !all; // a reset may have taken it away
    for (size_t i = 0; i + 4 < length; i++)
        goaway = goaway || !memcmp(bytes + i, "\x07\0\0\0\0", 5);
    CHECK(goaway);
    close(fd);
    CHECK_INT(ask_once(port, get("/")).status, 200);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(server), 0);
}

// Attacks on the proxy itself (../parts/abuse_budget.h): GOAWAY, and the proxy lives.
TEST(attacks_on_the_proxy)
{
    static const char *const attacks[] = {
        "5000xPING.0.0.0011223344556677", "5000xSETTINGS.0.0.",
        "HEADERS.0.1.{GET} 5000xCONTINUATION.0.1.", "5000xWINDOW_UPDATE.0.0.00000001",
        "5000xPRIORITY.0.1.0000000010"};
    pid_t pid, server;
    int port = start(&pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d",
                     start(&server, "../server --quiet --port 0"));
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        static struct script script;
        static char bytes[200000];
        script_begin(&script, attacks[i]);
        signal(SIGPIPE, SIG_IGN);
        int fd = net_connect("127.0.0.1", port);
        struct timeval patience = {5, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        bool all = write_all(fd, script.bytes, script.length);
        size_t length = read_to_end(fd, bytes, sizeof bytes);
        bool goaway = !all; // a reset may have taken it away
        for (size_t at = 0; at + FRAME_HEADER_BYTES <= length;) {
            struct frame frame;
            frame_read_header((uint8_t *)bytes + at, &frame);
            goaway = goaway || frame.type == FRAME_GOAWAY;
            at += FRAME_HEADER_BYTES + frame.length;
        }
        CHECK(goaway);
        close(fd);
    }
    CHECK_INT(ask_once(port, get("/")).status, 200);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(server), 0);
}
