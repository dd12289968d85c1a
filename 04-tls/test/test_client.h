// test_client.h: the program ./client: what it says, what it refuses, and its exit status. A
// part of test.c.

// How the server of a test ends a connection. ECHO: after it has sent the request back.
enum ending { CLOSE_NOTIFY, CUT, ECHO };

// Starts a server of the test's own, which answers one connection with these bytes, whatever
// they are. Returns its port.
static int serve_bytes(const char *bytes, size_t length, enum ending ending)
{
    struct certificate_files own =
        certificate_files(CERTIFICATE_FOLDER, CERTIFICATE_SERVER_ECDSA);
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    char request[4096];
    size_t got, sent;
    int listener = net_listen("127.0.0.1", 0, 4);
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (fork()) {
        close(listener);
        return ntohs(address.sin_port);
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(ctx, own.chain);
    SSL_CTX_use_PrivateKey_file(ctx, own.key, SSL_FILETYPE_PEM);
    SSL *ssl = SSL_new(ctx);
    int fd = accept(listener, NULL, NULL);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read_ex(ssl, request, sizeof request, &got))
        SSL_write_ex(ssl, bytes, length, &sent);
    if (ending == ECHO)
        SSL_write_ex(ssl, "HTTP/1.0 200 OK\r\n\r\n", 19, &sent);
    if (ending == ECHO)
        SSL_write_ex(ssl, request, got, &sent);
    if (ending != CUT)
        SSL_shutdown(ssl);
    shutdown(fd, SHUT_WR);
    while (read(fd, request, sizeof request) > 0)
        ;
    _exit(0);
}

// Runs ./client against such a server, by the shell command that `format` makes of its port.
static int run_against(const char *answer, enum ending ending, const char *format)
{
    char command[300];
    int port = serve_bytes(answer, strlen(answer), ending);
    snprintf(command, sizeof command, "./client --port %d %s", port, format);
    return test_run(command);
}

TEST(the_client_refuses_bad_options)
{
    static const char *const refused[][2] = {
        {"--tls 1.1", "--tls takes 1.2, 1.3 or any, not '1.1'"},
        {"--pin 1234", "--pin takes 64 digits, in hex, not '1234'"},
        {"--cert x", "--cert and --key-file are only taken together"},
        {"--groups rot13", "--groups takes names of groups with ':' between them"},
        {"nothing", "a path begins with '/', and has no blanks and no '#': not 'nothing'"},
        {"'/a b'", "not '/a b'"},
        {"/ /", "unexpected argument '/'"}};
    char command[200];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(command, sizeof command, "./client %s", refused[i][0]);
        CHECK_INT(test_run(command), 2);
        CHECK_HAS(test_output, refused[i][1]);
    }
}

TEST(the_client_asks_one_thing)
{
    static const struct {
        const char *options;
        int status;
        const char *says;
    } cases[] = {
        {"", 0, "* checked: it is 127.0.0.1, says CN=Workbench Root (keys/ca.pem)"},
        {"", 0, "* TLSv1.3, TLS_AES_256_GCM_SHA384, X25519\n* handshake: "},
        {"", 0, "HTTP/1.1 200 OK"},
        {"--host localhost", 0, "server name: localhost\n"},
        {"--host localhost.", 0, "server name: localhost\n"}, // without the dot: RFC 6066 §3
        {"--servername workbench.test.", 0, "checked: it is workbench.test., says"},
        {"--groups P-384", 0, "* TLSv1.3, TLS_AES_256_GCM_SHA384, P-384"},
        {"--tls 1.2", 0, "* TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384, X25519"},
        {"--alpn http/1.1", 0, "* protocol by ALPN: http/1.1\n"},
        {"/nothing", 0, "HTTP/1.1 404 Not Found"},
        {"--servername expired.test", 1, "no answer: certificate has expired"},
        {"--servername expired.test --insecure", 0, "WARNING: NOT CHECKED"},
        {"--alpn h2", 1, "no application protocol"},
        {">/dev/full", 1, "client: cannot write the output: No space left on device"}};
    char command[200];
    pid_t pid;
    int port = start(&pid, "--quiet");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "./client --port %d %s", port, cases[i].options);
        CHECK_INT(test_run(command), cases[i].status);
        CHECK_HAS(test_output, cases[i].says);
    }
    CHECK_INT(test_stop(pid), 0);
}

