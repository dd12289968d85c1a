// test_clients.h: tests of the server with clients that are slow, silent, gone, or many.
#ifndef TEST_CLIENTS_H
#define TEST_CLIENTS_H

#include <errno.h>
#include <poll.h>

#include "test_requests.h"
#include "test_talk.h"

// ---- time ----------------------------------------------------------------------------------

// Returns what the server says to these bytes before it closes. On a busy machine the server
// may have closed before the bytes came: then this function sends them again.
static const char *last_words_after(int port, const char *bytes)
{
    for (int tries = 0; tries < 20; tries++) {
        int fd = net_connect_or_die("127.0.0.1", port);
        if (write_all(fd, bytes, strlen(bytes)) && *last_words(fd))
            break;
    }
    return answers;
}

TEST(silent_clients_are_closed)
{
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "./server --quiet --port 0 --idle-ms 150");
    CHECK(!*last_words(net_connect_or_die("127.0.0.1", port))); // nothing to answer
    CHECK(is_answer(last_words_after(port, GET HOST END), 200, "hello, world\n"));
    // Content that does not come (RFC 9110 §15.5.9).
    CHECK(is_answer(last_words_after(port, POST LENGTH "10\r\n\r\nhello"), 408, "faster\n"));
    CHECK(is_answer(last_words_after(port, CHUNKS "5\r\nhel"), 408, "faster\n"));
    CHECK_INT(test_stop(pid), 0);
}

TEST(slow_heads_are_refused)
{
    static const char *const heads[] = {"G", "GET / HT", GET "Ho", GET HOST "X: y\r\n"};
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0 --head-ms 150");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int fd = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fd, heads[i], strlen(heads[i])));
        CHECK(is_answer(last_words(fd), 408, "the head has to come faster\n"));
    }
    // Single bytes do not move the deadline: there are enough of them for a thousand deadlines.
    signal(SIGPIPE, SIG_IGN);
    int fd = net_connect_or_die("127.0.0.1", port), sent = 0;
    struct pollfd input = {fd, POLLIN, 0};
    dprintf(fd, "HEAD / HTTP/1.1\r\n" HOST END GET HOST "X: ");
    CHECK(read_until(fd, "\r\n\r\n"));
    for (; sent < 15000 && poll(&input, 1, 10) == 0; sent++)
        CHECK(write_all(fd, "y", 1));
    CHECK_AT_MOST(sent, 14999);
    CHECK(is_answer(last_words(fd), 408, "the head has to come faster\n"));
    CHECK_INT(test_stop(pid), 0);
}

// Some clients send a CRLF behind content (RFC 9112 §2.2): this CRLF does not begin a head.
TEST(empty_lines_are_no_head)
{
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0 --head-ms 100");
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, POST LENGTH "5\r\n\r\nhello\r\n");
    CHECK(read_until(fd, "hello"));
    sleep_ms(400);
    dprintf(fd, "\r\n" GET HOST "Connection: close\r\n\r\n");
    CHECK(is_answer(last_words(fd), 200, "hello, world\n"));
    CHECK_INT(test_stop(pid), 0);
    signal(SIGPIPE, SIG_IGN);
    port = test_start(&pid, "./server --quiet --port 0 --idle-ms 100");
    fd = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(fd, "\r\n\r", 3));
    CHECK(!*last_words(fd));
    CHECK_INT(test_stop(pid), 0);
}

// Sends `part` every 20 ms until the server says something, for five seconds at most.
static void trickle(int port, const char *begin, const char *part)
{
    int fd = net_connect_or_die("127.0.0.1", port), sent = 0;
    struct pollfd input = {fd, POLLIN, 0};
    CHECK(write_all(fd, begin, strlen(begin)));
    for (; sent < 250 && poll(&input, 1, 20) == 0; sent++)
        write_all(fd, part, strlen(part));
    CHECK(sent < 250);
    if (!is_answer(last_words(fd), 408, "the content has to come faster\n"))
        FAIL("%s: got %s", begin, answers);
}

