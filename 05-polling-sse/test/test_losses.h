// test_losses.h: nothing is lost without a word: large answers to held polls, a server that is
// started again, streams that are cut before their first event, publishers that are faster than
// the readers.
#ifndef TEST_LOSSES_H
#define TEST_LOSSES_H

#include "test_talk.h"

#define LINES 5000 // of the chat that one user pastes
#define POSTS 3000 // that one client sends without waiting for an answer

// Reads an answer with a Content-Length. Returns the length of its content, which then stands
// in answer[]; -1 if the connection ends before.
static long read_content(int fd)
{
    char *length = strstr(read_until(fd, "\r\n\r\n"), "Content-Length: ");
    if (!length)
        return -1;
    long bytes = atol(length + 16);
    if (bytes < 0 || bytes >= ANSWER_BYTES || !read_exactly(fd, answer, (size_t)bytes))
        return -1;
    answer[bytes] = '\0';
    return bytes;
}

// A client waits; a large event comes; both the answer and what follows it are whole.
static void expect_large_event(const char *data, long content_bytes)
{
    pid_t pid;
    int port = serve(&pid, "");
    int fd = say(port, "GET /wait?timeout=60000 HTTP/1.1\r\nHost: h\r\n\r\n");
    await_figure(port, "\"wait\"", "clients", 1);
    CHECK_HAS(post(port, "/publish", data), "{\"id\":1}");
    CHECK_INT(read_content(fd), content_bytes);
    CHECK_HAS(answer + content_bytes - 4, "\"}\n");
    CHECK(write_all(fd, "GET /poll?since=1 HTTP/1.1\r\nHost: h\r\n\r\n", 39));
    CHECK_INT(read_content(fd), 0); // the connection goes on
    close(fd);
    // Stopped while half of the answer is on its way: the other half comes, and nothing else.
    fd = say(port, "GET /wait?timeout=60000 HTTP/1.1\r\nHost: h\r\n\r\n");
    await_figure(port, "\"wait\"", "clients", 1);
    post(port, "/publish", data);
    kill(pid, SIGTERM);
    CHECK_INT(read_content(fd), content_bytes);
    CHECK_INT(read(fd, answer, 1), 0);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_held_poll_is_told_a_large_event)
{
    static char data[65537];
    memset(data, 'x', sizeof data - 1);
    expect_large_event(data, 65536 + 37); // {"id":1,"event":"message","data":"..."}
    memset(data, 1, 11000);
    data[11000] = '\0';
    expect_large_event(data, 6 * 11000 + 37);
}

static unsigned long long published_id(const char *text)
{
    const char *at = strstr(text, "{\"id\":");
    if (!at)
        return 0;
    return strtoull(at + 6, NULL, 10);
}

TEST(a_server_that_was_started_again_says_reset)
{
    unsigned long long id = 0, first = 0;
    char target[60], fields[80], expected[80];
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0 --rate 0");
    for (int i = 0; i < 5; i++)
        id = published_id(post(port, "/publish", "before"));
    CHECK_HAS(post(port, "/jobs?ms=60000", ""), "HTTP/1.1 202 ");
    unsigned long long job = published_id(answer);
    CHECK_INT(test_stop(pid), 0);
    port = test_start(&pid, "./server --quiet --port 0 --rate 0");
    post(port, "/jobs?ms=0", "");
    snprintf(target, sizeof target, "/jobs/%llu", job);
    CHECK_HAS(get(port, target),
              "HTTP/1.1 404 "); // no job of this run has the handle of another run
    snprintf(target, sizeof target, "/wait?since=%llu", id);
    CHECK_HAS(get(port, target), "\"event\":\"reset\""); // nothing is new, but all is gone
    for (int i = 0; i < 8; i++) {
        unsigned long long now = published_id(post(port, "/publish", "after"));
        if (i == 0)
            first = now;
    }
    CHECK(first > id);
    CHECK_HAS(get(port, target), "\"event\":\"reset\"");
    snprintf(target, sizeof target, "/poll?since=%llu", id + 3);
    CHECK_HAS(get(port, target), "\"event\":\"reset\"");
    snprintf(fields, sizeof fields, "Last-Event-ID: %llu\r\n", id);
    int fd = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
    snprintf(expected, sizeof expected, "id: %llu\ndata: after\n\n", first + 7);
    read_until(fd, expected);
    snprintf(expected, sizeof expected, "\n\nid: %llu\nevent: reset\n", first - 1);
    CHECK_HAS(answer, expected);
    snprintf(expected, sizeof expected, "\n\nid: %llu\ndata: after\n", first);
    CHECK_HAS(answer, expected);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_stream_that_is_cut_before_its_first_event)
{
    char fields[80];
    pid_t pid;
    int port = serve(&pid, "");
    post(port, "/publish", "long ago");
    int fd = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    const char *id = strstr(read_until(fd, "\n\n"), "\nid: "); // kept, though no event came
    CHECK_HAS(answer, "\nid: ");
    if (!id)
        return;
    snprintf(fields, sizeof fields, "Last-Event-ID: %d\r\n", atoi(id + 5));
    close(fd);
    post(port, "/publish", "meanwhile");
    fd = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
    CHECK_HAS(read_until(fd, "\n\nid: 2\ndata: meanwhile\n\n"), "id: 1\n\nid: 2\n");
    close(fd);
    // A long poll without since= is told the position of the feed, too.
    CHECK_HAS(get(port, "/wait?timeout=10"), "HTTP/1.1 204 No Content\r\n");
    CHECK_HAS(answer, "\r\nFeed-Position: 2\r\n");
    CHECK_INT(test_stop(pid), 0);
}

