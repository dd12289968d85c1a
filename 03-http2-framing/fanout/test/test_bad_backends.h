// test_bad_backends.h: backends that break the rules, over HTTP/2 and HTTP/1.1; what is carried
// through, and what is sent to another backend.

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
        struct ask ask =
            get("/"); // "more than the window": the proxy has to notice, not this client
        struct session *session = open_and_hold(port, &ask);
        await(session, &ask);
        session_close(session);
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

// Backends that refuse each stream, and behind them a good one: the fourth try is the last.
TEST(no_more_than_four_tries)
{
    static struct script refusal;
    pid_t good, pid;
    char options[200] = "";
    int good_port = start(&good, "../server --quiet --port 0");
    script_add(&refusal, S "RST_STREAM.0.1.00000007");
    for (int refusing = 1; refusing <= 5; refusing++) {
        int port = test_fake_server((const char *)refusal.bytes, refusal.length, true);
        snprintf(options + strlen(options), sizeof options - strlen(options),
                 " --backend 127.0.0.1:%d", port);
        port = start(&pid, "./proxy --quiet --port 0 >build/said %s --backend 127.0.0.1:%d",
                     options, good_port);
        CHECK_INT(ask_once(port, get("/")).status, refusing < 4 ? 200 : 502);
        CHECK_INT(test_stop(pid), 0);
        CHECK_INT(test_number("sed -n 's/.*second tries \\([0-9]*\\).*/\\1/p' build/said"),
                  refusing < 4 ? refusing : 3);
    }
    CHECK_INT(test_stop(good), 0);
}

// A backend takes the request and goes without a word. What it has done is unknown: a GET is
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

// What the proxy says at its end of a request that a backend has taken with it.
TEST(a_lost_request_is_counted)
{
    static const char *const modes[] = {"", "--http1"};
    struct ask post = {.method = "POST", .path = "/echo"};
    for (int i = 0; i < 2; i++) {
        pid_t pid;
        int backend = test_fake_server("", 0, false);
        int port = start(&pid, "./proxy --port 0 >build/said %s --backend 127.0.0.1:%d",
                         modes[i], backend);
        CHECK_INT(ask_once(port, post).status, 502);
        CHECK_INT(test_stop(pid), 0);
        CHECK_INT(test_run("cat build/said"), 0);
        CHECK_HAS(test_output, " POST /echo: 502 the backend has not answered as it should\n");
        CHECK_HAS(test_output, " requests 1, connections 1, requests lost 1\n");
        if (i == 0)
            CHECK_HAS(test_output, ": lost with 1 requests\n");
    }
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
