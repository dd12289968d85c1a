// test_attack.h: what the internet sends: half of something, too much of it, or something else.
// A part of test.c.
#include "tls_filter.h"

// The first bytes of a good client.
static size_t client_hello(char *bytes, size_t size)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL *ssl = probe_new(&(struct probe){0});
    size_t length = 0;
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    CHECK_INT(SSL_do_handshake(ssl), -1); // it waits for an answer
    CHECK(BIO_read_ex(out, bytes, size, &length));
    SSL_free(ssl);
    return length;
}

TEST(plain_http_is_told_so)
{
    static const char *const requests[] = {GET_FACTS, POST, "BREW / HTTP/1.1\r\n", "G"};
    pid_t pid;
    int port = start(&pid, "");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        send_and_end(port, requests[i], strlen(requests[i]));
        CHECK_HAS(probe_answer, "HTTP/1.1 400 Bad Request\r\n");
        CHECK_HAS(probe_answer, "Content-Length: 57\r\n");
        CHECK_HAS(probe_answer, "\r\n\r\nThis port speaks HTTPS, and you spoke HTTP. Try");
        CHECK_INT((long)strlen(strstr(probe_answer, "\r\n\r\n")), 4 + 57);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(records_that_are_none)
{
    // type, version, length: what it is, and what the server says of it
    static const struct {
        const char *bytes;
        size_t length;
        const char *reason;
    } cases[] = {
        {"\x16\x03\x01\xff\xff"
         "abcdef",
         11, "; alert: record overflow (22)"},
        {"\x16\x03\x01\x48\x01"
         "abcdef",
         11, "; alert: record overflow (22)"},
        {"\x16\x03\x01\x00\x00", 5, "refused: "},
        {"\x15\x03\x01\x00\x02\x02\x28", 7, " (10)"},
        {"\x15\x03\x01\x00\x02\x01\x00", 7, "refused: "}, // close_notify, before anything
        {"\x17\x03\x03\x00\x01x", 6, " (10)"},
        {"\x14\x03\x03\x00\x01\x01", 6, " (10)"},
        {"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, " (10)"},
        {"\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9, "excessive message size"},
        {"\x16\x09\x09\x00\x04\x01\x00\x00\x00", 9, "wrong version number"},
        {"\x00\x00\x00\x00\x00\x00", 6, "refused: "},
        {"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11, "refused: "}, // of SSL 2
    };
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(exchange(port)); // of lines that are the same only the first one is printed
        size_t before = strlen(probe_log(log));
        send_and_end(port, cases[i].bytes, cases[i].length);
        if (*cases[i].reason != 'r')
            CHECK_HAS(probe_log(log) + before, cases[i].reason);
    }
    CHECK(exchange(port));
    stop_with_log(pid, log);
}

TEST(a_client_hello_cut_at_every_byte)
{
    char hello[4096], log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    size_t length = client_hello(hello, sizeof hello);
    CHECK(length > 200);
    for (size_t cut = 0; cut < length; cut++)
        CHECK_INT((long)send_and_end(port, hello, cut), 0);
    CHECK(send_and_end(port, hello, length) > 1000); // the server's flight
    CHECK(exchange(port));
    stop_with_log(pid, log);
}

// Each byte of it wrong, one at a time: an alert, or a handshake that comes to nothing.
TEST(a_client_hello_wrong_at_every_byte)
{
    char hello[4096];
    pid_t pid;
    int port = start(&pid, "--quiet");
    size_t length = client_hello(hello, sizeof hello);
    for (size_t at = 0; at < length; at++) {
        hello[at] ^= (char)(1 + at * 5 % 255);
        send_and_end(port, hello, length);
        hello[at] ^= (char)(1 + at * 5 % 255);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// A whole conversation, each byte in a packet of its own.
TEST(a_handshake_byte_by_byte)
{
    pid_t pid;
    int port = start(&pid, "");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
        SSL *ssl = probe_new(&(struct probe){.version = version});
        int fd = net_connect_or_die("127.0.0.1", port), on = 1;
        size_t got = 0, length = 0;
        char byte, answer[1000] = "";
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        BIO_set_mem_eof_return(in, -1);
        SSL_set_bio(ssl, in, out);
        for (bool asked = false; !strstr(answer, "\r\n\r\nversion: ");) {
            if (SSL_do_handshake(ssl) == 1 && !asked)
                asked = probe_write(ssl, GET_FACTS, strlen(GET_FACTS));
            while (BIO_read_ex(out, &byte, 1, &got))
                if (!write_all(fd, &byte, 1))
                    break;
            if (asked && SSL_read_ex(ssl, answer + length, sizeof answer - 1 - length, &got))
                length += got;
            else if (read(fd, &byte, 1) != 1 || !BIO_write_ex(in, &byte, 1, &got))
                break;
        }
        CHECK_HAS(answer, "HTTP/1.1 200 OK");
        close(fd);
        SSL_free(ssl);
    }
    CHECK_INT(test_stop(pid), 0);
}

// Clients that stop in the middle of a handshake: at the end of their time, they are closed.
TEST(stalled_handshakes_end)
{
    char hello[4096], log[40];
    pid_t pid;
    int port = start_with_log(&pid, "--handshake-ms 300", log), fds[3];
    size_t length = client_hello(hello, sizeof hello), sent[] = {0, length / 2, length};
    SSL *good = probe_open(port, &(struct probe){0});
    for (int i = 0; i < 3; i++) { // nothing; half a hello; a whole one, and no more
        fds[i] = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fds[i], hello, sent[i]));
    }
    for (int i = 0; i < 3; i++)
        CHECK(probe_is_closed(fds[i]));
    CHECK_INT(probe_ask(good, GET_FACTS), 200); // its handshake was done
    CHECK_HAS(probe_log(log), "refused: the handshake takes too long");
    probe_close(good);
    stop_with_log(pid, log);
}

// A request that has begun has ten seconds, and a byte now and then buys no more. A client that
// says nothing has more of them: so the slow one, which came first, is told so before the
// silent one is closed.
TEST(a_request_that_does_not_end_gets_408)
{
    static const char begun[] = "GET / HTTP/1.1\r\nX: ";
    pid_t pid;
    int port = start(&pid, "--quiet");
    struct probe probe = {.version = TLS1_2_VERSION}; // no tickets come after the handshake
    SSL *slow = probe_open(port, &probe);
    CHECK(probe_write(slow, begun, strlen(begun)));
    SSL *silent = probe_open(port, &probe);
    struct pollfd end[] = {{SSL_get_fd(slow), POLLIN, 0}, {SSL_get_fd(silent), POLLIN, 0}};
    while (poll(end, 2, 500) == 0)
        CHECK(probe_write(slow, "x", 1));
    CHECK(end[0].revents & POLLIN);
    CHECK_INT(probe_read(slow), 408);
    CHECK_HAS(probe_answer, "the request did not come in 10 seconds");
    probe_close(slow);
    probe_close(silent);
    CHECK_INT(test_stop(pid), 0);
}

// Clients that leave in the middle of a handshake are counted: no connection is unaccounted
// for.
TEST(clients_that_leave_during_a_handshake)
{
    char hello[4096], log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    size_t length = client_hello(hello, sizeof hello), sent[] = {0, length / 2, length};
    for (int i = 0; i < 3; i++) {
        int fd = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fd, hello, sent[i]));
        close(fd);
    }
    CHECK(exchange(port));
    CHECK_HAS(probe_log(log), "left before the handshake was done");
    CHECK_INT(test_stop(pid), 0);
    CHECK_HAS(probe_log(log), "stopped: connections 4, requests 1\n"
                              "handshakes: done 1, resumed 0, refused 0, abandoned 3\n");
    unlink(log);
}

