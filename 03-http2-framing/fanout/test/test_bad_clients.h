// test_bad_clients.h: clients that break the rules, are slow, or change their mind: what the
// backend sees of it.

// Listens as a backend that keeps what it hears.
static int listen_anywhere(int *port)
{
    char name[NET_NAME];
    int fd = net_listen("127.0.0.1", 0, 64);
    *port = atoi(strrchr(net_local_name(fd, name), ':') + 1);
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

// The types of the frames on streams, in what a backend has heard: "HEADERS DATA HEADERS+".
static const char *frames_in_words(const uint8_t *bytes, size_t length)
{
    static char text[400];
    *text = '\0';
    for (size_t at = PREFACE_BYTES; at + FRAME_HEADER_BYTES <= length;) {
        struct frame frame;
        size_t end = strlen(text);
        frame_read_header(bytes + at, &frame);
        if (frame.stream)
            snprintf(text + end, sizeof text - end, "%s%s%s", end ? " " : "",
                     frame_type_name(frame.type), frame.flags & FLAG_END_STREAM ? "+" : "");
        at += FRAME_HEADER_BYTES + frame.length;
    }
    return text;
}

// Content and trailers of a request; and a request that has only trailers that do not pass.
TEST(trailers_of_a_request)
{
    static const struct {
        const char *says, *heard;
    } cases[] = {
        {"HEADERS.5.1.{GET}", "HEADERS+"},
        {"HEADERS.4.1.{POST} DATA.1.1.6869", "HEADERS DATA+"},
        {"HEADERS.4.1.{POST} DATA.0.1.6869 HEADERS.5.1.{x=y}", "HEADERS DATA HEADERS+"},
        {"HEADERS.4.1.{POST} HEADERS.5.1.{x=y}", "HEADERS HEADERS+"},
        {"HEADERS.4.1.{POST} DATA.0.1.6869 HEADERS.5.1.{content-length=2}",
         "HEADERS DATA DATA+"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static uint8_t bytes[65536];
        pid_t pid;
        int backend, listener = listen_anywhere(&backend);
        int port = start(&pid, "./proxy --quiet --port 0 --backend 127.0.0.1:%d", backend);
        int fd = say(port, cases[i].says);
        const char *heard = frames_in_words(bytes, hear(listener, bytes, sizeof bytes, 200));
        bool together = !strcmp(heard, "HEADERS DATA+"); // the end may be in the same frame
        if (!(together && strstr(cases[i].says, "content-length")))
            CHECK_TEXT(heard, cases[i].heard);
        close(fd);
        close(listener);
        CHECK_INT(test_stop(pid), 0);
    }
}

// The status of the answer on stream 1; 0: there is none.
static int read_status(int fd)
{
    static uint8_t bytes[65536];
    size_t length = 0, at = 0;
    ssize_t got;
    while ((got = read(fd, bytes + length, sizeof bytes - length)) > 0) {
        struct frame frame;
        for (length += (size_t)got; at + FRAME_HEADER_BYTES <= length;) {
            frame_read_header(bytes + at, &frame);
            if (at + FRAME_HEADER_BYTES + frame.length > length)
                break;
            if (frame.type == FRAME_HEADERS) {
                struct hpack_decoder decoder;
                hpack_decoder_begin(&decoder);
                bool good = hpack_decode(&decoder, frame.payload, frame.length, &list);
                hpack_table_free(&decoder.table);
                return good ? atoi(list.fields[0].value) : 0;
            }
            at += FRAME_HEADER_BYTES + frame.length;
        }
    }
    return 0;
}

// A request that does not end: the proxy does not wait for ever, and the backend is told.
TEST(a_request_that_does_not_end)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int backend, listener = listen_anywhere(&backend);
    int port =
        start(&pid, "./proxy --quiet --port 0 --stall-ms 300 --backend 127.0.0.1:%d", backend);
    int fd = say(port, "HEADERS.4.1.{POST} DATA.0.1.6869");
    CHECK_INT(read_status(fd), 408);
    CHECK_TEXT(frames_in_words(bytes, hear(listener, bytes, sizeof bytes, 200)),
               "HEADERS DATA RST_STREAM");
    close(fd);
    close(listener);
    CHECK_INT(test_stop(pid), 0);
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

// The answer is there, and the request goes on: after two seconds the client is told that the
// rest is not wanted (RFC 9113 §8.1).
TEST(an_early_answer_ends_its_request)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int port = start_in_front_of(&pid, S "HEADERS.5.1.{:status=200}", true, "");
    int64_t begun_ns = now_ns();
    int fd = say(port, "HEADERS.4.1.{POST}");
    bool reset = false;
    for (ssize_t got; !reset && (got = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i + 13 <= got; i++)
            reset = reset || !memcmp(bytes + i, "\0\0\4\3\0\0\0\0\1\0\0\0\0", 13);
    CHECK(reset);
    CHECK_BETWEEN((now_ns() - begun_ns) / 1000000, 2000, 15000);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// More requests at once than --streams: the next one is refused, and those before it are not.
TEST(no_more_streams_than_allowed)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int port = start_in_front_of(&pid, S, true, "--streams 2");
    int fd = say(port, "HEADERS.4.1.{POST} HEADERS.4.3.{POST} HEADERS.4.5.{POST}");
    size_t length = 0;
    int refused_at = 0;
    bool told = false;
    for (ssize_t got;
         !refused_at && (got = read(fd, bytes + length, sizeof bytes - length)) > 0;) {
        length += (size_t)got;
        for (size_t i = 0; i + 13 <= length; i++) {
            if (!memcmp(bytes + i, "\0\0\4\3\0\0\0\0", 8) && bytes[i + 12] == REFUSED_STREAM)
                refused_at = bytes[i + 8];
            // In SETTINGS: MAX_CONCURRENT_STREAMS, 2
            told = told || !memcmp(bytes + i, "\0\3\0\0\0\2", 6);
        }
    }
    CHECK_INT(refused_at, 5);
    CHECK(told);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// A client without a request is let go after --idle-ms, and not before: GOAWAY.
TEST(an_idle_client)
{
    static uint8_t bytes[65536];
    pid_t pid;
    int port = start(&pid, "./proxy --quiet --port 0 --idle-ms 400 --backend 127.0.0.1:1");
    int64_t begun_ns = now_ns();
    int fd = say(port, "");
    size_t length = read_to_end(fd, (char *)bytes, sizeof bytes);
    bool goaway = false;
    for (size_t at = 0; at + FRAME_HEADER_BYTES <= length;) {
        struct frame frame;
        frame_read_header(bytes + at, &frame);
        goaway = goaway || frame.type == FRAME_GOAWAY;
        at += FRAME_HEADER_BYTES + frame.length;
    }
    CHECK(goaway);
    CHECK_AT_LEAST((now_ns() - begun_ns) / 1000000, 400);
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