// A byte now and then does not move a deadline, in a head or in content. Content that comes
// steadily does.
TEST(content_has_a_lowest_rate)
{
    static char part[2000];
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "./server --quiet --port 0 --idle-ms 400");
    trickle(port, POST LENGTH "100000\r\n\r\n", "x");
    trickle(port, POST LENGTH "100000\r\n\r\n", "a thousand a second "); // of 4,096
    trickle(port, CHUNKS "5;", "x");
    trickle(port, CHUNKS, "1\r\nx\r\n");
    trickle(port, CHUNKS "0\r\nX: ", "x");
    trickle(port, "PUT /files/slow HTTP/1.1\r\n" HOST LENGTH "100000\r\n\r\n", "x");
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, POST "Connection: close\r\n" LENGTH "%zu\r\n\r\n", 30 * sizeof part);
    for (int i = 0; i < 30; i++) {
        sleep_ms(30); // 900 ms and more in all
        CHECK(write_all(fd, part, sizeof part));
    }
    CHECK(is_answer(last_words(fd), 200, ""));
    CHECK_INT(test_stop(pid), 0);
}

// Several connections wait, each for another thing. Each has the deadline of that thing only.
TEST(only_the_time_that_is_due_counts)
{
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "./server --quiet --port 0 --idle-ms 150 --head-ms 3600000");
    // The client is silent while it waits for its answer, and while the answer comes in pieces.
    CHECK_HAS(last_words_after(port, "GET /slow?ms=400 HTTP/1.1\r\n" HOST END), "a while\n");
    CHECK_HAS(last_words_after(port, "GET /stream?n=3&ms=200 HTTP/1.1\r\n" HOST END), "3 of 3");
    // A head has a longer deadline here: silent clients that came later are closed earlier.
    int head = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(head, "GET / HT", 8));
    for (int i = 0; i < 3; i++)
        CHECK(!*last_words(net_connect_or_die("127.0.0.1", port)));
    dprintf(head, "TP/1.1\r\n" HOST END);
    CHECK(is_answer(last_words(head), 200, "hello, world\n"));
    CHECK_INT(test_stop(pid), 0);
}

// ---- clients that do not read, go, or come in crowds ---------------------------------------

// A client asks for a hundred images of a megabyte each, and does not read. The server makes
// the images only when there is room, and serves other clients in the meantime. When the client
// reads at last, it gets all bytes.
TEST(a_client_that_does_not_read_is_paused)
{
    const long images = 100, each = 1000000;
    pid_t pid;
    int port = serve(&pid), fd = net_connect_or_die("127.0.0.1", port), got = 1;
    CHECK(exchange(port));
    long before = memory_kb(pid, "VmRSS"), total = 0;
    for (int i = 0; i < images; i++)
        dprintf(fd, "GET /img/%d?size=%ld HTTP/1.1\r\n" HOST END, i, each);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++)
        CHECK(exchange(port));
    long more = memory_kb(pid, "VmRSS") - before;
    if (more > MORE_MEMORY)
        FAIL("it needed %ld kB", more);
    while ((got = (int)read(fd, answers, sizeof answers)) > 0)
        total += got;
    CHECK_BETWEEN(total, images * each + 1, images * (each + 500) - 1);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// The server waits for room for a large answer, and then for the delay of the next one. Waiting
// takes no CPU time.
TEST(waiting_costs_nothing)
{
    const size_t size = 20000000;
    pid_t pid;
    int port = serve(&pid), fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, "GET /img/1?size=%zu HTTP/1.1\r\n" HOST END, size);
    dprintf(fd, "GET /slow?ms=1000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (size_t got = 0; got < size;)
        got += read_to_end(fd, answers, smaller(size - got, sizeof answers));
    long before = cpu_ticks(pid);
    size_t rest = read_to_end(fd, answers, sizeof answers);
    CHECK(rest > 18 && !memcmp(answers + rest - 18, "that took a while\n", 18));
    close(fd);
    CHECK(cpu_ticks(pid) - before < sysconf(_SC_CLK_TCK) / 4);
    CHECK_INT(test_stop(pid), 0);
}

