// test_uploads.h: tests of uploads: do they do what uploads.h says?
#ifndef TEST_UPLOADS_H
#define TEST_UPLOADS_H

#include "test_requests.h"
#include "test_talk.h"

#define PUT   "PUT /files/%s HTTP/1.1\r\n" HOST
#define RANGE "Content-Range: bytes "

static char *get_file(int port, const char *name)
{
    return ask(port, "GET /files/%s HTTP/1.1\r\n" HOST END, name);
}

// The Upload-Offset that HEAD gets; -1: there is none.
static long upload_offset(int port, const char *name)
{
    char *text = ask(port, "HEAD /files/%s HTTP/1.1\r\n" HOST END, name);
    const char *field = strstr(text, "\r\nUpload-Offset: ");
    if (!field)
        return -1;
    return atol(field + 17);
}

TEST(upload_whole)
{
    pid_t pid;
    int port = serve(&pid);
    CHECK(is_answer(get_file(port, "a"), 404, "there is no such file\n"));
    CHECK(is_answer(ask(port, PUT LENGTH "5\r\n\r\nhello", "a"), 201, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "a"), 200, "\r\n\r\nhello"));
    // PUT replaces a file that is there already: 204, not 201 (RFC 9110 §9.3.4).
    CHECK(is_answer(ask(port, PUT CODING "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n" LAST, "a"), 204,
                    "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "a"), 200, "\r\n\r\nabc"));
    CHECK(is_answer(ask(port, PUT LENGTH "0\r\n\r\n", "empty"), 201, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "empty"), 200, "Content-Length: 0\r\n\r\n"));
    CHECK(is_answer(ask(port, PUT GO_AHEAD LENGTH "2\r\n\r\nhi", "b"), 100, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "b"), 200, "\r\n\r\nhi"));
    CHECK_HAS(ask(port, "HEAD /files/b HTTP/1.1\r\n" HOST END), "\r\nContent-Length: 2\r\n");
    CHECK_INT(test_stop(pid), 0);
}

static char *send_part(int port, const char *method, const char *name, const char *range,
                       const char *content)
{
    return ask(port, "%s /files/%s HTTP/1.1\r\n" HOST RANGE "%s\r\n" LENGTH "%zu\r\n\r\n%s",
               method, name, range, strlen(content), content);
}

static void expect_conflict(const char *answer)
{
    CHECK(is_answer(answer, 409, "see Upload-Offset\n"));
    CHECK_HAS(answer, "\r\nUpload-Offset: 5\r\n");
}

static void upload_in_parts(int port, const char *method, const char *name)
{
    CHECK(is_answer(send_part(port, method, name, "0-4/11", "hello"), 204, "\r\n\r\n"));
    CHECK_HAS(answers, "\r\nUpload-Offset: 5\r\n");
    CHECK_INT(upload_offset(port, name), 5);
    CHECK(is_answer(get_file(port, name), 404, "there is no such file\n"));
    // Two wrong offsets: one too large, and one whose bytes are there already.
    expect_conflict(send_part(port, method, name, "6-7/11", "wo"));
    expect_conflict(send_part(port, method, name, "0-4/11", "HELLO"));
    // Also with more content than the server reads of a request that it refuses.
    expect_conflict(ask(port,
                        "%s /files/%s HTTP/1.1\r\n" HOST RANGE "9-2000008/*\r\n" LENGTH
                        "2000000\r\n\r\nxx",
                        method, name));
    CHECK(is_answer(send_part(port, method, name, "5-6/*", " w"), 204, "\r\n\r\n"));
    CHECK_INT(upload_offset(port, name), 7);
    CHECK(is_answer(send_part(port, method, name, "7-10/11", "orld"), 201, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, name), 200, "\r\n\r\nhello world"));
    CHECK_INT(upload_offset(port, name), -1);
}

TEST(upload_in_parts)
{
    pid_t pid;
    int port = serve(&pid);
    upload_in_parts(port, "PATCH", "a");
    upload_in_parts(port, "PUT", "b");
    CHECK(is_answer(send_part(port, "PATCH", "c", "5-9/10", "hello"), 409, "is here yet\n"));
    CHECK_INT(upload_offset(port, "c"), -1);
    CHECK_INT(test_stop(pid), 0);
}

