// test_client.h: tests of ./client: it is as strict as the server, and says what went wrong.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include "teller.h"
#include "test_talk.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

// Runs the client against a server that sends these bytes. Returns the client's exit status.
static int run_client(const char *says, int piece_bytes, const char *arguments)
{
    struct teller teller = {.says = says, .piece_bytes = piece_bytes};
    char command[300];
    teller_begin(&teller);
    int port = ntohs(((struct sockaddr_in *)&teller.address)->sin_port);
    snprintf(command, sizeof command, "timeout 20 ./client --port %d %s", port, arguments);
    int status = test_run(command);
    teller_end(&teller);
    return status;
}

// The server sends each answer at once, and again byte by byte.
TEST(the_client_is_strict)
{
    static const struct {
        const char *says;
        int status;
        const char *output;
        bool at_once; // not byte by byte: the client may end before the last byte comes
    } cases[] = {
        {OK_HEAD "Content-Length: 3\r\n\r\nabc", 0, "abc", false},
        {CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n", 0, "abcde", false},
        {OK_HEAD "\r\nto the end", 0, "to the end", false},
        {OK_HEAD "\r\n", 0, "< HTTP/1.1 200 OK", false},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, "< HTTP/1.1 204 No Content", false},
        {"HTTP/1.1 103 Early Hints\r\n\r\n" OK_HEAD "Content-Length: 1\r\n\r\na", 0, "a",
         false},
        {OK_HEAD "Host: a b\r\nContent-Length: 1\r\n\r\na", 0, "a", false},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\na", 1, "a", false},
        {"", 1, "closed before the answer", false},
        {"HTTP/1.1 200", 1, "cut, after 12 bytes of a head", false},
        {OK_HEAD "Content-Length: 100\r\n\r\nabcd", 1, "cut, after 4 of 100 bytes of content",
         false},
        {OK_HEAD "Content-Length: 100\r\n\r\nabcd", 1, "abcd", false}, // what came is shown
        {CHUNKED "3\r\nabc\r\n", 1, "cut, after 3 bytes of content", false},
        {CHUNKED "3\r\nabcde\r\n", 1, "a chunk does not end with CRLF where its size says",
         false},
        {CHUNKED "3\r\nabc\r\n0\r\nX : y\r\n\r\n", 1, "a colon right behind it", false},
        {OK_HEAD "Content-Length: 1\r\n\r\nab", 1, "more comes than was asked for", true},
        {OK_HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 1, "two Content-Length",
         false},
        {OK_HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1,
         "two ends", false},
        {OK_HEAD "Transfer-Encoding: gzip\r\n\r\nx", 1, "a transfer coding that is not known",
         false},
        {OK_HEAD "X : y\r\n\r\n", 1, "a colon right behind it", false},
        {"HTTP/1.1 200 OK\n\n", 1, "a status line does not go on like this", false},
        {"HTTP/1.1 099 No\r\n\r\n", 1, "no status below 100", false},
        {"HTTP/2.0 200 OK\r\n\r\n", 1, "only HTTP/1.1 and HTTP/1.0", false},
        {"SSH-2.0-x\r\n\r\n", 1, "the first line does not name HTTP/1.1", false},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", 1, "without being asked", false},
        {OK_HEAD "X: \x1b[2J\r\nContent-Length: 0\r\n\r\n", 1, "a control character", false},
        {OK_HEAD "X: \xc2\x9b"
                 "2J\r\nContent-Length: 0\r\n\r\n",
         0, "< X: ..2J", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int piece = 0; piece < 2; piece++) {
            if (piece && cases[i].at_once)
                continue;
            int status = run_client(cases[i].says, piece, "/");
            if (status != cases[i].status || !strstr(test_output, cases[i].output))
                FAIL("%s: expected %d, %s; got %d, %s", cases[i].says, cases[i].status,
                     cases[i].output, status, test_output);
        }
}

TEST(the_client_does_not_listen_for_ever)
{
    static char says[100000] = OK_HEAD;
    for (int i = 0; i < 3000; i++)
        strcat(says, "X: yyyyyyyyyyy\r\n");
    CHECK_INT(run_client(says, 0, "/"), 1);
    CHECK_HAS(test_output, "a head has at most 100 fields");
    memset(says + strlen(OK_HEAD) - 2, 'x', 50000);
    CHECK_INT(run_client(says, 0, "/"), 1);
    CHECK_HAS(test_output, "a status line has at most 8192 bytes");
    *says = '\0';
    for (int i = 0; i < 200; i++)
        strcat(says, "HTTP/1.1 103 Early Hints\r\n\r\n");
    CHECK_INT(run_client(says, 0, "/"), 1);
    CHECK_HAS(test_output, "too many answers 1xx");
}

TEST(the_client_by_hand)
{
    char command[200];
    pid_t pid;
    int port = serve(&pid);
    snprintf(command, sizeof command, "./client --times --port %d | tr -d '\\0'", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "> GET / HTTP/1.1\n> Host: 127.0.0.1:");
    CHECK_HAS(test_output, "\nhello, world\n");
    CHECK_HAS(test_output, " ms, on a new connection\n> GET /img/1 HTTP/1.1\n");
    CHECK_HAS(test_output, "< Content-Length: 4096\n");
    CHECK_HAS(test_output, " ms, on the same connection\n");
    snprintf(command, sizeof command, "./client --times --port %d '/slow?ms=200' /", port);
    CHECK_INT(test_run(command), 0);
    const char *times = strstr(test_output, "\n* ");
    CHECK(times);
    CHECK_BETWEEN(atof(times + 3), 200, 20000);
    snprintf(command, sizeof command, "./client --port %d --method POST --content hi /echo",
             port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "\nhi");
    snprintf(command, sizeof command, "./client --port %d --method HEAD /img/1 /", port);
    CHECK_INT(test_run(command), 0);
    CHECK(!strstr(test_output, "hello, world"));
    snprintf(command, sizeof command, "./client --port %d / /nothing 2>&1", port);
    CHECK_INT(test_run(command), 1);
    snprintf(command, sizeof command, "./client --port %d >/dev/full", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(test_run("./client 'a b'"), 2);
    CHECK_INT(test_run("./client --method get"), 2);
    CHECK_INT(test_run("./client --method CONNECT h:80"), 2);
    CHECK_INT(test_stop(pid), 0);
    port = test_start(&pid, "./server --quiet --port 0 --host ::1");
    snprintf(command, sizeof command, "./client --host ::1 --port %d /", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "> Host: [::1]:");
    CHECK_INT(test_stop(pid), 0);
}

// The server's log says what it was asked, and what went out: of an answer to HEAD only the
// head.
TEST(a_line_for_each_request_and_its_answer)
{
    char command[200];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0 >build/log");
    snprintf(command, sizeof command,
             "{ ./client --port %d /img/1; ./client --port %d --method HEAD /img/1; } 2>&1 "
             ">/dev/null",
             port, port);
    CHECK_INT(test_run(command), 0);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_number("grep -cE ' ms +GET /img/1$' build/log"), 1);
    CHECK_INT(test_number("grep -cE ' ms +answer: 200, 4096 bytes of content$' build/log"), 1);
    CHECK_INT(test_number("grep -cE ' ms +HEAD /img/1$' build/log"), 1);
    CHECK_INT(test_number("grep -cE ' ms +answer: 200, 0 bytes of content$' build/log"), 1);
    unlink("build/log");
}

#endif