static int allow_descriptors(int wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max >= (rlim_t)wanted;
}

TEST(a_thousand_half_open_handshakes)
{
    static int fds[1000];
    char hello[4096];
    pid_t pid;
    if (!allow_descriptors(1050))
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = start(&pid, "--handshake-ms 3600000 --quiet");
    size_t length = client_hello(hello, sizeof hello);
    for (int i = 0; i < 1000; i++) { // half of them have got the server's answer
        fds[i] = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fds[i], hello, i & 1 ? length : length / 2));
    }
    CHECK(exchange(port));
    CHECK(exchange(port));
    for (int i = 0; i < 1000; i++)
        close(fds[i]);
    CHECK_INT(test_stop(pid), 0);
}

// More than the server has patience for: the oldest one goes, and the newest ones stay.
TEST(the_oldest_half_open_handshake_goes)
{
    enum { MORE = TLS_HALF_OPEN_MAX + 10 };
    static int fds[MORE];
    pid_t pid;
    int gone = 0;
    if (!allow_descriptors(MORE + 50))
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = start(&pid, "--handshake-ms 3600000 --quiet");
    for (int i = 0; i < MORE; i++)
        fds[i] = net_connect_or_die("127.0.0.1", port);
    CHECK(exchange(port)); // now all have been accepted
    CHECK(probe_is_closed(fds[0]));
    for (int i = 0; i < MORE; i++) {
        struct pollfd closed = {fds[i], POLLIN, 0};
        gone += poll(&closed, 1, 0) == 1;
        close(fds[i]);
    }
    CHECK_INT(gone, 11); // ten, and one for the exchange
    CHECK_INT(test_stop(pid), 0);
}