// All parts of a file agree on its total, once a part has named it.
TEST(uploads_keep_their_total)
{
    pid_t pid;
    int port = serve(&pid);
    CHECK(is_answer(send_part(port, "PATCH", "a", "0-4/11", "hello"), 204, "\r\n\r\n"));
    CHECK(is_answer(send_part(port, "PATCH", "a", "5-9/10", " worl"), 400, "another total\n"));
    CHECK(is_answer(send_part(port, "PATCH", "a", "5-9/20", " worl"), 400, "another total\n"));
    CHECK(is_answer(send_part(port, "PATCH", "a", "5-11/*", " world!"), 400, "earlier one\n"));
    CHECK_INT(upload_offset(port, "a"), 5);
    CHECK(is_answer(send_part(port, "PATCH", "a", "5-10/*", " world"), 201, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "a"), 200, "\r\n\r\nhello world"));
    // If only a later part names a total, it counts for all parts after that.
    CHECK(is_answer(send_part(port, "PATCH", "b", "0-4/*", "hello"), 204, "\r\n\r\n"));
    CHECK(is_answer(send_part(port, "PATCH", "b", "5-5/11", " "), 204, "\r\n\r\n"));
    CHECK(is_answer(send_part(port, "PATCH", "b", "6-10/12", "world"), 400, "another total\n"));
    CHECK(is_answer(send_part(port, "PATCH", "b", "6-10/11", "world"), 201, "\r\n\r\n"));
    // A PUT of the whole file replaces an upload that was begun.
    CHECK(is_answer(send_part(port, "PATCH", "c", "0-4/11", "hello"), 204, "\r\n\r\n"));
    CHECK(is_answer(ask(port, PUT LENGTH "2\r\n\r\nhi", "c"), 201, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "c"), 200, "\r\n\r\nhi"));
    CHECK_INT(test_stop(pid), 0);
}

// Each upload that the server cannot store is refused with the right reason.
TEST(uploads_that_are_refused)
{
    static const char long_name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                    "aaaaaaaaaaaaaaaa";
    static const char *const names[] = {".x", "a/b", "a%20b", "", "..", long_name};
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(is_answer(ask(port, PUT LENGTH "1\r\n\r\nx", names[i]), 400,
                        "does not begin with .\n"));
    CHECK(is_answer(ask(port, PUT END, "a"), 411, "that or chunks\n"));
    CHECK(is_answer(ask(port, "PATCH /files/a HTTP/1.1\r\n" HOST LENGTH "1\r\n\r\nx"), 400,
                    "needs a Content-Range\n"));
    CHECK(is_answer(ask(port, PUT RANGE "0-0/2\r\n" RANGE "0-0/2\r\n" LENGTH "1\r\n\r\nx", "a"),
                    400, "bytes FROM-TO/TOTAL\n"));
    CHECK(is_answer(ask(port, PUT RANGE "0-5/6\r\n" LENGTH "1\r\n\r\nx", "a"), 400,
                    "do not agree\n"));
    CHECK(is_answer(ask(port, PUT LENGTH "67108865\r\n\r\nx", "a"), 413, "67108864 bytes\n"));
    CHECK_INT(test_stop(pid), 0);
}

// A limit on the size of files (SIGXFSZ) is like a full disk: the server goes on.
TEST(uploads_beyond_ulimit_f)
{
    static char content[300000];
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "sh -c 'ulimit -f 100; exec ./server --quiet --port 0'");
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, PUT LENGTH "%zu\r\n\r\n", "a", sizeof content);
    write_all(fd, content, sizeof content);
    CHECK(is_answer(last_words(fd), 507, "no room for more of this file\n"));
    CHECK(exchange(port));
    CHECK(is_answer(ask(port, PUT LENGTH "1\r\n\r\nx", "b"), 201, "\r\n\r\n"));
    CHECK_INT(test_stop(pid), 0);
}

