// test_flood.h: the server over sockets: floods, forged and malformed packets, tokens.
#ifndef TEST_FLOOD_H
#define TEST_FLOOD_H

#include "attacker.h"
#include "datagram.h"
#include "download.h"
#include "endpoint.h"
#include "secret.h"
#include "test_server.h"
#include "udp.h"

#define FLOOD 20000

static struct endpoint test_endpoint;
static struct download test_download;

// One download from a server on this port, with a key or without. True: it is right.
static bool fetch_one(int port, const char *path, const char *key)
{
    const char *const paths[] = {path};
    int64_t until = now_ns() + INT64_C(8000000000);
    endpoint_open(&test_endpoint, "127.0.0.1", port, key, STREAM_WINDOW, &download_user);
    downloads_begin(&test_endpoint.connection, &test_download, paths, 1);
    while (!test_download.over && now_ns() < until && endpoint_step(&test_endpoint, until))
        ;
    bool good = downloads_good(&test_download, 1);
    endpoint_close(&test_endpoint);
    return good;
}

static long resident_kb(pid_t pid)
{
    return test_number("awk '/VmRSS/ { print $2 }' /proc/%d/status", pid);
}

TEST(a_flood_of_first_packets)
{
    pid_t pid;
    struct attacker attacker;
    int port = test_start(&pid, "./server --port 0 --quiet");
    CHECK(fetch_one(port, "/bytes/100000", NULL));
    long before = resident_kb(pid);
    attacker_begin(&attacker, "127.0.0.1", port);
    for (int i = 0; i < FLOOD; i++) {
        attacker_send_first(&attacker, "/bytes/1000000");
        if (i % 20 == 0)
            attacker_take(&attacker, NULL, 0, 0);
    }
    attacker_take(&attacker, NULL, 0, 200);
    // The honest client beside it is asked for a token, and served.
    CHECK(fetch_one(port, "/bytes/100000", NULL));
    long after = resident_kb(pid);
    if (!SANITIZED)
        CHECK_AT_MOST(after - before, 8000);
    CHECK(attacker.received <= AMPLIFICATION * attacker.sent);
    attacker_end(&attacker);
    CHECK_INT(test_stop(pid), 0);
}

// While 32 clients have not shown that they are there, the next one is asked for a token; while
// there are fewer, none is.
TEST(the_half_open_are_few)
{
    pid_t pid;
    struct attacker attacker;
    int port = test_start(&pid, "./server --port 0 --quiet");
    attacker_begin(&attacker, "127.0.0.1", port);
    for (int i = 0; i < 31; i++)
        attacker_send_first(&attacker, "/bytes/1000");
    CHECK(fetch_one(port, "/bytes/1000", NULL));
    CHECK_INT((long)test_endpoint.connection.token_length, 0);
    // The server may take the attacker's next packet together with the end of that client,
    // which was half open as well; then it is the attacker who is asked for a token.
    for (int i = 0; i < 3 && test_endpoint.connection.token_length == 0; i++) {
        sleep_ms(20); // makes that rare
        attacker_send_first(&attacker, "/bytes/1000");
        CHECK(fetch_one(port, "/bytes/1000", NULL));
    }
    CHECK_INT((long)test_endpoint.connection.token_length, TOKEN_BYTES);
    attacker_end(&attacker);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_retry_keeps_nothing_and_serves)
{
    pid_t pid;
    struct attacker attacker;
    int port = test_start(&pid, "./server --port 0 --quiet --retry");
    CHECK(fetch_one(port, "/bytes/100000", NULL));
    CHECK_INT((long)test_endpoint.connection.token_length, TOKEN_BYTES);
    attacker_begin(&attacker, "127.0.0.1", port);
    attacker_send_first(&attacker, "/bytes/1000000");
    attacker_take(&attacker, NULL, 0, 200);
    CHECK_BETWEEN(attacker.received, 30, 100);
    CHECK_INT((long)attacker.stolen, 0);
    attacker_end(&attacker);
    CHECK_INT(test_stop(pid), 0);
}

// A token from another address, a changed one, an old one.
TEST(bad_tokens_are_refused)
{
    uint8_t key[TOKEN_KEY_BYTES] = "key", token[TOKEN_BYTES], id[ID_BYTES] = "an id";
    struct sockaddr_storage a = link_address(0x7f000001, 1), b = link_address(0x7f000001, 2);
    token_make(key, &a, id, 0, token);
    CHECK(token_is_good(key, &a, id, INT64_C(9000000000), token, TOKEN_BYTES));
    CHECK(!token_is_good(key, &a, id, INT64_C(12000000000), token, TOKEN_BYTES));
    CHECK(!token_is_good(key, &b, id, 0, token, TOKEN_BYTES));
    CHECK(!token_is_good(key, &a, id, 0, token, TOKEN_BYTES - 1));
    for (int i = 0; i < TOKEN_BYTES; i++) {
        token[i] ^= 1;
        CHECK(!token_is_good(key, &a, id, INT64_C(1000000000), token, TOKEN_BYTES));
        token[i] ^= 1;
    }
    id[0] ^= 1;
    CHECK(!token_is_good(key, &a, id, 0, token, TOKEN_BYTES));
}