// A client sends requests without end and reads no answer: the server stops reading from it.
TEST(a_client_that_only_writes_is_stopped)
{
    static char many[20000];
    pid_t pid;
    size_t length = 0;
    long sent = 0;
    int port = serve(&pid), fd = net_connect_or_die("127.0.0.1", port);
    CHECK(exchange(port));
    long before = memory_kb(pid, "VmRSS");
    while (length + 100 < sizeof many)
        length += (size_t)sprintf(many + length, "GET /img/1?size=9000 HTTP/1.1\r\n" HOST END);
    net_set_nonblocking(fd);
    for (int full = 0; full < 100 && sent < 1 << 28;) {
        ssize_t put = write(fd, many, length);
        if (put < 0) {
            full++;
            CHECK(exchange(port));
        } else {
            full = 0;
            sent += put;
        }
    }
    CHECK(sent < 1 << 28); // at some point it was full, and stayed so
    long more = memory_kb(pid, "VmRSS") - before;
    if (more > MORE_MEMORY)
        FAIL("it needed %ld kB", more);
    close(fd);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Eighty clients send a megabyte of content each, to be echoed: more than the server keeps at
// once. Clients that come too late get 503, and the others get their content back.
TEST(content_of_all_clients_together_is_bounded)
{
    enum { CLIENTS = 80, EACH_BYTES = 1 << 20 };
    static char content[EACH_BYTES];
    int fds[CLIENTS], good = 0, refused = 0;
    pid_t pid;
    int port = serve(&pid);
    CHECK(exchange(port));
    long before = memory_kb(pid, "VmRSS");
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = net_connect_or_die("127.0.0.1", port);
        dprintf(fds[i], POST "Connection: close\r\n" LENGTH "%d\r\n\r\n", EACH_BYTES);
        write_all(fds[i], content, EACH_BYTES - 1); // the last byte is still to come
        CHECK(exchange(port));
    }
    long more = memory_kb(pid, "VmRSS") - before;
    if (!SANITIZED && more > 64 * 1024 + MORE_MEMORY)
        FAIL("it needed %ld kB", more);
    for (int i = 0; i < CLIENTS; i++) {
        write_all(fds[i], content, 1);
        last_words(fds[i]);
        good += is_answer(answers, 200, "");
        refused += is_answer(answers, 503, "");
    }
    CHECK_AT_LEAST(good, 50);
    CHECK_AT_LEAST(refused, 1);
    CHECK_INT(good + refused, CLIENTS);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Sends a megabyte of content. True if the whole echo comes back.
static bool is_echoed(int port)
{
    static char content[1 << 20];
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, POST "Connection: close\r\n" LENGTH "%zu\r\n\r\n", sizeof content);
    bool sent = write_all(fd, content, sizeof content);
    size_t got = read_to_end(fd, answers, sizeof answers - 1);
    close(fd);
    answers[got] = '\0';
    if (!sent || got < sizeof content)
        FAIL("%zu bytes came: %.200s", got, answers);
    return sent && got > sizeof content && !memcmp(answers, "HTTP/1.1 200 ", 13);
}

// Slow clients take all the room for content: some do not send their last byte, some do not
// read their echo. They do not lock out the others.
TEST(slow_clients_do_not_take_all_the_room)
{
    enum { CLIENTS = 70, EACH_BYTES = 1 << 20 };
    static char content[EACH_BYTES];
    int fds[CLIENTS], small = 4096;
    pid_t pid;
    for (int reads = 0; reads < 2; reads++) {
        int port = serve(&pid);
        for (int i = 0; i < CLIENTS; i++) {
            struct sockaddr_storage address;
            socklen_t length = net_address("127.0.0.1", port, SOCK_STREAM, &address);
            fds[i] = socket(AF_INET, SOCK_STREAM, 0);
            setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
            CHECK(!connect(fds[i], (struct sockaddr *)&address, length));
            dprintf(fds[i], POST LENGTH "%d\r\n\r\n", EACH_BYTES);
            write_all(fds[i], content, EACH_BYTES - !reads);
        }
        for (int i = 0; i < 40; i++)
            CHECK(exchange(port)); // the server reads 64 KB of each between two of them
        sleep_ms(1200);
        for (int i = 0; i < 10; i++)
            CHECK(is_echoed(port));
        for (int i = 0; i < CLIENTS; i++)
            close(fds[i]);
        CHECK(exchange(port));
        CHECK_INT(test_stop(pid), 0);
    }
}

