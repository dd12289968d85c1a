// test_client.h: the client against servers that do what they must not do.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <arpa/inet.h>

#include "frame_rules.h"
#include "h3_client.h"
#include "raw.h"
#include "smaller.h"

#define SETTINGS "\x00\x04\x00"         // a control stream
#define OK       "\x01\x03\x00\x00\xd9" // HEADERS: 200

struct lie {
    const uint8_t *control; // what the server writes on its control stream
    size_t control_length;
    const uint8_t *answer; // and as an answer
    size_t answer_length;
    bool end;         // nothing comes behind the answer
    bool request;     // the server opens a request stream
    const char *says; // what the client says of it; NULL: the answer is good
};

// In a process of its own: accepts one connection, writes these bytes, and then is silent.
static inline _Noreturn void lie_to(int fd, const struct lie *lie)
{
    SSL *listener = quic_listener(quic_server_context("../keys", NULL), fd, false), *ssl = NULL;
    SSL *request = NULL;
    alarm(60);
    for (;;) {
        raw_turn(listener, 0);
        if (!ssl)
            ssl = SSL_accept_connection(listener, SSL_ACCEPT_CONNECTION_NO_BLOCK);
        if (!ssl || request)
            continue;
        quic_set_passive(ssl);
        SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE);
        SSL_set_incoming_stream_policy(ssl, SSL_INCOMING_STREAM_POLICY_ACCEPT, 0);
        SSL *stream = SSL_accept_stream(ssl, SSL_ACCEPT_STREAM_NO_BLOCK);
        if (!stream || SSL_get_stream_type(stream) != SSL_STREAM_TYPE_BIDI)
            continue; // the client's control stream stays open
        request = stream;
        size_t written;
        quic_set_passive(request);
        if (lie->request)
            raw_stream(ssl, false, "\x01", 1, false);
        raw_stream(ssl, true, lie->control, lie->control_length, false);
        SSL_write_ex(request, lie->answer, lie->answer_length, &written);
        if (lie->end)
            SSL_stream_conclude(request, 0);
    }
}

// What the client says of a server that lies so; it waits at most so long.
static inline const char *told(const struct lie *lie, int64_t patience_ns)
{
    static struct h3_client liar;
    static struct answer answer;
    static char says[3 * QUIC_WHY_BYTES];
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = quic_bind("127.0.0.1", 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    pid_t pid = fork();
    if (pid == 0)
        lie_to(fd, lie);
    close(fd);
    answer = (struct answer){0};
    int64_t until_ns = now_ns() + patience_ns;
    h3_open(&liar, raw_context(), "127.0.0.1", ntohs(address.sin_port), WORKBENCH);
    CHECK(h3_handshake(&liar, until_ns));
    CHECK(h3_ask(&liar, &answer, "GET", "/"));
    // What comes behind the answer may be wrong, too.
    int64_t enough_ns = INT64_MAX;
    while (h3_step(&liar, smaller((size_t)until_ns, (size_t)enough_ns)))
        if (answer.state != ANSWER_PENDING && enough_ns == INT64_MAX)
            enough_ns = now_ns() + 200000000;
    snprintf(says, sizeof says, "%d %s %s", answer.status, answer.why, liar.connection.why);
    if (answer.state == ANSWER_WHOLE)
        snprintf(says, sizeof says, "whole %s", liar.connection.why);
    h3_close(&liar);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return says;
}

TEST(servers_that_lie)
{
    static const struct lie table[] = {
        {BYTES(SETTINGS), BYTES(OK "\x00\x02hi"), true, false, "whole"},
        {BYTES(SETTINGS), BYTES("\x01\x04\x00\x00\xff\x00" OK), true, false,
         "whole"}, // 100 in front
        {BYTES(SETTINGS),
         BYTES(OK "\x00\x02hi"
                  "\x01\x07\x00\x00\x22"
                  "ab\x01"
                  "c"),
         true, false, "whole"},
        {BYTES(SETTINGS), BYTES("\x00\x02hi"), true, false, "H3_FRAME_UNEXPECTED"},
        {BYTES(SETTINGS), BYTES("\x01\x03\x00\x00\xd1"), true, false,
         "malformed: an answer that does not"},
        {BYTES(SETTINGS),
         BYTES("\x01\x06\x00\x00\xd9\x54\x01"
               "7\x00\x02hi"),
         true, false, "malformed: less"},
        {BYTES(SETTINGS),
         BYTES("\x01\x06\x00\x00\xd9\x54\x01"
               "1\x00\x02hi"),
         true, false, "malformed: more"},
        {BYTES(SETTINGS), BYTES("\x01\x03\x00\x00\xda\x00\x02hi"), true, false,
         "malformed: more"}, // 304 has no content
        {BYTES(SETTINGS), BYTES(OK "\x00\x05hi"), true, false, "H3_FRAME_ERROR"},
        {BYTES(SETTINGS), BYTES(OK "\x05\x03\x00\x00\x00"), true, false, "H3_ID_ERROR"},
        {BYTES(SETTINGS), BYTES("\x01\x01\x00"), true, false, "QPACK_DECOMPRESSION_FAILED"},
        {BYTES(SETTINGS), BYTES(""), true, false, "without a message"},
        {BYTES(SETTINGS "\x04\x00"), BYTES(""), false, false, "H3_FRAME_UNEXPECTED"},
        {BYTES("\x00\x04\x02\x02\x00"), BYTES(""), false, false, "H3_SETTINGS_ERROR"},
        {BYTES("\x00\x07\x01\x00"), BYTES(""), false, false, "H3_MISSING_SETTINGS"},
        {BYTES(SETTINGS "\x07\x01\x02"), BYTES(""), false, false, "H3_ID_ERROR"},
        {BYTES(SETTINGS "\x07\x01\x04\x07\x01\x08"), BYTES(""), false, false, "H3_ID_ERROR"},
        {BYTES(SETTINGS "\x0d\x01\x00"), BYTES(""), false, false, "H3_FRAME_UNEXPECTED"},
        {BYTES("\x01\x00"), BYTES(""), false, false, "H3_ID_ERROR"},
        {BYTES(SETTINGS), BYTES(""), false, true, "H3_STREAM_CREATION_ERROR"},
    };
    static const struct lie silent = {BYTES(SETTINGS), BYTES(OK "\x00\x05hi"), false, false,
                                      "the server does not answer"};
    skip_if_alone();         // in an emulator each of these servers takes seconds
    alarm(3 * TEST_SECONDS); // a new process for each, and a pause of 200 ms
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *says = told(&table[i], RAW_PATIENCE_NS);
        if (!strstr(says, table[i].says))
            FAIL("row %zu: \"%s\", not \"%s\"", i, says, table[i].says);
    }
    CHECK_HAS(told(&silent, 1000000000), silent.says);
}

#endif
