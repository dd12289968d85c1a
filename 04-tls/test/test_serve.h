// test_serve.h: what the server does for clients that behave. A part of test.c.
#include "context.h"

TEST(the_facts_of_both_versions)
{
    pid_t pid;
    int port = start(&pid, "");
    SSL *ssl = probe_open(port, &(struct probe){.version = TLS1_3_VERSION});
    CHECK_INT(probe_ask(ssl, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "\r\nStrict-Transport-Security: max-age=31536000\r\n");
    CHECK_HAS(probe_answer, "version: TLSv1.3\ncipher: TLS_AES_256_GCM_SHA384\ngroup: X25519\n"
                            "resumed: no\nserver name: workbench.test\nprotocol: none\n"
                            "early data: no\nclient certificate: none\n");
    CHECK_INT(probe_ask(ssl, GET_FACTS), 200); // on the same connection
    probe_close(ssl);
    CHECK_INT(probe_once(port, &(struct probe){.version = TLS1_2_VERSION}, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "version: TLSv1.2\ncipher: ECDHE-ECDSA-AES256-GCM-SHA384\n"
                            "group: X25519\nresumed: no\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(each_name_has_its_certificate)
{
    pid_t pid;
    int port = start(&pid, "");
    static const char *const names[] = {NAME, "other.test", "localhost", "WorkBench.Test"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_INT(probe_once(port, &(struct probe){.name = names[i]}, GET_FACTS), 200);
    CHECK_INT(probe_once(port, &(struct probe){.name = "nobody.test"}, GET_FACTS), 0);
    CHECK_HAS(probe_reason, "hostname mismatch");
    CHECK_INT(test_stop(pid), 0);
}

// By ALPN a client may also offer HTTP/1.0 alone, as "curl --http1.0" does.
TEST(the_protocols_of_alpn)
{
    static const char *const cases[][2] = {
        {"\x8http/1.1", "protocol: http/1.1\n"},
        {"\x8http/1.0", "protocol: http/1.0\n"},
        {"\x2h2\x8http/1.0\x8http/1.1", "protocol: http/1.1\n"}, // the server's order
        {"\x6"
         "echo/1\x8http/1.1",
         "protocol: http/1.1\n"}};
    pid_t pid;
    int port = start(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(probe_once(port, &(struct probe){.protocols = cases[i][0]}, GET_FACTS), 200);
        CHECK_HAS(probe_answer, cases[i][1]);
    }
    CHECK_INT(test_stop(pid), 0);
}

// A group of the key exchange that has a name in OpenSSL, but no number (since OpenSSL 3.5).
TEST(a_group_after_quantum_computers)
{
    static const char group[] = "X25519MLKEM768";
    char options[100];
    pid_t pid;
    if (!context_knows_groups(group))
        return;
    snprintf(options, sizeof options, "--groups %s:X25519", group);
    int port = start(&pid, options);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(probe_once(port, &(struct probe){.groups = group}, GET_FACTS), 200);
        CHECK_HAS(probe_answer, "group: X25519MLKEM768\n");
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(groups_that_are_asked_for)
{
    static const char *const cases[][2] = {{"P-256", "group: P-256\n"},
                                           {"P-384", "group: P-384\n"},
                                           {"X25519", "group: X25519\n"}};
    pid_t pid;
    int port = start(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(probe_once(port, &(struct probe){.groups = cases[i][0]}, GET_FACTS), 200);
        CHECK_HAS(probe_answer, cases[i][1]);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(both_kinds_of_keys)
{
    static const char *const signatures[] = {"RSA-PSS+SHA256", "ECDSA+SHA256"};
    static const char *const options[] = {"--key rsa", "--key ecdsa", "--key both"};
    pid_t pid;
    for (int i = 0; i < 3; i++) {
        int port = start(&pid, options[i]);
        for (int kind = 0; kind < 2; kind++) {
            SSL *ssl = probe_open(port, &(struct probe){.signatures = signatures[kind]});
            CHECK(!ssl == (i < 2 && kind != i));
            if (ssl)
                CHECK(EVP_PKEY_is_a(X509_get0_pubkey(SSL_get0_peer_certificate(ssl)),
                                    kind ? "EC" : "RSA"));
            probe_close(ssl);
        }
        CHECK_INT(test_stop(pid), 0);
    }
}

TEST(the_lists_of_ciphers)
{
    pid_t pid;
    int port = start(&pid, "--ciphers AES128-GCM-SHA256"); // without Diffie and Hellman
    struct probe old = {.version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"};
    CHECK_INT(probe_once(port, &old, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "cipher: AES128-GCM-SHA256\ngroup: no ephemeral key\n");
    CHECK_INT(test_stop(pid), 0);
    port = start(&pid, "--ciphers TLS_CHACHA20_POLY1305_SHA256");
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "cipher: TLS_CHACHA20_POLY1305_SHA256\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_protocol_by_alpn)
{
    static char bytes[300000], back[sizeof bytes];
    pid_t pid;
    int port = start(&pid, "");
    CHECK_INT(probe_once(port,
                         &(struct probe){.protocols = "\x6" PROTOCOL_ECHO "\x8" PROTOCOL_HTTP},
                         GET_FACTS),
              200); // the server's order counts
    CHECK_HAS(probe_answer, "protocol: http/1.1\n");
    SSL *ssl = probe_open(port, &(struct probe){.protocols = "\x6" PROTOCOL_ECHO});
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * i >> 3);
    for (size_t at = 0, part; at < sizeof bytes; at += part) {
        part = 1 + at * 7 % 30000;
        part = part < sizeof bytes - at ? part : sizeof bytes - at;
        CHECK(probe_write(ssl, bytes + at, part));
        for (size_t got = 0, length = 1; length && got < part; got += length)
            if (!SSL_read_ex(ssl, back + at + got, part - got, &length))
                length = 0;
    }
    CHECK(!memcmp(bytes, back, sizeof bytes));
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

TEST(requests_in_pieces_and_in_bulk)
{
    static const char request[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n";
    pid_t pid;
    int port = start(&pid, "");
    SSL *ssl = probe_open(port, &(struct probe){0});
    for (size_t cut = 1; cut < sizeof request - 1; cut++) { // each part in a record of its own
        CHECK(probe_write(ssl, request, cut));
        CHECK(probe_write(ssl, request + cut, sizeof request - 1 - cut));
        CHECK_INT(probe_read(ssl), 200);
        CHECK_HAS(probe_answer, "\r\n\r\nabcde");
    }
    for (int i = 0; i < 300; i++) // and all of them before the first answer
        CHECK(probe_write(ssl, i % 3 ? GET_FACTS : POST, strlen(i % 3 ? GET_FACTS : POST)));
    for (int i = 0; i < 300; i++) {
        CHECK_INT(probe_read(ssl), 200);
        CHECK_HAS(probe_answer, i % 3 ? "version: " : "transfer ");
    }
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// Reads n bytes of the alphabet, as far as they come. Returns how many were right.
static size_t read_bulk(SSL *ssl, size_t n)
{
    static char bytes[16384];
    size_t at = 0, got;
    while (at < n &&
           SSL_read_ex(ssl, bytes, n - at < sizeof bytes ? n - at : sizeof bytes, &got))
        for (size_t i = 0; i < got; i++, at++)
            if (bytes[i] != (char)('a' + at % 26))
                return at;
    return at;
}

static bool read_head(SSL *ssl)
{
    char end[5] = "";
    for (size_t got; strcmp(end, "\r\n\r\n");) {
        memmove(end, end + 1, 3);
        if (!SSL_read_ex(ssl, end + 3, 1, &got))
            return false;
    }
    return true;
}

TEST(much_data_and_what_is_asked_behind_it)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 65536, 1000000, 30000000};
    char request[100];
    pid_t pid;
    int port = start(&pid, "");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL *ssl = probe_open(port, &(struct probe){.version = version});
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            snprintf(request, sizeof request, "GET /bytes?n=%zu HTTP/1.1\r\nHost: a\r\n\r\n",
                     sizes[i]);
            CHECK(probe_write(ssl, request, strlen(request)));
            CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
            CHECK(read_head(ssl));
            CHECK_INT((long)read_bulk(ssl, sizes[i]), (long)sizes[i]);
            CHECK_INT(probe_read(ssl), 200);
        }
        probe_close(ssl);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_answers_of_http)
{
    static const struct {
        const char *request;
        int status;
        const char *says; // the content of the answer has this: half a sentence that says why
    } cases[] = {
        {"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404, "Not Found: there is no such path"},
        {"GET /transfer HTTP/1.1\r\nHost: a\r\n\r\n", 405, "this path takes another method"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 405, "another method"},
        {"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "knows only GET, HEAD and POST"},
        {"GET /bytes HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request: /bytes?n=N takes"},
        {"GET /bytes?n=1073741825 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "N from 0 to"},
        {"GET /bytes?n=1x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "N from 0 to"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "Bad Request: a Host field is missing"},
        {"GET / HTTP/3.0\r\n\r\n", 505, "only HTTP/1.1 and HTTP/1.0"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n", 413,
         "Content Too Large: a request's content may have at most 4096 bytes\n"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
         "Bad Request: "},
        // A whole URI as the target: its scheme has to be the port's (RFC 9110 §7.4).
        {"GET https://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 200, "version: TLS"},
        {"GET HTTPS://a:8004/transfers?x HTTP/1.1\r\nHost: b\r\n\r\n", 200, "\r\n\r\n0\n"},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 421,
         "Misdirected Request: an http URI on a connection with TLS"},
        {"POST /safe-transfer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200,
         "transfer 1 done\n"}};
    static char much[4400];
    pid_t pid;
    int port = start(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(probe_once(port, &(struct probe){0}, cases[i].request), cases[i].status);
        CHECK_HAS(probe_answer, cases[i].says);
    }
    int head = sprintf(much, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n");
    memset(much + head, 'x', 4096);
    CHECK_INT(probe_once(port, &(struct probe){0}, much), 200);
    CHECK_INT((long)strlen(strstr(probe_answer, "\r\n\r\n")), 4100);
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 28));
    CHECK(read_head(ssl)); // and no content behind it
    CHECK_INT(probe_ask(ssl, GET_FACTS), 200);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// The client says with its request that it is its last word: it is answered all the same, and
// the server's last word is a close_notify, too.
TEST(close_notify_both_ways)
{
    pid_t pid;
    int port = start(&pid, "");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL *ssl = probe_open(port, &(struct probe){.version = version});
        char byte;
        CHECK(probe_write(ssl, GET_FACTS, strlen(GET_FACTS)));
        CHECK_INT(SSL_shutdown(ssl), 0); // ours is sent, theirs has not come
        CHECK_INT(probe_read(ssl), 200);
        CHECK_INT(SSL_read(ssl, &byte, 1), 0);
        CHECK_INT(SSL_get_shutdown(ssl), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        probe_close(ssl);
    }
    CHECK_INT(test_stop(pid), 0);
}

// A client that asks for much and reads nothing: the server has it wait, serves others, and
// keeps no more of it than its own buffers hold.
TEST(a_client_that_does_not_read)
{
    pid_t pid;
    int port = start(&pid, "");
    static const char request[] = "GET /bytes?n=1000000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    SSL *clients[20];
    for (int i = 0; i < 20; i++) {
        clients[i] = probe_open(port, &(struct probe){0});
        CHECK(probe_write(clients[i], request, sizeof request - 1));
    }
    for (int i = 0; i < 20; i++)
        CHECK(exchange(port));
    CHECK(memory_kb(pid, "VmRSS") < 200000); // also with sanitizers
    for (int i = 0; i < 20; i++) {
        close(SSL_get_fd(clients[i]));
        SSL_free(clients[i]);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(options_of_the_lesson)
{
    static const char *const refused[][2] = {
        {"--tls 1.1", "--tls takes 1.2, 1.3 or any, not '1.1'"},
        {"--key dsa", "--key takes rsa, ecdsa or both, not 'dsa'"},
        {"--tickets yes", "--tickets takes on or off, not 'yes'"},
        {"--anti-replay 1", "--anti-replay takes on or off, not '1'"},
        {"--ciphers NO-SUCH", "--ciphers takes names of ciphers with ':' between them, not"},
        {"--ciphers TLS_NO", "not 'TLS_NO'"},
        {"--groups rot13", "--groups takes names of groups with ':' between them, not 'rot13'"},
        {"--cert x", "--cert and --key-file are only taken together"},
        {"--handshake-ms 0", "from 1 to 3600000, not '0'"}};
    char command[200];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(command, sizeof command, "./server %s", refused[i][0]);
        CHECK_INT(test_run(command), 2);
        CHECK_HAS(test_output, refused[i][1]);
    }
    CHECK_INT(test_run("./server --cert /nowhere --key-file /nowhere"), 1);
    CHECK_HAS(test_output, "cannot use the certificate /nowhere: No such file");
    CHECK_INT(test_run("./server --cert keys/server-rsa.pem --key-file keys/client-key.pem"),
              1);
    CHECK_HAS(test_output, "cannot use the key keys/client-key.pem: no certificate");
    CHECK_INT(test_run("./server --keylog /nowhere/file"), 1);
    CHECK_HAS(test_output, "cannot open the key log /nowhere/file: No such file");
}

TEST(ones_own_certificate)
{
    pid_t pid;
    int port = start(&pid, "--cert keys/other-rsa.pem --key-file keys/other-rsa-key.pem");
    CHECK_INT(probe_once(port, &(struct probe){.name = "other.test"}, GET_FACTS), 200);
    CHECK_INT(probe_once(port, &(struct probe){0}, GET_FACTS), 0);
    CHECK_HAS(probe_reason, "hostname mismatch");
    CHECK_INT(test_stop(pid), 0);
}