// A server that is asked to stop answers the requests that it has begun, says that it closes,
// and accepts no further client.
TEST(a_request_in_flight_is_answered_before_the_end)
{
    pid_t pid;
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port), status;
    int slow = net_connect_or_die("127.0.0.1", port);
    int stream = net_connect_or_die("127.0.0.1", port);
    dprintf(slow, "GET /slow?ms=1000 HTTP/1.1\r\n" HOST END);
    dprintf(stream, "GET /stream?n=10&ms=100 HTTP/1.1\r\n" HOST END);
    fence(fence_fd); // both are in flight
    kill(pid, SIGTERM);
    CHECK(!strcmp(last_words(fence_fd), "")); // nothing was in flight here
    await_refusal(port);
    CHECK(is_answer(last_words(slow), 200, "that took a while\n"));
    CHECK_HAS(answers, "\r\nConnection: close\r\n");
    CHECK(is_answer(last_words(stream), 200, "piece 10 of 10\n\r\n0\r\n\r\n"));
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

// One random step of a client with its connection.
static void act(int *fd, int port, uint64_t *random)
{
    static const char more[] =
        "GET /img/5?size=200000 HTTP/1.1\r\n" HOST END "GET /slow?ms=3 HTTP/1.1\r\n" HOST END
        "GET /stream?n=4&ms=1 HTTP/1.1\r\n" HOST END "PUT /files/crowd HTTP/1.1\r\n" HOST LENGTH
        "30000\r\n\r\n";
    const struct odd_request *odd = odd_request(next_random(random) % ODD_REQUESTS);
    struct linger reset = {1, 0};
    unsigned long what = next_random(random) % 12, length = next_random(random);
    if (*fd < 0) {
        if ((*fd = net_connect("127.0.0.1", port)) >= 0)
            net_set_nonblocking(*fd);
        return;
    }
    ssize_t done = 0;
    if (what < 3) // some odd request, whole
        done = write(*fd, odd->bytes, odd->length);
    else if (what == 3) // or the beginning of it
        done = write(*fd, odd->bytes, length % odd->length);
    else if (what < 5)
        done = write(*fd, more, sizeof more - 1);
    else if (what < 6)
        done = write(*fd, more, length % sizeof more);
    else if (what == 6)
        done = write(*fd, answers, length % 40000);
    else if (what < 10)
        done = read(*fd, answers, length % 100000);
    else if (what == 10)
        shutdown(*fd, SHUT_WR);
    if (what < 11 && (done >= 0 || errno == EAGAIN))
        return;
    if (length % 2)
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(*fd);
    *fd = -1;
}

// 200 clients ask, stop in the middle, do not read, and close with FIN or with RST: `steps`
// random steps in all. The server must not leak anything.
static void stress(const char *command, int steps)
{
    int fds[200];
    pid_t pid;
    uint64_t random = 2;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, command);
    CHECK(exchange(port));
    long before = count_descriptors(pid);
    for (int i = 0; i < 200; i++)
        fds[i] = net_connect_or_die("127.0.0.1", port);
    for (int i = 0; i < 200; i++)
        net_set_nonblocking(fds[i]);
    for (int step = 0; step < steps; step++) {
        act(&fds[next_random(&random) % 200], port, &random);
        if (step % 1000 == 0)
            CHECK(exchange(port)); // a client that behaves
    }
    for (int i = 0; i < 200; i++)
        close(fds[i]);
    CHECK(exchange(port));
    // The server may still be busy with bytes of these clients. The test has a time limit.
    while (count_descriptors(pid) != before)
        sleep_ms(50);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_crowd_that_comes_and_goes)
{
    stress("./server --quiet --port 0", 30000);
}

TEST(a_crowd_that_comes_and_goes_under_valgrind)
{
    if (has_valgrind())
        stress(VALGRIND "./server --quiet --port 0", 3000);
}

#endif
