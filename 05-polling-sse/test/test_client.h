// test_client.h: ./client and ./wscat, beside our server and beside one that breaks the rules.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <sys/mman.h>

#include "handshake.h"
#include "test_frames.h"
#include "test_talk.h"

#define REQUESTS_BYTES 65536

static char *requests; // what the fake server was asked, one request behind the other

// Writes an answer. ACCEPT in it stands for the right Sec-WebSocket-Accept.
static void fake_answer(int fd, const char *request, const char *text, size_t length)
{
    static const char word[] = "ACCEPT";
    char accept[HANDSHAKE_ACCEPT] = "";
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    const char *place = memmem(text, length, word, sizeof word - 1);
    if (key)
        handshake_accept((struct http_text){key + 19, HANDSHAKE_KEY - 1}, accept);
    if (place) {
        size_t before = (size_t)(place - text);
        write_all(fd, text, before);
        write_all(fd, accept, strlen(accept));
        text = place + sizeof word - 1;
        length -= before + sizeof word - 1;
    }
    write_all(fd, text, length);
}

// A server that gives each connection its answer, whatever it is asked. Behind an answer that
// begins with '=' the server waits until the client closes. Returns its process.
struct fake {
    const char *answers[4];
};

static pid_t fake_start(const struct fake *fake, const char *host, int *port)
{
    int listener = net_listen(host, 0, 8);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    *port = ntohs(((struct sockaddr_in *)&address)->sin_port); // where IPv6 has it, too
    signal(SIGPIPE, SIG_IGN);
    if (!requests)
        requests = mmap(NULL, REQUESTS_BYTES, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *requests = '\0';
    pid_t pid = fork();
    if (pid) {
        close(listener);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 4 && fake->answers[i]; i++) {
        char request[4096] = "", rest[4096];
        size_t length = 0;
        int fd = accept(listener, NULL, NULL);
        while (!strstr(request, "\r\n\r\n") && length < sizeof request - 1) {
            ssize_t got = read(fd, request + length, sizeof request - 1 - length);
            if (got <= 0)
                break;
            length += (size_t)got;
            request[length] = '\0';
        }
        strncat(requests, request, REQUESTS_BYTES / 5);
        bool hold = *fake->answers[i] == '=';
        const char *text = fake->answers[i] + hold;
        fake_answer(fd, request, text, strlen(text));
        if (!hold)
            shutdown(fd, SHUT_WR);
        while (read(fd, rest, sizeof rest) > 0)
            ;
        close(fd);
    }
    _exit(0);
}

// Runs a client beside such a server. Returns its exit status; its output is in test_output.
static int fake_run(const char *command, const struct fake *fake)
{
    char line[300];
    int port;
    pid_t pid = fake_start(fake, "127.0.0.1", &port);
    snprintf(line, sizeof line, "timeout 20 %s --port %d </dev/null", command, port);
    int status = test_run(line);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return status;
}

#define SSE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define WS_HEAD                                                                                \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"        \
    "Sec-WebSocket-Accept: ACCEPT\r\n\r\n"

TEST(the_client_follows_in_four_ways)
{
    static const char *const ways[] = {"poll", "wait", "sse", "websocket"};
    char command[200];
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0 --rate 40 --first-id 1");
    for (size_t i = 0; i < COUNT(ways); i++) {
        snprintf(command, sizeof command,
                 "timeout 20 ./client --port %d --by %s --interval-ms 100 --count 5", port,
                 ways[i]);
        CHECK_INT(test_run(command), 0);
        CHECK_HAS(test_output, " ms  message  tick ");
        int id = atoi(test_output), lines = 0;
        for (const char *at = test_output; *at; at = strchr(at, '\n') + 1)
            CHECK_INT(atoi(at), id + lines++);
        CHECK_INT(lines, 5);
    }
    snprintf(command, sizeof command, "timeout 20 ./client --port %d >/dev/full", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("./client --by pigeon"), 2);
    CHECK_HAS(test_output, "--by takes poll, wait, sse or websocket, not 'pigeon'");
}

// 40,000 characters that are six times as long in JSON, and an event with line ends.
TEST(the_client_takes_a_large_event)
{
    static const char *const ways[] = {"poll", "wait", "sse", "websocket"};
    static char large[40001];
    char command[200];
    pid_t pid;
    memset(large, 1, sizeof large - 1);
    int port = serve(&pid, "");
    for (size_t i = 0; i < COUNT(ways); i++) {
        snprintf(command, sizeof command,
                 "timeout 20 ./client --port %d --by %s --interval-ms 100 --count 1", port,
                 ways[i]);
        pid_t child = fork();
        if (child == 0) {
            for (int tries = 0; tries < 50; tries++) { // until the client is there
                sleep_ms(400);
                post(port, "/publish", large);
            }
            _exit(0);
        }
        CHECK_INT(test_run(command), 0);
        CHECK(memmem(test_output, sizeof test_output, large, sizeof large - 1));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_client_comes_back_with_its_id)
{
    static const struct fake cut = {{SSE_HEAD "retry: 0\nid: 7\n\n",
                                     SSE_HEAD "id: 8\ndata: one\n\nid: 9\ndata: half",
                                     SSE_HEAD "id: 9\ndata: whole\n\n"}};
    CHECK_INT(fake_run("./client --count 2", &cut), 0);
    CHECK_HAS(test_output, "-- the server ended the stream; 0 events so far; back in 0 ms\n8 ");
    CHECK_HAS(test_output, "message  one\n-- the server ended the stream; 1 events so far");
    CHECK_HAS(test_output, "message  whole\n");
    CHECK(!strstr(test_output, "half"));
    CHECK_HAS(requests, "Accept: text/event-stream\r\n\r\n"); // the first knows of no id
    CHECK_HAS(requests, "\r\nLast-Event-ID: 7\r\n");
    CHECK_HAS(requests, "\r\nLast-Event-ID: 8\r\n");
    CHECK_HAS(requests, "\r\nHost: 127.0.0.1:");
    // A server in trouble may be better the next time.
    static const struct fake trouble = {
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", SSE_HEAD "id: 1\ndata: here again\n\n"}};
    CHECK_INT(fake_run("./client --count 1", &trouble), 0);
    CHECK_HAS(test_output,
              "the server says 503 Service Unavailable; 0 events so far; back in 1000");
    // Chunks, as other servers send them, cut anywhere.
    static const struct fake chunks = {
        {"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream;charset=utf-8\r\n"
         "Transfer-Encoding: chunked\r\n\r\n7\r\nid: 1\nd\r\n8\r\nata: x\n\n\r\n"}};
    CHECK_INT(fake_run("./client --count 1", &chunks), 0);
    CHECK_HAS(test_output, "message  x\n");
    // A WebSocket that the server closes, and a long poll.
    static const struct fake sockets = {
        {WS_HEAD "\x81\x27{\"id\":5,\"event\":\"message\",\"data\":\"one\"}"
                 "\x88\x02\x03\xe9",
         WS_HEAD "\x81\x27{\"id\":6,\"event\":\"message\",\"data\":\"two\"}"}};
    CHECK_INT(fake_run("./client --by websocket --count 2", &sockets), 0);
    CHECK_HAS(test_output, "message  one\n-- the server closed the WebSocket with code 1001");
    CHECK_HAS(requests, "GET /ws?since=5 HTTP/1.1\r\n");
}

// An event that says when it was made is printed with its age.
TEST(the_client_prints_the_age_of_an_event)
{
    static char event[200];
    static const struct fake late = {{event}};
    double age_ms = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(event, sizeof event,
             SSE_HEAD "id: 1\ndata: {\"at_us\":%lld000000,\"text\":\"x\"}\n\n",
             (long long)now.tv_sec - 5);
    CHECK_INT(fake_run("./client --count 1", &late), 0);
    CHECK_INT(sscanf(test_output, "1 %lf ms  message  x", &age_ms), 1);
    CHECK_BETWEEN(age_ms, 5000, 60000);
}

// What is malformed is refused, with the reason and exit 1; it is never printed as good.
TEST(the_client_is_strict)
{
    static const struct {
        const char *by;
        struct fake fake;
        const char *why;
    } cases[] = {
        {"sse", {{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}}, "404 Not Found"},
        {"sse",
         {{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\ndata: a\n\n"}},
         "the answer is not of the type text/event-stream"},
        {"sse", {{"HTTP/1.1 2x0 OK\r\n\r\n"}}, "malformed"},
        {"sse", {{"HTTP/1.1 301 Moved Permanently\r\n\r\n"}}, "301"},
        {"wait", {{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc\n"}}, "this is no event"},
        {"wait",
         {{"HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n"
           "{\"id\":-5,\"event\":\"message\",\"data\":\"one\"}\n"}},
         "this is no event"},
        {"poll",
         {{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"}},
         "400 Bad Request"},
        {"websocket",
         {{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}},
         "the server refuses a WebSocket: 403 Forbidden"},
        {"websocket",
         {{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"}},
         "its Sec-WebSocket-Accept does not fit our key"},
        {"websocket",
         {{WS_HEAD "\x81\x80\x01\x02\x03\x04"}},
         "malformed frames: closed with code 1002"},
        {"websocket",
         {{WS_HEAD "\x81\x02\xc3\x28"}},
         "malformed frames: closed with code 1007"},
        {"websocket", {{WS_HEAD "\x81\x02{}"}}, "this is no event"},
    };
    char command[80];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(command, sizeof command, "./client --by %s", cases[i].by);
        CHECK_INT(fake_run(command, &cases[i].fake), 1);
        CHECK_HAS(test_output, cases[i].why);
    }
}

TEST(ipv6_stands_in_brackets)
{
    static const struct fake one = {{SSE_HEAD "data: a\n\n", "HTTP/1.1 404 Not Found\r\n\r\n"}};
    char command[200], host[60];
    int port, probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (probe < 0 || bind(probe, (struct sockaddr *)&address, sizeof address))
        SKIP("this machine has no ::1");
    close(probe);
    pid_t pid = fake_start(&one, "::1", &port);
    snprintf(command, sizeof command, "timeout 20 ./client --host ::1 --port %d --count 1",
             port);
    CHECK_INT(test_run(command), 0);
    snprintf(host, sizeof host, "\r\nHost: [::1]:%d\r\n", port);
    CHECK_HAS(requests, host);
    *requests = '\0';
    snprintf(command, sizeof command, "timeout 20 ./wscat --host ::1 --port %d </dev/null",
             port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "the server refuses a WebSocket: 404 Not Found");
    CHECK_HAS(requests, host);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

TEST(wscat_reports_what_went_wrong)
{
    static const struct fake no_answer = {{"=" WS_HEAD}}, mute = {{WS_HEAD}},
                             wrong = {{"=" WS_HEAD "\x83\x01"}},
                             closes = {{"=" WS_HEAD "\x88\x05\x0f\xa1"
                                        "bye"}};
    int64_t before_ns = now_ns();
    CHECK_INT(fake_run("./wscat", &no_answer), 1);
    CHECK_HAS(test_output, "the server does not answer the close frame");
    CHECK(now_ns() - before_ns < 9 * INT64_C(1000000000));
    CHECK_INT(fake_run("./wscat", &mute), 1);
    CHECK_HAS(test_output, "the server closed the connection without a close frame");
    CHECK_INT(fake_run("./wscat", &wrong), 1);
    CHECK_HAS(test_output, "the server breaks the protocol: closed with code 1002");
    CHECK_INT(fake_run("./wscat", &closes), 0);
    CHECK_HAS(test_output, "closed: 4001 bye\n");
}

#endif
