// test_session.h: sessions that are resumed, early data, and replays. A part of test.c.

// Resumes a session on the server. Returns true if it was resumed, and answered in any case.
static bool resumes(int port, SSL_SESSION *session)
{
    // A client that offers more than the version of its session gets more, and a new session.
    struct probe probe = {.version = SSL_SESSION_get_protocol_version(session),
                          .session = session};
    CHECK_INT(probe_once(port, &probe, GET_FACTS), 200);
    return strstr(probe_answer, "resumed: yes\n");
}

TEST(sessions_are_resumed)
{
    static const char *const options[] = {"", "--tickets off", "--early-data"};
    for (int i = 0; i < 3; i++) {
        pid_t pid;
        int port = start(&pid, options[i]);
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            SSL_SESSION *session = probe_session(port, &(struct probe){.version = version});
            CHECK(session && SSL_SESSION_is_resumable(session));
            CHECK(resumes(port, session));
            CHECK_INT(SSL_SESSION_has_ticket(session), version == TLS1_3_VERSION || i != 1);
            SSL_SESSION_free(session);
        }
        CHECK_INT(test_stop(pid), 0);
    }
}

// A name's session is not another name's: what was checked was that one's certificate.
TEST(a_session_is_for_one_name)
{
    static const char *const options[] = {"", "--tickets off", "--early-data"};
    for (int i = 0; i < 3; i++) {
        pid_t pid;
        int port = start(&pid, options[i]);
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct probe other = {.name = "other.test", .version = version};
            other.session = probe_session(port, &(struct probe){.version = version});
            CHECK_INT(probe_once(port, &other, GET_FACTS), 200);
            CHECK_HAS(probe_answer, "resumed: no\nserver name: other.test\n");
            other.name = "localhost"; // of the same certificate, but another one (RFC 6066 §3)
            CHECK_INT(probe_once(port, &other, GET_FACTS), 200);
            CHECK_HAS(probe_answer, "resumed: no\nserver name: localhost\n");
            SSL_SESSION_free(other.session);
            other.session = probe_session(port, &(struct probe){.version = version});
            other.name = "WorkBench.Test"; // the same
            CHECK_INT(probe_once(port, &other, GET_FACTS), 200);
            CHECK_HAS(probe_answer, "resumed: yes\n");
            SSL_SESSION_free(other.session);
        }
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(tickets_of_another_server_are_no_use)
{
    static const char *const options[] = {"", "--tickets off", "--early-data"};
    for (int i = 0; i < 3; i++) {
        pid_t here_pid, there_pid;
        int here = start(&here_pid, options[i]), there = start(&there_pid, options[i]);
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            SSL_SESSION *session = probe_session(there, &(struct probe){.version = version});
            CHECK(!resumes(here, session)); // but it is served
            SSL_SESSION_free(session);
        }
        CHECK_INT(test_stop(here_pid), 0);
        CHECK_INT(test_stop(there_pid), 0);
    }
}

// ---- early data ----------------------------------------------------------------------------

// The first flight of a client with early data, as bytes: made without any connection.
static size_t first_flight(SSL_SESSION *session, const char *request, char *bytes, size_t size)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL *ssl = probe_new(&(struct probe){.session = session});
    size_t sent, length = 0;
    SSL_set_bio(ssl, in, out);
    BIO_set_mem_eof_return(in, -1);
    CHECK(SSL_write_early_data(ssl, request, strlen(request), &sent));
    CHECK_INT((long)sent, (long)strlen(request));
    CHECK(BIO_read_ex(out, bytes, size, &length));
    SSL_free(ssl);
    return length;
}

// Sends a flight on a connection of its own, and waits until the server has closed it.
static void send_flight(int port, const char *bytes, size_t length)
{
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(fd, bytes, length));
    shutdown(fd, SHUT_WR);
    CHECK(probe_is_closed(fd));
    close(fd);
}

static int transfers(int port)
{
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_COUNT), 200);
    return atoi(strstr(probe_answer, "\r\n\r\n") + 4);
}

TEST(a_flight_that_is_sent_again)
{
    static const char *const options[] = {"--early-data --anti-replay on",
                                          "--early-data --anti-replay off"};
    char flight[8192];
    for (int off = 0; off < 2; off++) {
        pid_t pid;
        int port = start(&pid, options[off]);
        SSL_SESSION *session = probe_session(port, &(struct probe){0});
        CHECK_INT(SSL_SESSION_get_max_early_data(session), EARLY_DATA_MAX);
        size_t length = first_flight(session, POST, flight, sizeof flight);
        for (int times = 1; times <= 3; times++) {
            send_flight(port, flight, length);
            CHECK_INT(transfers(port), off ? times : 1);
        }
        SSL_SESSION_free(session);
        CHECK_INT(test_stop(pid), 0);
    }
}