// Without a free descriptor an upload may be tried again: 503, not 507.
TEST(uploads_without_a_descriptor)
{
    int fds[40];
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "sh -c 'ulimit -n 20; exec ./server --quiet --port 0'");
    int fd = net_connect_or_die("127.0.0.1", port);
    fence(fd); // it is accepted
    for (int i = 0; i < 40; i++)
        fds[i] = net_connect_or_die("127.0.0.1", port); // they take all descriptors
    fence(fd);
    dprintf(fd, PUT "Connection: close\r\n" LENGTH "1\r\n\r\nx", "a");
    CHECK(is_answer(last_words(fd), 503, "try again later\n"));
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    CHECK(is_answer(ask(port, PUT LENGTH "1\r\n\r\nx", "a"), 201, "\r\n\r\n"));
    CHECK_INT(test_stop(pid), 0);
}

// When a connection breaks, with FIN or with RST, the bytes that have come stay.
TEST(upload_goes_on_where_it_broke_off)
{
    struct linger reset = {1, 0};
    pid_t pid;
    char name[2] = "a", part[600], rest[401] = "";
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port);
    memset(part, 'x', sizeof part);
    memset(rest, 'y', sizeof rest - 1);
    for (int broken = 0; broken < 2; broken++, name[0]++) {
        int fd = net_connect_or_die("127.0.0.1", port);
        dprintf(fd, PUT LENGTH "1000\r\n\r\n", name);
        CHECK(write_all(fd, part, sizeof part));
        fence(fence_fd); // what comes before a reset would be lost with it
        if (broken)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        CHECK_INT(upload_offset(port, name), 600);
        CHECK(is_answer(send_part(port, "PATCH", name, "600-999/1000", rest), 201, "\r\n\r\n"));
        CHECK_HAS(get_file(port, name), "\r\nContent-Length: 1000\r\n");
    }
    close(fence_fd);
    CHECK_INT(test_stop(pid), 0);
}

// The second connection takes the upload over. The server refuses the bytes that still come on
// the first connection, and none of them is in the file.
TEST(upload_by_two_at_once)
{
    pid_t pid;
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port);
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, PUT LENGTH "10\r\n\r\nfirst", "a");
    fence(fence_fd);
    CHECK(is_answer(ask(port, PUT LENGTH "6\r\n\r\nsecond", "a"), 201, "\r\n\r\n"));
    CHECK(write_all(fd, "again", 5));
    CHECK(read_until(fd, "HTTP/1.1 409 "));
    CHECK(is_answer(get_file(port, "a"), 200, "\r\n\r\nsecond"));
    close(fd);
    close(fence_fd);
    CHECK_INT(test_stop(pid), 0);
}

static void put_letters(int fd, char letter, size_t length)
{
    static char part[65536];
    memset(part, letter, sizeof part);
    for (size_t sent = 0, n; sent < length; sent += n) {
        n = smaller(length - sent, sizeof part);
        if (!write_all(fd, part, n))
            return;
    }
}