// An attacker on the way cuts off the last part of a request: nothing of it is done.
TEST(a_request_that_is_cut)
{
    static const char half[] =
        "POST /transfer HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL *ssl = probe_open(port, &(struct probe){.version = version});
        CHECK(probe_write(ssl, half, sizeof half - 1));
        shutdown(SSL_get_fd(ssl), SHUT_WR); // without a close_notify
        CHECK(probe_is_closed(SSL_get_fd(ssl)));
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
    }
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_COUNT), 200);
    CHECK_HAS(probe_answer, "\r\n\r\n0\n");
    CHECK_HAS(probe_log(log), "closed without close_notify");
    stop_with_log(pid, log);
}

// The server dies in the middle of an answer: the client can tell this from an end.
TEST(an_answer_that_is_cut)
{
    static char bytes[16384];
    pid_t pid;
    int port = start(&pid, ""), status;
    SSL *ssl = probe_open(port, &(struct probe){0});
    static const char request[] = "GET /bytes?n=1000000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    size_t got, length = 0;
    CHECK(probe_write(ssl, request, sizeof request - 1));
    CHECK(SSL_read_ex(ssl, bytes, sizeof bytes, &got));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    while (SSL_read_ex(ssl, bytes, sizeof bytes, &got))
        length += got;
    probe_note_reason(ssl);
    CHECK(strstr(probe_reason, "unexpected eof while reading") ||
          strstr(probe_reason, "connection lost")); // with a reset
    CHECK(length < 1000000000);
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

TEST(renegotiation_is_refused)
{
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    SSL *ssl = probe_open(port, &(struct probe){.version = TLS1_2_VERSION});
    CHECK_INT(SSL_renegotiate(ssl), 1);
    CHECK(SSL_do_handshake(ssl) <= 0);
    probe_note_reason(ssl);
    CHECK_HAS(probe_reason, "no renegotiation");
    CHECK(exchange(port));
    probe_close(ssl);
    stop_with_log(pid, log);
}

// An attacker puts bytes into the middle of a connection, in the form of records.
TEST(records_from_a_stranger)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{"\x15\x03\x03\x00\x02\x02\x00", 7},
                 {"\x15\x03\x03\x00\x02\x01\x00", 7},
                 {"\x17\x03\x03\x00\x20"
                  "12345678901234567890123456789012",
                  37},
                 {"\x17\x03\x03\x48\x01"
                  "12345678901234567890123456789012",
                  37},
                 {"\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9},
                 {"\x14\x03\x03\x00\x01\x01", 6},
                 {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 28}};
    pid_t pid;
    int port = start(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            SSL *ssl = probe_open(port, &(struct probe){.version = version});
            CHECK_INT(probe_ask(ssl, GET_FACTS), 200);
            CHECK(write_all(SSL_get_fd(ssl), cases[i].bytes, cases[i].length));
            shutdown(SSL_get_fd(ssl), SHUT_WR);
            CHECK(probe_is_closed(SSL_get_fd(ssl)));
            close(SSL_get_fd(ssl));
            SSL_free(ssl);
        }
        CHECK(exchange(port));
    }
    CHECK_INT(test_stop(pid), 0);
}

// New keys again and again, and each time with the wish that the server changes its own as
// well.
TEST(key_updates_without_end)
{
    pid_t pid;
    int port = start(&pid, "");
    SSL *ssl = probe_open(port, &(struct probe){.version = TLS1_3_VERSION});
    for (int i = 0; i < 2000; i++) {
        CHECK_INT(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        CHECK_INT(SSL_do_handshake(ssl), 1);
    }
    CHECK_INT(probe_ask(ssl, GET_FACTS), 200);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}