// The figures of a handshake: what comes back, with the certificates, is longer than all that
// goes; and no machine needs less than 0.1 ms for the signature, its check and the two keys.
TEST(the_client_measures_the_handshake)
{
    char command[200];
    double ms = 0;
    unsigned long to_server = 0, back = 0;
    pid_t pid;
    int port = start(&pid, "--quiet");
    snprintf(command, sizeof command, "./client --port %d", port);
    CHECK_INT(test_run(command), 0);
    const char *line = strstr(test_output, "* handshake: ");
    CHECK(line && sscanf(line, "* handshake: %lu bytes to the server, %lu bytes back, %lf ms",
                         &to_server, &back, &ms) == 3);
    CHECK_BETWEEN(to_server, 150, 2500);
    CHECK_BETWEEN(back, to_server + 200, 6000);
    CHECK_BETWEEN(ms, 0.1, 60000);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_client_resumes)
{
    char command[200];
    pid_t pid;
    int port = start(&pid, "--quiet --early-data");
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "./client --port %d --tls 1.%d --resume", port,
                 2 + i);
        CHECK_INT(test_run(command), 0);
        CHECK_HAS(test_output, "resumed: no\n");
        CHECK_HAS(test_output, "resumed: yes\n");
        CHECK_HAS(test_output, "* resumed: the server has shown its certificate in an earlier");
    }
    snprintf(command, sizeof command, "./client --port %d --early-data", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "early data: yes\n");
    CHECK_HAS(test_output, "* early data: the request went with the first message");
    CHECK_INT(test_stop(pid), 0);
    port = start(&pid, "--quiet"); // which takes none
    snprintf(command, sizeof command, "./client --port %d --early-data", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "resumed: yes\n");
    CHECK_HAS(test_output,
              "* early data: the server did not take it, so the request is sent again");
    CHECK_INT(test_stop(pid), 0);
}

// The Host field of a request (RFC 9110 §7.2): an IPv6 address in brackets, and the port. The
// server answers with what it was asked.
TEST(the_client_names_the_host)
{
    static const char *const cases[][2] = {
        {"--host 127.0.0.1", "Host: 127.0.0.1:"},
        {"--host localhost", "Host: localhost:"},
        {"--servername ::1", "Host: [::1]:"},
        {"--servername other.test --insecure", "Host: other.test:"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(run_against("", ECHO, cases[i][0]), 0);
        CHECK_HAS(test_output, cases[i][1]);
    }
}

TEST(the_client_believes_no_bad_answer)
{
    static const struct {
        const char *answer;
        enum ending ending;
        int status;
        const char *says;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CLOSE_NOTIFY, 0, "\r\nok"},
        {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CUT,
         0, "\r\nok"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", CLOSE_NOTIFY, 0, "to the end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", CUT, 0,
         "\r\nok"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", CUT, 0, "304"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", CUT, 1,
         "10 bytes of content have come, but not its end: the connection was cut"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CUT, 1,
         "the answer is not whole: 4 of 100 bytes have come: the connection was cut: the "
         "server"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE_NOTIFY, 1,
         "4 of 100 bytes have come: the server has ended the connection properly"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", CLOSE_NOTIFY, 1,
         "2 bytes of content have come, but not"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokzz\r\n", CUT, 1,
         "after 2 bytes of content: a chunk does not end with CRLF"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", CUT, 1,
         "a transfer coding"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", CUT, 1,
         "no answer: its head"},
        {"HTTP/2.0 200 OK\r\n\r\n", CUT, 1, "only HTTP/1.1 and HTTP/1.0"},
        {"220 mail.example ESMTP\r\n", CUT, 1, "malformed"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", CUT, 1,
         "which this client has not asked for"},
        {"HTTP/1.1 200", CUT, 1, "the connection was cut"},
        {"HTTP/1.1 200", CLOSE_NOTIFY, 1, "has ended the connection after 12 bytes"},
        {"", CLOSE_NOTIFY, 1, "has ended the connection after 0 bytes"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(run_against(cases[i].answer, cases[i].ending, ""), cases[i].status);
        CHECK_HAS(test_output, cases[i].says);
    }
}

// What it has read is shown, and a terminal is not commanded by it.
TEST(the_client_on_a_terminal)
{
    char command[300];
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n\033[31mred\007 \x7f half";
    if (test_run("command -v script"))
        SKIP("script is not there: apt-get install bsdutils");
    int port = serve_bytes(answer, sizeof answer - 1, CUT);
    snprintf(command, sizeof command, "script -qec './client --port %d' /dev/null </dev/null",
             port);
    test_run(command);
    CHECK_HAS(test_output, ".[31mred. . half");
    CHECK(!strstr(test_output, "OK.")); // the end of a line is no command
    CHECK(!strchr(test_output, '\033'));
    CHECK(!strchr(test_output, '\007'));
}
