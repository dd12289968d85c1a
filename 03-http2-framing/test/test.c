// test.c: tests of lesson 03. `make test` runs them, the scenes, real peers, and the patches in
// break/.
// Here: the server, over sockets. Further tests, by topic:
//
//     test_frames.h  frames, and Huffman's code
//     test_hpack.h   header blocks
//     test_client.h  what a client may be told
//     test_conversations.h  conversations with the server in the fake loop, where no socket is
//     test_streams.h many streams there: turns, windows, deadlines, limits
//
// What is expected of them: test_vectors.h. What a server has said, in words: test_story.h.
#define SUMMARY "connections 4, requests 3\n"
#define LOGGED  "stream 1, GET /: 200, 13 bytes\n"
#include "contract.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "test_frames.h"
#include "test_hpack.h"
#include "test_client.h"
#include "test_conversations.h"
#include "test_streams.h"

#define ANSWER_SECONDS 20

#define PONG "PING.0.0.ee11223344556677" // what is asked last: when it is answered, all is

struct peer {
    int fd;
    uint8_t in[1 << 17];
    size_t length, used;
};

static struct peer peer, good_peer;
static uint32_t good_stream; // of the good peer, the next one

static void peer_open(struct peer *to, int port)
{
    int on = 1;
    signal(SIGPIPE, SIG_IGN);
    *to = (struct peer){.fd = net_connect("127.0.0.1", port)};
    setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The next frame; false at the end of the connection, or when none has come for a long time.
static bool peer_frame(struct peer *from, struct frame *frame)
{
    for (;;) {
        struct pollfd ready = {from->fd, POLLIN, 0};
        size_t left = from->length - from->used;
        if (left >= FRAME_HEADER_BYTES) {
            frame_read_header(from->in + from->used, frame);
            if (left >= FRAME_HEADER_BYTES + frame->length) {
                from->used += FRAME_HEADER_BYTES + frame->length;
                CHECK_INT(frame_check(frame).scope, FAULT_NONE);
                return true;
            }
        }
        memmove(from->in, from->in + from->used, left);
        from->length = left;
        from->used = 0;
        if (poll(&ready, 1, ANSWER_SECONDS * 1000) != 1) {
            FAIL("no answer for %d s", ANSWER_SECONDS);
            return false;
        }
        ssize_t got = read(from->fd, from->in + left, sizeof from->in - left);
        if (got <= 0)
            return false;
        from->length += (size_t)got;
    }
}

// Hears the server until it answers the PONG that was said, or is gone. It may do so before it
// sends DATA; so it is asked once more, and then it has sent all that it can.
static void peer_listen(struct peer *from, struct story *story)
{
    struct frame frame;
    for (int times = 0; times < 2 && !story->closed; times++) {
        if (times == 1) {
            story->pong = false;
            script.length = 0;
            script_add(&script, PONG);
            story->closed = write(from->fd, script.bytes, script.length) < 0;
        }
        while (!story->pong && peer_frame(from, &frame))
            story_take(story, &frame);
        story->closed = !story->pong;
    }
}

// Has a whole conversation: says these frames, and then PONG. What the server has to say
// meanwhile does not stop us: a server may wait until its answers are taken.
static void converse(int port, const char *frames)
{
    struct frame frame;
    story_clear(&told);
    peer_open(&peer, port);
    script_begin(&script, frames);
    script_add(&script, PONG);
    net_set_nonblocking(peer.fd);
    for (size_t sent = 0; sent < script.length;) {
        struct pollfd ready = {peer.fd, POLLIN | POLLOUT, 0};
        if (poll(&ready, 1, ANSWER_SECONDS * 1000) != 1)
            break;
        if (ready.revents & POLLOUT) {
            ssize_t put = write(peer.fd, script.bytes + sent, script.length - sent);
            if (put < 0 && errno != EAGAIN)
                break; // it does not want to hear more: what it has said is still there
            sent += put > 0 ? (size_t)put : 0;
        } else if (peer_frame(&peer, &frame)) {
            story_take(&told, &frame);
        } else {
            break;
        }
    }
    peer_listen(&peer, &told);
    close(peer.fd);
}

static void good_begin(int port)
{
    peer_open(&good_peer, port);
    script_begin(&script, "WINDOW_UPDATE.0.0.7fff0000");
    CHECK(write_all(good_peer.fd, script.bytes, script.length));
    good_stream = 1;
}

// A good client beside the others: its connection goes on, whatever they do.
static bool good_request(void)
{
    char text[100];
    struct frame frame;
    bool ended = false, hello = false;
    script.length = 0;
    sprintf(text, "HEADERS.5.%u.828684010161", good_stream);
    script_add(&script, text);
    if (!write_all(good_peer.fd, script.bytes, script.length))
        return false;
    while (!ended && peer_frame(&good_peer, &frame)) {
        if (frame.type == FRAME_GOAWAY || frame.type == FRAME_RST_STREAM)
            return false;
        if (frame.type != FRAME_DATA)
            continue;
        hello = frame.length == 13 && !memcmp(frame.payload, "hello, world\n", 13);
        ended = frame.stream == good_stream && (frame.flags & FLAG_END_STREAM);
    }
    good_stream += 2;
    return ended && hello;
}

static bool exchange(int port)
{
    good_begin(port);
    bool good = good_request();
    close(good_peer.fd);
    return good;
}

TEST(conversations_with_the_server)
{
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    good_begin(port);
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        converse(port, conversations[i].says);
        if (!strstr(told.text, conversations[i].expected))
            FAIL("%s: expected \"%s\", got:\n%.2000s", conversations[i].what,
                 conversations[i].expected, told.text);
        CHECK(told.error == NO_ERROR || told.closed);
        CHECK(good_request());
    }
    close(good_peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_conversation_byte_by_byte)
{
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    script_begin(&script, everything);
    script_add(&script, PONG);
    peer_open(&peer, port);
    story_clear(&told);
    for (size_t i = 0; i < script.length; i++)
        CHECK(write_all(peer.fd, script.bytes + i, 1));
    peer_listen(&peer, &told);
    struct frame frame;
    while (!told.streams[6].ended && peer_frame(&peer, &frame))
        story_take(&told, &frame);
    CHECK_INT(told.streams[0].bytes, 4);
    CHECK_INT(told.streams[2].bytes, 9000);
    CHECK_INT(told.streams[3].reset, 1 + PROTOCOL_ERROR);
    CHECK_INT(told.streams[5].status, 404);
    close(peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

// The largest windows, a hundred of the largest images, and a client that does not read them.
TEST(clients_that_do_not_read)
{
    static int fds[20];
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    CHECK(exchange(port));
    long before = memory_kb(pid, "VmRSS");
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        peer_open(&peer, port);
        fds[i] = peer.fd;
        script_begin(&script, "SETTINGS.0.0.00047fffffff WINDOW_UPDATE.0.0.7fff0000");
        for (int id = 1; id < 200; id += 2) {
            char text[100];
            sprintf(text, "HEADERS.5.%d.{GET,:path=/img/1?size=67108864}", id);
            script_add(&script, text);
        }
        CHECK(write_all(fds[i], script.bytes, script.length));
        CHECK(exchange(port));
    }
    long more = memory_kb(pid, "VmRSS") - before;
    if (more > 20 * 256 + 2048) // a send buffer full, and a hundred streams, for each
        FAIL("%ld KB for 20 clients", more);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Sends a body of `length` bytes on stream 1 as the windows allow; returns the last frame that
// came, if it was no WINDOW_UPDATE.
static void say_body(struct peer *to, uint32_t length, bool ends)
{
    static uint8_t bytes[FRAME_HEADER_BYTES + FRAME_SIZE_DEFAULT];
    int64_t windows[2] = {WINDOW_DEFAULT, WINDOW_DEFAULT}; // of the connection, of the stream
    struct frame frame;
    script_begin(&script, "HEADERS.4.1.{POST}");
    CHECK(write_all(to->fd, script.bytes, script.length));
    while (length) {
        uint32_t piece = length < FRAME_SIZE_DEFAULT ? length : FRAME_SIZE_DEFAULT;
        if (windows[0] < piece || windows[1] < piece) {
            if (!peer_frame(to, &frame))
                return;
            if (frame.type == FRAME_WINDOW_UPDATE)
                windows[frame.stream] += frame_read_u32(frame.payload);
            continue;
        }
        length -= piece;
        frame_put_header(bytes, piece, FRAME_DATA, ends && !length ? FLAG_END_STREAM : 0, 1);
        CHECK(write_all(to->fd, bytes, FRAME_HEADER_BYTES + piece));
        windows[0] -= piece;
        windows[1] -= piece;
    }
}

// The status of the answer on stream 1, or the code of its RST_STREAM below zero.
static int answer_of(struct peer *from)
{
    struct frame frame;
    story_clear(&told);
    while (!told.streams[0].status && !told.streams[0].reset && peer_frame(from, &frame))
        story_take(&told, &frame);
    return told.streams[0].reset ? -(int)told.streams[0].reset + 1 : told.streams[0].status;
}

// All memory for bodies is taken by clients that do not end: another client's body finds room.
TEST(slow_bodies_do_not_lock_others_out)
{
    enum { SLOW = BODIES_MAX >> 20 };
    static struct peer slow[SLOW];
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0"), thrown_away = 0;
    for (int i = 0; i < SLOW; i++) {
        peer_open(&slow[i], port);
        say_body(&slow[i], 1048564, false);
    }
    for (int i = 0; i < 3; i++) {
        peer_open(&peer, port);
        say_body(&peer, 100000, true);
        CHECK_INT(answer_of(&peer), 200);
        close(peer.fd);
    }
    script.length = 0;
    script_add(&script, "DATA.1.1.");
    for (int i = 0; i < SLOW; i++) {
        CHECK(write_all(slow[i].fd, script.bytes, script.length));
        int status = answer_of(&slow[i]);
        CHECK(status == 200 || status == 503);
        thrown_away += status == 503;
        close(slow[i].fd);
    }
    CHECK_BETWEEN(thrown_away, 1, 3);
    CHECK_INT(test_stop(pid), 0);
}

// Two hundred connections at a time that break off anywhere, and after them nothing is left.
TEST(stress)
{
    static int fds[200];
    struct linger reset = {1, 0};
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "./server --quiet --port 0");
    CHECK(exchange(port));
    long before = count_descriptors(pid);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            size_t which = random_below(sizeof conversations / sizeof *conversations);
            fds[i] = net_connect("127.0.0.1", port);
            CHECK(fds[i] >= 0);
            net_set_nonblocking(fds[i]);
            script_begin(&script, random_below(2) ? everything : conversations[which].says);
            size_t length = random_below((uint32_t)script.length + 1);
            if (write(fds[i], script.bytes, length) < 0)
                CHECK(errno == EAGAIN || errno == ECONNRESET || errno == EPIPE);
        }
        CHECK(exchange(port));
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            if (random_below(2))
                setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fds[i]);
        }
    }
    long left = 0;
    for (int tries = 0; tries < 200; tries++) { // those that said GOAWAY linger for 2 s
        left = count_descriptors(pid) - before;
        if (left <= 0) // one less if the first exchange's was still there
            break;
        sleep_ms(50);
    }
    CHECK(left <= 0);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(sigterm_lets_requests_finish)
{
    pid_t pid;
    struct frame frame;
    int port = test_start(&pid, "./server --quiet --port 0");
    story_clear(&told);
    peer_open(&peer, port);
    script_begin(&script, "HEADERS.5.1.{GET,:path=/slow?ms=300} " PONG);
    CHECK(write_all(peer.fd, script.bytes, script.length));
    peer_listen(&peer, &told); // it has the request
    kill(pid, SIGTERM);
    while (peer_frame(&peer, &frame))
        story_take(&told, &frame);
    CHECK_HAS(told.text, "GOAWAY last stream 1 NO_ERROR");
    CHECK(told.streams[0].ended);
    CHECK_INT(told.streams[0].status, 200);
    close(peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_options_for_time)
{
    pid_t pid;
    struct frame frame;
    int port = test_start(&pid, "./server --quiet --port 0 --idle-ms 200 --stall-ms 400");
    static const struct {
        const char *frames, *expected;
    } cases[] = {{"", "GOAWAY last stream 0 NO_ERROR idle"},
                 {OPEN, "GOAWAY last stream 1 ENHANCE_YOUR_CALM"}};
    for (int i = 0; i < 2; i++) {
        story_clear(&told);
        peer_open(&peer, port);
        script_begin(&script, cases[i].frames);
        CHECK(write_all(peer.fd, script.bytes, script.length));
        while (peer_frame(&peer, &frame))
            story_take(&told, &frame);
        CHECK_HAS(told.text, cases[i].expected);
        close(peer.fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

// rfc9113.md is a table of rules: each test that it names is there.
TEST(every_rule_has_a_test)
{
    static char all[1 << 20], line[1000];
    FILE *table = fopen("test/rfc9113.md", "r");
    FILE *sources = popen("cat test/test.c test/*.h test/interop.sh", "r");
    int rules = 0;
    if (!table || !sources) {
        FAIL("no test/rfc9113.md, or no tests");
        return;
    }
    all[fread(all, 1, sizeof all - 1, sources)] = '\0';
    while (fgets(line, sizeof line, table)) {
        char *cell = strrchr(line, '|') ? line : NULL, named[300];
        bool row = *line == '|' && strncmp(line, "|---", 4) && strncmp(line, "| § |", 5);
        for (int column = 0; row && column < 4; column++)
            cell = strchr(cell, '|') + 1;
        if (row && !strstr(cell, "none") && !strchr(cell, '`'))
            FAIL("a rule without a test: %s", line);
        for (; row && (cell = strchr(cell, '`')); cell = strchr(cell + 1, '`') + 1) {
            int length = (int)strcspn(cell + 1, "`");
            snprintf(named, sizeof named, "TEST(%.*s)", length, cell + 1);
            if (strstr(all, named))
                continue;
            snprintf(named, sizeof named, "\"%.*s\"", length, cell + 1);
            if (!strstr(all, named))
                FAIL("no test is called %s", named);
        }
        rules += row;
    }
    CHECK(rules > 100);
    fclose(table);
    pclose(sources);
}

TEST(http_1_on_the_same_port)
{
    static const struct {
        const char *request, *expected;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "hello, world\n"},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /img/1?size=0 HTTP/1.0\r\n\r\n",
         "Content-Type: image/png"},
        {"PUT / HTTP/1.0\r\n\r\n", "405 Method Not Allowed"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
         "5\r\n\r\nhello",
         "\r\n\r\nhello"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", "413"},
        {"GET /stream?n=2&ms=20 HTTP/1.0\r\n\r\n", "piece      2 of      2\n"},
        {"GET /slow?ms=20 HTTP/1.0\r\n\r\n", "that took a while"},
        {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
        {"P\r\n\r\n", "400 Bad Request"},
        {"PR\r\n\r\n", "400 Bad Request"},
    };
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char answer[100000];
        size_t length = 0;
        int fd = net_connect("127.0.0.1", port);
        CHECK(write_all(fd, cases[i].request, strlen(cases[i].request)));
        for (ssize_t got; (got = read(fd, answer + length, sizeof answer - 1 - length)) > 0;)
            length += (size_t)got;
        answer[length] = '\0';
        CHECK_HAS(answer, cases[i].expected);
        close(fd);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}