TEST(a_client_with_a_bad_token_is_told_so)
{
    pid_t pid;
    const char *const paths[] = {"/bytes/10"};
    int port = test_start(&pid, "./server --port 0 --quiet");
    int64_t until = now_ns() + INT64_C(5000000000);
    struct connection *c = &test_endpoint.connection;
    endpoint_open(&test_endpoint, "127.0.0.1", port, NULL, STREAM_WINDOW, &download_user);
    downloads_begin(c, &test_download, paths, 1);
    c->token_length = TOKEN_BYTES; // of zeros
    while (now_ns() < until && endpoint_step(&test_endpoint, until))
        ;
    CHECK(c->closed_by_peer);
    CHECK_INT((long)c->close_code, INVALID_TOKEN);
    endpoint_close(&test_endpoint);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_client_takes_one_retry)
{
    struct connection c;
    struct sockaddr_storage server = link_address(0x7f000001, 8201), to;
    uint8_t ids[2][ID_BYTES] = {"client!", "made up"}, out[DATAGRAM_MAX];
    CHECK(connection_begin(&c, &link_user, ids[0], ids[1], &server, 1));
    connection_offer(connection_open_stream(&c), 10, true);
    CHECK_AT_LEAST((long)connection_send(&c, out, 1, &to), DATAGRAM_MIN);
    for (int i = 0; i < 3; i++) {
        struct header retry = {.type = PACKET_RETRY,
                               .to = ids[0],
                               .from = text_id(&"server 12"[i]),
                               .token = text_id("token 1 token 2 ") + i,
                               .token_length = 8};
        connection_receive(&c, &retry, out, 0, 40, &server, 2);
        CHECK(!memcmp(c.token, "token 1 ", 8));
        CHECK(!memcmp(c.peer_id, "server 1", 8));
    }
    CHECK_AT_LEAST((long)connection_send(&c, out, 3, &to), DATAGRAM_MIN);
    CHECK_INT((long)c.recovery.next, 2); // the first number is not used again
    connection_end(&c);
}

// What breaks a rule, in a packet of a good connection: the server's answer is CLOSE, and why.
TEST(broken_rules_have_their_errors)
{
    static const struct {
        const char *what, *frames;
        size_t length;
        uint64_t code;
    } cases[] = {
        {"no frames", "", 0, FRAME_ENCODING_ERROR},
        {"an unknown frame", "\x7f", 1, FRAME_ENCODING_ERROR},
        {"a frame that is cut", "\x0e\x04\x00\x09x", 5, FRAME_ENCODING_ERROR},
        {"a server's stream", "\x0e\x01\x00\x01x", 5, STREAM_LIMIT_ERROR},
        {"one stream too many", "\x0e\x41\x00\x00\x01x", 6, STREAM_LIMIT_ERROR},
        {"a window for no stream", "\x11\x02\x01", 3, STREAM_LIMIT_ERROR},
        {"bytes beyond the window", "\x0e\x08\x44\x00\x01x", 6, FLOW_CONTROL_ERROR},
        {"bytes behind the end", "\x0f\x08\x00\x01x\x0e\x08\x01\x01x", 10, FINAL_SIZE_ERROR},
        {"an end before bytes that came", "\x0e\x08\x05\x01x\x0f\x08\x02\x01x", 10,
         FINAL_SIZE_ERROR},
        {"two ends", "\x0f\x08\x09\x01x\x0f\x08\x0a\x01x", 10, FINAL_SIZE_ERROR},
        {"a reset before bytes that came", "\x0e\x08\x05\x01x\x04\x08\x00\x01", 9,
         FINAL_SIZE_ERROR},
        {"an ACK of the future", "\x02\x80\x01\x00\x00\x00\x00\x00", 8, PROTOCOL_VIOLATION},
    };
    pid_t pid;
    int port = test_start(&pid, "./server --port 0 --quiet");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const paths[] = {"/ticks/1000/100/0"};
        uint8_t out[200];
        int64_t until = now_ns() + INT64_C(5000000000);
        struct connection *c = &test_endpoint.connection;
        endpoint_open(&test_endpoint, "127.0.0.1", port, NULL, STREAM_WINDOW, &download_user);
        downloads_begin(c, &test_download, paths, 1);
        while (test_download.ticks == 0 && now_ns() < until)
            endpoint_step(&test_endpoint, until);
        struct header header = {
            .type = PACKET_SHORT, .to = c->peer_id, .number = c->recovery.next + 5};
        size_t length = header_write(out, &header);
        memcpy(out + length, cases[i].frames, cases[i].length);
        udp_send(test_endpoint.fd, out, length + cases[i].length, NULL);
        while (now_ns() < until && endpoint_step(&test_endpoint, until))
            ;
        if (!c->closed_by_peer || c->close_code != cases[i].code)
            FAIL("%s: expected error %llu, got %llu", cases[i].what,
                 (unsigned long long)cases[i].code, (unsigned long long)c->close_code);
        endpoint_close(&test_endpoint);
    }
    CHECK(fetch_one(port, "/bytes/1000", NULL));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_wrong_key_gets_nothing)
{
    pid_t pid;
    struct attacker attacker;
    int port = test_start(&pid, "./server --port 0 --quiet --key right");
    CHECK(fetch_one(port, "/bytes/300000", "right"));
    attacker_begin(&attacker, "127.0.0.1", port);
    attacker_send_first(&attacker, "/bytes/1000"); // without a tag
    static const uint8_t large[60000] = {0x40};    // longer than any packet of ours
    for (size_t length = DATAGRAM_MAX; length < sizeof large; length += 777)
        udp_send(attacker.fd, large, length, NULL);
    attacker_take(&attacker, NULL, 0, 200);
    CHECK_INT((long)attacker.received, 0);
    CHECK(fetch_one(port, "/bytes/1000", "right"));
    attacker_end(&attacker);
    CHECK_INT(test_stop(pid), 0);
}