// A client that reads while a file is replaced gets the old file to its end. A client that
// comes after that gets the new file.
TEST(upload_replaces_a_file_at_once)
{
    const size_t length = 7 << 20; // more than the sockets hold
    pid_t pid;
    int port = serve(&pid), writer = net_connect_or_die("127.0.0.1", port);
    int reader = net_connect_or_die("127.0.0.1", port);
    dprintf(writer, PUT LENGTH "%zu\r\n\r\n", "a", length);
    put_letters(writer, 'a', length);
    CHECK(read_until(writer, "201 Created\r\n"));
    CHECK(read_until(writer, "\r\n\r\n"));
    dprintf(reader, "GET /files/a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    CHECK(read_until(reader, "\r\n\r\n"));
    dprintf(writer, PUT LENGTH "%zu\r\n\r\n", "a", length);
    put_letters(writer, 'b', length - 1);
    CHECK_HAS(ask(port, "GET /files/a HTTP/1.0\r\n\r\n"), "aaaaaaaa");
    put_letters(writer, 'b', 1);
    CHECK(read_until(writer, "204 No Content\r\n"));
    CHECK_INT((long)strlen(last_words(reader)), (long)length);
    CHECK_INT((long)strspn(answers, "a"), (long)length);
    CHECK_HAS(get_file(port, "a"), "bbbbbbbb");
    close(writer);
    CHECK_INT(test_stop(pid), 0);
}

TEST(upload_of_64_megabytes_needs_no_memory)
{
    const size_t most = 64 << 20;
    pid_t pid;
    int port = serve(&pid);
    CHECK(exchange(port));
    long before = memory_kb(pid, "VmHWM");
    int fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, PUT LENGTH "%zu\r\n\r\n", "a", most);
    put_letters(fd, 'a', most);
    CHECK(read_until(fd, "HTTP/1.1 201 Created\r\n"));
    close(fd);
    CHECK_HAS(ask(port, "HEAD /files/a HTTP/1.1\r\n" HOST END), "Content-Length: 67108864\r\n");
    // With chunks the server does not know at the beginning that the content is too long.
    fd = net_connect_or_die("127.0.0.1", port);
    dprintf(fd, PUT CODING "chunked\r\n\r\n%zx\r\n", "b", most);
    put_letters(fd, 'b', most);
    CHECK(write_all(fd, "\r\n1\r\nb\r\n", 8));
    CHECK(read_until(fd, "HTTP/1.1 413 Content Too Large\r\n"));
    close(fd);
    CHECK(is_answer(get_file(port, "b"), 404, "there is no such file\n"));
    long more = memory_kb(pid, "VmHWM") - before;
    if (more > MORE_MEMORY)
        FAIL("it needed %ld kB", more);
    CHECK_INT(test_stop(pid), 0);
}

TEST(upload_of_too_many_files)
{
    pid_t pid;
    char name[20];
    int port = serve(&pid), status = 0, count = 1;
    CHECK(is_answer(send_part(port, "PATCH", "begun", "0-4/11", "hello"), 204, "\r\n\r\n"));
    for (; count < 300 && status != 507; count++) {
        snprintf(name, sizeof name, "f%d", count);
        status = atoi(ask(port, PUT LENGTH "1\r\n\r\nx", name) + 9);
        CHECK(status == 201 || status == 507);
    }
    CHECK_INT(count, 201); // the last one was refused
    CHECK(is_answer(answers, 507, "there is room for no other\n"));
    CHECK(is_answer(get_file(port, "f7"), 200, "\r\n\r\nx"));
    // A file whose name is there already can be replaced.
    CHECK(is_answer(ask(port, PUT LENGTH "1\r\n\r\ny", "f7"), 204, "\r\n\r\n"));
    CHECK(is_answer(get_file(port, "f7"), 200, "\r\n\r\ny"));
    // An upload that was begun can go on.
    CHECK(is_answer(send_part(port, "PATCH", "begun", "5-10/11", " world"), 201, "\r\n\r\n"));
    CHECK_INT(test_stop(pid), 0);
}

// After a second signal during an upload the server leaves no file either.
TEST(uploads_leave_nothing_behind)
{
    char folder[] = "/tmp/test-02-XXXXXX", command[100];
    pid_t pid;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(command, sizeof command, "env TMPDIR=%s ./server --quiet --port 0", folder);
    int port = test_start(&pid, command), fd = net_connect_or_die("127.0.0.1", port);
    int fence_fd = net_connect_or_die("127.0.0.1", port);
    CHECK(is_answer(ask(port, PUT LENGTH "5\r\n\r\nhello", "a"), 201, "\r\n\r\n"));
    dprintf(fd, PUT LENGTH "1000\r\n\r\nhello", "b");
    fence(fence_fd);
    snprintf(command, sizeof command, "find %s -type f | wc -l", folder);
    test_run(command);
    CHECK_INT(atoi(test_output), 2);
    // A server that cannot start, because the port is taken, leaves no file either.
    snprintf(command, sizeof command, "TMPDIR=%s ./server --port %d", folder, port);
    CHECK_INT(test_run(command), 1);
    kill(pid, SIGTERM);
    await_refusal(port);
    CHECK_INT(test_stop(pid), 0);
    CHECK(!rmdir(folder)); // it is empty
    close(fence_fd);
    close(fd);
}

#endif