// Writes in a process of its own, so that this one can read.
static pid_t write_beside(int fd, const char *bytes, size_t length)
{
    pid_t pid = fork();
    if (pid == 0) {
        bool good = write_all(fd, bytes, length);
        sleep_ms(200); // the answers, if there are any, are not read
        _exit(!good);
    }
    return pid;
}

TEST(a_reader_hears_all_lines_that_another_user_pastes)
{
    static char frames[LINES * 20];
    char text[40], expected[60];
    size_t length = 0, bytes;
    pid_t pid;
    int port = serve(&pid, ""), missing = 0, status;
    int reader = open_websocket(port, "/ws"), writer = open_websocket(port, "/ws");
    for (int i = 0; i < LINES; i++) {
        int count = snprintf(text, sizeof text, "line %d.", i);
        frames[length] = (char)0x81;
        frames[length + 1] = (char)(0x80 | count);
        memset(frames + length + 2, 0, 4);
        memcpy(frames + length + 6, text, (size_t)count);
        length += 6 + (size_t)count;
    }
    pid_t child = write_beside(writer, frames, length);
    for (int i = 0; i < LINES && read_frame(reader, &bytes) == 0x81;) {
        if (strstr(answer, "joined"))
            continue;
        snprintf(expected, sizeof expected, "user 2 says: line %d.", i);
        missing += !strstr(answer, expected);
        i++;
    }
    CHECK_INT(missing, 0);
    waitpid(child, &status, 0);
    close(reader);
    close(writer);
    CHECK_INT(test_stop(pid), 0);
}

// The server tells a user that does not read how many lines are missing.
TEST(a_gap_in_the_chat_is_told)
{
    static char line[1001];
    size_t length;
    pid_t pid;
    long lost = 0, heard = 0;
    int port = serve(&pid, "");
    int slow = connect_narrow(port, "GET /ws HTTP/1.1\r\n" UPGRADE "\r\n");
    await_figure(port, "{", "users", 1);
    int writer = open_websocket(port, "/ws");
    memset(line, 'x', 1000);
    for (int i = 0; i < 3000; i++)
        send_frame(writer, 0x81, line, 1000);
    send_frame(writer, 0x89, "all", 3); // its pong says that all of it has been published
    for (int first = 0; first != 0x8a;)
        first = read_frame(writer, &length);
    read_until(slow, "\r\n\r\n");
    while (heard + lost < 3000 && read_frame(slow, &length) == 0x81) {
        const char *gap = strstr(answer, "\"data\":\"(");
        if (gap && strstr(gap, " lines are missing here)"))
            lost += atol(gap + 9);
        heard += strstr(answer, "says: ") != NULL;
    }
    CHECK_INT(heard + lost, 3000);
    CHECK(lost > 0);
    close(slow);
    close(writer);
    CHECK_INT(test_stop(pid), 0);
}

TEST(pipelined_publications_lose_no_reader)
{
    static const char one[] =
        "POST /publish HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nevent";
    static char posts[POSTS * sizeof one];
    char expected[60];
    pid_t pid;
    int port = serve(&pid, ""), status;
    int reader = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    int writer = say(port, "%s", "");
    read_until(reader, "\n\n");
    for (int i = 0; i < POSTS; i++)
        memcpy(posts + i * ((int)sizeof one - 1), one, sizeof one - 1);
    pid_t child = write_beside(writer, posts, POSTS * (sizeof one - 1));
    for (int i = 1; i <= POSTS && !test_failures; i++) {
        snprintf(expected, sizeof expected, "id: %d\ndata: event\n\n", i);
        CHECK_HAS(read_until(reader, "event\n\n"), expected);
    }
    CHECK_INT(figure(port, "\"dropped\"", "slow"), 0);
    waitpid(child, &status, 0);
    close(reader);
    close(writer);
    CHECK_INT(test_stop(pid), 0);
}

#endif