// A packet of real QUIC gets QUIC's own answer: which versions there are (RFC 8999 §6).
TEST(other_versions_are_told_ours)
{
    pid_t pid;
    uint8_t out[DATAGRAM_MIN] = "\xc3\0\0\0\1\4abcd\3xyz", in[100];
    static const uint8_t expected[] = "\x80\0\0\0\0\3xyz\4abcdstr1";
    int port = test_start(&pid, "./server --port 0 --quiet");
    struct sockaddr_storage server = link_address(0x7f000001, (uint16_t)port), from;
    int fd = udp_connect(&server, NULL);
    udp_send(fd, out, sizeof out - 1, NULL); // too small: no answer
    udp_send(fd, out, sizeof out, NULL);
    struct pollfd poll_fd = {fd, POLLIN, 0};
    CHECK_INT(poll(&poll_fd, 1, 5000), 1);
    CHECK_INT(datagram_receive(fd, in, sizeof in, &from), sizeof expected - 1);
    CHECK(!memcmp(in, expected, sizeof expected - 1));
    CHECK_INT(poll(&poll_fd, 1, 100), 0);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// All places are taken: the next client is told so; a silent one gives its place away.
TEST(a_full_server_says_so)
{
    enum { CLIENTS = 1000 };
    static struct endpoint crowd[CLIENTS];
    static struct download got[CLIENTS];
    const char *const paths[] = {"/bytes/10"};
    pid_t pid;
    if (raise_file_limit(CLIENTS + 50) < CLIENTS + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = test_start(&pid, "./server --port 0 --quiet");
    int64_t until = now_ns() + INT64_C(20000000000);
    for (int i = 0; i < CLIENTS; i++) {
        endpoint_open(&crowd[i], "127.0.0.1", port, NULL, STREAM_WINDOW, &download_user);
        downloads_begin(&crowd[i].connection, &got[i], paths, 1);
        while (!got[i].over && now_ns() < until && endpoint_step(&crowd[i], until))
            ;
        CHECK(got[i].over);
    }
    sleep_ms(1200); // so that all of them have been silent
    CHECK(fetch_one(port, "/bytes/10000", NULL));
    for (int i = 0; i < CLIENTS; i++)
        endpoint_close(&crowd[i]);
    CHECK(fetch_one(port, "/bytes/10000", NULL));
    CHECK_INT(test_stop(pid), 0);
}

// A client's address changes again and again; the download comes to its end.
TEST(a_client_that_moves)
{
    pid_t pid;
    const char *const paths[] = {"/bytes/3000000"};
    int port = test_start(&pid, "./server --port 0 --quiet");
    int64_t until = now_ns() + INT64_C(15000000000);
    uint64_t next = 100000;
    endpoint_open(&test_endpoint, "127.0.0.1", port, NULL, STREAM_WINDOW, &download_user);
    downloads_begin(&test_endpoint.connection, &test_download, paths, 1);
    while (!test_download.over && now_ns() < until && endpoint_step(&test_endpoint, until))
        if (test_download.bytes > next) {
            next += 500000;
            endpoint_move(&test_endpoint, NULL);
        }
    CHECK(downloads_good(&test_download, 1));
    endpoint_close(&test_endpoint);
    CHECK_INT(test_stop(pid), 0);
}

#endif