// The answer comes before the handshake is done; then the handshake is done, and more is asked.
TEST(early_data_is_answered_early)
{
    pid_t pid;
    int port = start(&pid, "--early-data");
    SSL_SESSION *session = probe_session(port, &(struct probe){0});
    SSL *ssl = probe_new(&(struct probe){.session = session});
    int fd = net_connect_or_die("127.0.0.1", port);
    size_t sent;
    SSL_set_fd(ssl, fd);
    CHECK(SSL_write_early_data(ssl, GET_FACTS, strlen(GET_FACTS), &sent));
    // Nothing more is sent: what comes now can only be the server's flight (without a
    // certificate, for a session that is resumed) and the answer.
    char bytes[4096];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, MSG_PEEK)) > 0 && got < 500)
        sleep_ms(1);
    CHECK(got >= 500);
    CHECK_INT(SSL_do_handshake(ssl), 1);
    CHECK_INT(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_ACCEPTED);
    CHECK_INT(probe_read(ssl), 200);
    CHECK_HAS(probe_answer, "resumed: yes\n");
    CHECK_HAS(probe_answer, "early data: yes\n");
    CHECK_INT(probe_ask(ssl, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "early data: no\n");
    probe_close(ssl);
    SSL_SESSION_free(session);
    CHECK_INT(test_stop(pid), 0);
}

// Which protocol it is in was settled by the ClientHello, before it.
TEST(early_data_that_is_not_http)
{
    static const char text[] = "this is not HTTP\r\n\r\n";
    struct probe echo = {.version = TLS1_3_VERSION, .protocols = "\6echo/1"};
    char bytes[100] = "";
    pid_t pid;
    int port = start(&pid, "--early-data");
    size_t sent, got = 0;
    SSL *ssl = probe_open(port, &echo);
    CHECK(probe_write(ssl, text, strlen(text)));
    CHECK(SSL_read_ex(ssl, bytes, sizeof bytes - 1, &got)); // and the tickets
    echo.session = SSL_get1_session(ssl);
    probe_close(ssl);
    ssl = probe_new(&echo);
    SSL_set_fd(ssl, net_connect_or_die("127.0.0.1", port));
    CHECK(SSL_write_early_data(ssl, text, strlen(text), &sent));
    CHECK_INT(SSL_do_handshake(ssl), 1);
    CHECK_INT(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_ACCEPTED);
    memset(bytes, 0, sizeof bytes);
    CHECK(SSL_read_ex(ssl, bytes, sizeof bytes - 1, &got));
    CHECK_HAS(bytes, text);
    probe_close(ssl);
    SSL_SESSION_free(echo.session);
    CHECK_INT(test_stop(pid), 0);
}

// A request of which only a part is early data is complete after the handshake: it cannot be
// repeated.
TEST(a_request_that_begins_early)
{
    static const char safe[] =
        "POST /safe-transfer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n";
    char flight[8192];
    pid_t pid;
    int port = start(&pid, "--early-data");
    SSL_SESSION *session = probe_session(port, &(struct probe){0});
    SSL *ssl = probe_new(&(struct probe){.session = session});
    size_t sent;
    SSL_set_fd(ssl, net_connect_or_die("127.0.0.1", port));
    CHECK(SSL_write_early_data(ssl, safe, sizeof safe - 1, &sent));
    CHECK_INT(SSL_do_handshake(ssl), 1);
    CHECK_INT(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_ACCEPTED);
    CHECK_INT(probe_ask(ssl, "\r\n"), 200);
    CHECK_INT(transfers(port), 1);
    probe_close(ssl);
    SSL_SESSION_free(session);

    // All of it: 425, and nothing has happened.
    session = probe_session(port, &(struct probe){0});
    size_t length = first_flight(
        session, "POST /safe-transfer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", flight,
        sizeof flight);
    send_flight(port, flight, length);
    CHECK_INT(transfers(port), 1);
    SSL_SESSION_free(session);
    CHECK_INT(test_stop(pid), 0);
}

TEST(too_much_early_data)
{
    static char much[3 * EARLY_DATA_MAX];
    char log[40], flight[4 * EARLY_DATA_MAX];
    pid_t pid;
    int port = start_with_log(&pid, "--early-data", log);
    SSL_SESSION *session = probe_session(port, &(struct probe){0});
    memset(much, 'x', sizeof much - 1);
    memcpy(much, "POST /echo HTTP/1.1\r\nX: ", 24);
    SSL_SESSION_set_max_early_data(session, sizeof much); // the client does not care
    size_t length = first_flight(session, much, flight, sizeof flight);
    send_flight(port, flight, length);
    CHECK_HAS(probe_log(log), "refused: too much early data; alert: ");
    CHECK(exchange(port));
    SSL_SESSION_free(session);
    stop_with_log(pid, log);
}

// A server that takes none: the client is told so, and asks again when the handshake is done.
TEST(early_data_that_is_not_taken)
{
    pid_t pid, other_pid;
    int port = start(&pid, "--early-data"), other = start(&other_pid, "");
    SSL_SESSION *session = probe_session(port, &(struct probe){0});
    CHECK_INT(test_stop(pid), 0);
    SSL *ssl = probe_new(&(struct probe){.session = session});
    size_t sent;
    SSL_set_fd(ssl, net_connect_or_die("127.0.0.1", other));
    CHECK(SSL_write_early_data(ssl, POST, strlen(POST), &sent));
    CHECK_INT(SSL_do_handshake(ssl), 1);
    CHECK_INT(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_REJECTED);
    CHECK_INT(transfers(other), 0);
    CHECK_INT(probe_ask(ssl, POST), 200);
    CHECK_INT(transfers(other), 1);
    probe_close(ssl);
    SSL_SESSION_free(session);
    CHECK_INT(test_stop(other_pid), 0);
}
