// test.c: tests of lesson 05. `make test` runs them, the scenes, real peers, and the patches in
// break/. Here: the server, over sockets. Further tests, by topic:
//
//     test_client.h      ./client and ./wscat
//     test_parts.h       the parts on their own; test_frames.h, test_streams.h: their tables
//     test_fan_out.h     --fan-out uring
//     test_handshakes.h  requests for a WebSocket
//     test_losses.h      that nothing is lost without a word
//     test_readers.h     readers that are slow, silent, gone, or many
#define SUMMARY         "connections 4, events 0\n"
#define SUMMARY_OPTIONS "--rate 0"
#define LOGGED          "GET /poll?since=0: 200, 0 bytes\n"
#include "contract.h"

#include "test_client.h"
#include "test_fan_out.h"
#include "test_handshakes.h"
#include "test_losses.h"
#include "test_parts.h"
#include "test_readers.h"
#include "test_talk.h"

static bool exchange(int port)
{
    return strstr(get(port, "/poll?since=0"), "HTTP/1.1 200 OK\r\n");
}

TEST(the_summary_counts_events)
{
    pid_t pid;
    int port = serve(&pid, ">build/events.log");
    for (int i = 0; i < 3; i++)
        CHECK_HAS(post(port, "/publish", "a"), " 200 OK\r\n");
    CHECK_INT(test_stop(pid), 0);
    test_run("cat build/events.log; rm build/events.log");
    CHECK_HAS(test_output, "stopped: connections 3, events 3\n");
}

TEST(the_stats_count_bytes)
{
    static const char poll[] = "GET /poll HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    pid_t pid;
    int port = serve(&pid, "");
    long length = (long)strlen(last_words(say(port, "%s", poll)));
    await_figure(port, "\"poll\"", "bytes_in", sizeof poll - 1);
    await_figure(port, "\"poll\"", "bytes_out", length);
    CHECK_INT(test_stop(pid), 0);
}

// ---- polls ---------------------------------------------------------------------------------

#define LINE(id, data) "{\"id\":" #id ",\"event\":\"message\",\"data\":\"" data "\"}\n"

TEST(a_poll_brings_what_came_after)
{
    pid_t pid;
    int port = serve(&pid, "--ring 3");
    CHECK_HAS(get(port, "/poll"), "Content-Length: 0\r\n");
    CHECK_HAS(post(port, "/publish", "a"), "\r\n\r\n{\"id\":1}\n");
    CHECK_HAS(post(port, "/publish?event=price", "b"), "{\"id\":2}\n");
    CHECK_HAS(get(port, "/poll?since=0"),
              "\r\n\r\n" LINE(1, "a") "{\"id\":2,\"event\":\"price\",\"data\":\"b\"}\n");
    CHECK_HAS(get(port, "/poll?since=2"), "Content-Length: 0\r\n");
    CHECK_HAS(get(port, "/poll?since=1&x=y"), "\r\n\r\n{\"id\":2,");
    post(port, "/publish", "c");
    post(port, "/publish", "d");
    CHECK_HAS(get(port, "/poll"), "\r\n\r\n{\"id\":2,");
    CHECK_HAS(get(port, "/poll?since=0"), "\r\n\r\n{\"id\":1,\"event\":\"reset\",");
    CHECK_HAS(get(port, "/poll?since=99"), "\r\n\r\n{\"id\":1,\"event\":\"reset\",");
    CHECK_HAS(get(port, "/poll?since=x"), "HTTP/1.1 400 ");
    CHECK_HAS(get(port, "/poll?since="), "HTTP/1.1 400 ");
    CHECK_HAS(get(port, "/poll?since=99999999999999999999"), "HTTP/1.1 400 ");
    CHECK_INT(test_stop(pid), 0);
}

// More than one answer may hold: the client asks again.
TEST(a_poll_brings_much_in_parts)
{
    static char large[60001];
    pid_t pid;
    int port = serve(&pid, ""), polls = 0;
    long since = 0;
    memset(large, '\n', sizeof large - 1); // 120,000 bytes as JSON: more than there is room for
    static const char *const events[] = {"small", "small", large, "small", "small"};
    for (int i = 0; i < 5; i++)
        post(port, "/publish", events[i]);
    for (char target[40]; since < 5 && polls < 10; polls++) {
        snprintf(target, sizeof target, "/poll?since=%ld", since);
        for (const char *at = get(port, target); (at = strstr(at, "{\"id\":")); at++) {
            CHECK_INT(atol(at + 6), since + 1);
            since++;
        }
    }
    CHECK_INT(polls, 3); // two, the large one alone, two
    CHECK_INT(test_stop(pid), 0);
}

#define WAIT_FOR(query) "GET /wait?" query " HTTP/1.1\r\nHost: h\r\n\r\n"

TEST(a_held_poll_is_answered_when_there_is_news)
{
    pid_t pid;
    int port = serve(&pid, "");
    int fd = say(port, WAIT_FOR("since=0&timeout=50000") WAIT_FOR("since=1&timeout=0"));
    int other = say(port, WAIT_FOR("timeout=50000"));
    await_figure(port, "\"wait\"", "clients", 2);
    post(port, "/publish", "at last");
    read_until(fd, LINE(1, "at last"));
    CHECK_HAS(answer, "HTTP/1.1 200 OK\r\n");
    read_until(fd, "HTTP/1.1 204 No Content\r\n"); // the request that was behind it
    read_until(other, LINE(1, "at last"));
    close(fd);
    close(other);
    CHECK_HAS(get(port, "/wait?since=0&timeout=50000"), LINE(1, "at last")); // it was there
    CHECK_HAS(get(port, "/wait?since=1&timeout=20"), "HTTP/1.1 204 No Content\r\n");
    CHECK_HAS(get(port, "/wait?since=7&timeout=50000"), "\"event\":\"reset\"");
    CHECK_HAS(get(port, "/wait?timeout=60001"), "HTTP/1.1 400 ");
    CHECK_HAS(get(port, "/wait?timeout=-1"), "HTTP/1.1 400 ");
    CHECK_INT(test_stop(pid), 0);
}

// ---- publishing ----------------------------------------------------------------------------

TEST(what_may_be_published)
{
    static char content[65538];
    pid_t pid;
    int port = serve(&pid, "--origin http://friend.example");
    memset(content, 'x', 65537);
    CHECK_HAS(post(port, "/publish", content), "HTTP/1.1 413 ");
    content[65536] = '\0';
    CHECK_HAS(post(port, "/publish", content), "{\"id\":1}");
    CHECK_HAS(post(port, "/publish", ""), "{\"id\":2}");
    CHECK_HAS(post(port, "/publish", "\xc3"), "HTTP/1.1 400 ");
    // The server's own words, and EventSource's.
    CHECK_HAS(post(port, "/publish?event=reset", "x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/publish?event=chat", "x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/publish?event=error", "x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/publish?event=open", "x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/publish?event=a%0ab", "x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/publish?event=aaaaaaaaaabbbbbbbbbbccccccccccddd", "x"),
              "HTTP/1.1 400 ");
    CHECK_HAS(get(port, "/publish"), "HTTP/1.1 405 Method Not Allowed\r\n");
    CHECK_HAS(answer, "\r\nAllow: POST\r\n");
    CHECK_HAS(post(port, "/poll", ""), "\r\nAllow: GET, HEAD\r\n");
    CHECK_HAS(get(port, "/nothing"), "HTTP/1.1 404 ");
#define PUBLISH(fields, rest)                                                                  \
    last_words(say(port, "POST /publish HTTP/1.1\r\nHost: h\r\n" fields                        \
                         "Connection: close\r\n\r\n" rest))
    CHECK_HAS(PUBLISH("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"),
              "\"id\":3");
    CHECK_HAS(PUBLISH("Content-Length: 70000\r\n", "x"), "HTTP/1.1 413 ");
    int waits = say(port, "POST /publish HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                          "Connection: close\r\nContent-Length: 1\r\n\r\n");
    CHECK_HAS(read_until(waits, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n");
    CHECK(write_all(waits, "x", 1));
    CHECK_HAS(last_words(waits), "\"id\":4");
    CHECK_HAS(PUBLISH("Origin: http://h\r\n", ""), "\"id\":5");
    CHECK_HAS(PUBLISH("Origin: http://friend.example\r\n", ""), "\"id\":6");
    CHECK_HAS(PUBLISH("Origin: http://evil.example\r\n", ""), "HTTP/1.1 403 ");
    CHECK_HAS(get(port, "/poll?since=2"), "\"data\":\"hi!\"");
    CHECK_INT(test_stop(pid), 0);
}

// An answer to HEAD has no content, whatever it says (RFC 9110 §9.3.2).
TEST(head_is_answered_without_content)
{
    static const char *const requests_of_head[] = {
        "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /publish HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /poll?since=x HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n",
        "HEAD / HTTP/3.0\r\nHost: h\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost h\r\n\r\n"};
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < COUNT(requests_of_head); i++) {
        int fd = say(port, "%s", requests_of_head[i]);
        shutdown(fd, SHUT_WR);
        last_words(fd);
        CHECK_HAS(answer, "HTTP/1.1 ");
        CHECK(!strcmp(answer + strlen(answer) - 4, "\r\n\r\n"));
    }
    CHECK_HAS(get(port, "/poll?since=x"), "Bad Request: since= is not the id of an event\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_feed_makes_its_own_events)
{
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0 --first-id 1 --rate 100 --burst 3");
    int fd = say(port, "GET /events?since=0 HTTP/1.1\r\nHost: h\r\n\r\n");
    read_until(fd, "\nid: 9\n");
    CHECK_HAS(answer, "id: 8\ndata: {\"at_us\":");
    CHECK_HAS(answer, "\"text\":\"tick 3.2\"}\n\n");
    close(fd);
    // A client that only polls gets them too: they have happened meanwhile.
    while (!strstr(get(port, "/poll?since=0"), "tick 5.1"))
        ;
    CHECK_INT(test_stop(pid), 0);
}

// ---- server-sent events --------------------------------------------------------------------

TEST(a_stream_goes_on_where_it_was_cut)
{
    pid_t pid;
    int port = serve(&pid, "--ring 3 --retry-ms 123");
    int fd = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    read_until(fd, "retry: 123\nid: 0\n\n");
    CHECK_HAS(answer, "\r\nContent-Type: text/event-stream\r\n");
    CHECK_HAS(answer, "\r\nX-Accel-Buffering: no\r\n");
    post(port, "/publish", "a\nb");
    post(port, "/publish?event=price", "c");
    read_until(fd, "id: 1\ndata: a\ndata: b\n\nid: 2\nevent: price\ndata: c\n\n");
    CHECK_HAS(post(port, "/cut", ""), "cut\n");
    CHECK_INT(read(fd, answer, 1), 0);
    close(fd);
    post(port, "/publish", "d");
#define EVENTS(query, fields)                                                                  \
    say(port, "GET /events" query " HTTP/1.1\r\nHost: h\r\n" fields "\r\n")
    fd = EVENTS("?since=0", "Last-Event-ID: 2\r\n"); // what came last counts
    CHECK_HAS(read_until(fd, "data: d\n\n"), "retry: 123\nid: 2\n\nid: 3\n");
    close(fd);
    for (int i = 0; i < 5; i++)
        post(port, "/publish", "e");
    fd = EVENTS("", "Last-Event-ID: 3\r\n"); // the ring has 6 to 8
    CHECK_HAS(read_until(fd, "id: 8\ndata: e\n\n"),
              "\n\nid: 5\nevent: reset\ndata: here the feed begins with 6\n\nid: 6\n");
    close(fd);
    fd = EVENTS("", "Last-Event-ID: what\r\n"); // no id of ours
    CHECK_HAS(read_until(fd, "id: 8\n"), "id: 5\nevent: reset\n");
    close(fd);
    fd = EVENTS("?since=7", "");
    CHECK_HAS(read_until(fd, "data: e\n\n"), "retry: 123\nid: 7\n\nid: 8\n");
    close(fd);
    fd = say(port, "GET /events?since=7 HTTP/1.0\r\n\r\n");
    read_until(fd, "id: 8\ndata: e\n\n");
    close(fd);
    CHECK_HAS(last_words(say(port, "HEAD /events HTTP/1.1\r\nHost: h\r\n"
                                   "Connection: close\r\n\r\n")),
              "HTTP/1.1 405 ");
    CHECK_INT(test_stop(pid), 0);
}

TEST(silent_streams_have_a_heart)
{
    pid_t pid;
    size_t length;
    int port = serve(&pid, "--heartbeat-ms 500");
    int fd = EVENTS("", "");
    read_until(fd, "retry: 1000\nid: 0\n\n:\n\n:\n\n");
    close(fd);
    fd = open_websocket(port, "/ws/echo");
    for (int i = 0; i < 2; i++) {
        CHECK_INT(read_frame(fd, &length), 0x89);
        send_frame(fd, 0x8a, "", 0);
    }
    CHECK_INT(close_code(fd), 1008); // for now it gets no more pongs
    CHECK_INT(figure(port, "\"dropped\"", "silent"), 1);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// ---- jobs, and an answer that takes its time -----------------------------------------------

TEST(a_job_is_a_handle)
{
    char target[40];
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_HAS(post(port, "/jobs?ms=60000", "12345"), "HTTP/1.1 202 Accepted\r\n");
    CHECK_HAS(answer, "\r\nLocation: /jobs/1\r\n");
    CHECK_HAS(get(port, "/jobs/1"), "{\"id\":1,\"state\":\"running\",\"progress\":0}");
    CHECK_HAS(get(port, "/jobs/1?wait=20"), "\"running\"");
    post(port, "/jobs?ms=20", "12345");
    CHECK_HAS(
        get(port, "/jobs/2?wait=60000"),
        "{\"id\":2,\"state\":\"done\",\"progress\":100,\"result\":\"5 bytes looked at\"}");
    CHECK_HAS(get(port, "/jobs/3"), "HTTP/1.1 404 ");
    CHECK_HAS(get(port, "/jobs/0"), "HTTP/1.1 404 ");
    CHECK_HAS(get(port, "/jobs/x"), "HTTP/1.1 404 ");
    CHECK_HAS(get(port, "/jobs/"), "HTTP/1.1 404 ");
    CHECK_HAS(get(port, "/jobs/1?wait=x"), "HTTP/1.1 400 ");
    CHECK_HAS(post(port, "/jobs?ms=60001", ""), "HTTP/1.1 400 ");
    int fd = say(port, "GET /jobs/1?wait=60000 HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 3; i <= 1002; i++)
        post(port, "/jobs?ms=0", "");
    snprintf(target, sizeof target, "/jobs/%d", 1002);
    CHECK_HAS(get(port, target), "\"done\"");
    CHECK_HAS(get(port, "/jobs/2"), "HTTP/1.1 404 "); // done long ago, and forgotten
    CHECK_HAS(get(port, "/jobs/1"), "\"running\"");   // a job that runs never is
    for (int i = 1003; i <= 2001; i++)
        CHECK_HAS(post(port, "/jobs?ms=60000", ""), "HTTP/1.1 202 ");
    CHECK_HAS(post(port, "/jobs?ms=60000", ""), "HTTP/1.1 503 "); // 1,000 of them run
    CHECK_HAS(get(port, "/jobs/1"), "\"running\"");
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(an_answer_word_by_word)
{
    pid_t pid;
    int port = serve(&pid, "--token-ms 1");
    CHECK_HAS(post(port, "/chat", "why\nnot?"), "\r\nTransfer-Encoding: chunked\r\n");
    CHECK_HAS(answer, "\r\nX-Accel-Buffering: no\r\n");
    CHECK_HAS(answer, "\r\n\r\n4\r\nYou \r\n5\r\nask: \r\n4\r\nwhy \r\n5\r\nnot? \r\n");
    CHECK_HAS(answer, "\r\n5\r\nonce.\r\n0\r\n\r\n");
#define CHAT(version, fields)                                                                  \
    last_words(say(port, "POST /chat HTTP/" version "\r\nHost: h\r\nConnection: close\r\n"     \
                         "Content-Length: 2\r\n" fields "\r\nhi"))
    CHECK_HAS(CHAT("1.1", "Accept: text/event-stream\r\n"), "data: You \n\n");
    CHECK_HAS(answer, "\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    CHECK_HAS(CHAT("1.0", ""), "\r\n\r\nYou ask: hi ... I am");
    CHECK(!strstr(answer, "chunked"));
    CHECK_HAS(post(port, "/chat", "\xff"), "HTTP/1.1 400 ");
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_page_has_a_strict_policy)
{
    char first[25] = "";
    pid_t pid;
    int port = serve(&pid, "");
    for (int i = 0; i < 2; i++) {
        const char *nonce = strstr(get(port, "/"), "script-src 'nonce-");
        CHECK(nonce && !strstr(answer, "{{nonce}}"));
        if (!nonce)
            break;
        CHECK(strncmp(first, nonce + 18, 24)); // another one each time
        memcpy(first, nonce + 18, 24);
        char tag[60];
        snprintf(tag, sizeof tag, "<script nonce=\"%s\">", first);
        CHECK_HAS(answer, tag);
        CHECK_HAS(answer, "Content-Security-Policy: default-src 'none';");
    }
    CHECK_INT(test_stop(pid), 0);
}

// ---- WebSocket -----------------------------------------------------------------------------

TEST(every_handshake_gets_its_answer)
{
    char status[20];
    pid_t pid;
    int port = serve(&pid, "--origin 'http://friend.example https://other.example:444'");
    for (size_t i = 0; i < COUNT(handshakes); i++) {
        int fd = say(port, "%s\r\n", handshakes[i].request);
        shutdown(fd, SHUT_WR);
        last_words(fd);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", handshakes[i].status);
        if (strncmp(answer, status, strlen(status)))
            FAIL("%s expected %s, got %.30s", handshakes[i].request, status, answer);
        if (handshakes[i].status == 426)
            CHECK_HAS(answer, "\r\nSec-WebSocket-Version: 13\r\n");
        if (strstr(answer, "\r\nUpgrade: "))
            CHECK_HAS(answer, "\r\nConnection: Upgrade\r\n");
    }
    CHECK_INT(test_stop(pid), 0);
}

static int cases;

static void expect_code(int port, int code, const char *hex)
{
    char bytes[400];
    int fd = open_websocket(port, "/ws");
    CHECK(write_all(fd, bytes, from_hex(hex, bytes)));
    int got = close_code(fd);
    if (got != code)
        FAIL("%s: expected %d, got %d", hex, code, got);
    close(fd);
    cases++;
}

TEST(every_bad_frame_gets_its_code)
{
    char hex[300];
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < COUNT(bad_frames); i++)
        expect_code(port, bad_frames[i].code, bad_frames[i].hex);
    for (int first = 0; first < 256; first++) { // what no frame may begin with
        int opcode = first & 15;
        if (first & 0x70 || (opcode > 2 && opcode < 8) || opcode > 10) {
            snprintf(hex, sizeof hex, "%02x 80 m", (unsigned)first);
            if (first % 5 == 0 || !(first & 0x70)) // some of the many with reserved bits
                expect_code(port, 1002, hex);
        } else { // and without a mask
            snprintf(hex, sizeof hex, "%02x 00", (unsigned)first);
            expect_code(port, 1002, hex);
        }
    }
    for (size_t i = 0; i < COUNT(bad_texts); i++) {
        unsigned length = (unsigned)(strlen(bad_texts[i]) + 1) / 3;
        snprintf(hex, sizeof hex, "81 %02x m %s", 0x80 | length, bad_texts[i]);
        expect_code(port, 1007, hex);
        const char *rest = "";
        if (length > 1)
            rest = bad_texts[i] + 3;
        snprintf(hex, sizeof hex, "01 81 m %.2s 80 %02x m %s 81 80 m", bad_texts[i],
                 0x80 | (length - 1), rest);
        expect_code(port, 1007, hex);
    }
    for (size_t i = 0; i < COUNT(cut_texts); i++) {
        unsigned length = (unsigned)(strlen(cut_texts[i]) + 1) / 3;
        snprintf(hex, sizeof hex, "81 %02x m %s", 0x80 | length, cut_texts[i]);
        expect_code(port, 1007, hex);
        snprintf(hex, sizeof hex, "01 %02x m %s 80 80 m", 0x80 | length, cut_texts[i]);
        expect_code(port, 1007, hex);
    }
    for (size_t i = 0; i < COUNT(bad_codes); i++) {
        snprintf(hex, sizeof hex, "88 82 m %04x", (unsigned)bad_codes[i]);
        expect_code(port, 1002, hex);
    }
    for (size_t i = 0; i < COUNT(good_codes); i++) { // the same back
        snprintf(hex, sizeof hex, "88 84 m %04x c3a9", (unsigned)good_codes[i]);
        expect_code(port, good_codes[i], hex);
    }
    expect_code(port, 1005, "88 80 m");
    CHECK(cases + (int)COUNT(handshakes) > 300);
    CHECK_INT(test_stop(pid), 0);
}

// One message of each length, in one frame and in three with pings between.
TEST(echoes_of_all_lengths)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 70000, 1048576, 4000000};
    static char text[4000000];
    size_t length;
    pid_t pid;
    int port = serve(&pid, "");
    int fd = open_websocket(port, "/ws/echo");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t third = sizes[i] / 3;
        send_frame(fd, 0x81, text, sizes[i]);
        CHECK_INT(read_frame(fd, &length), 0x81);
        CHECK_INT(length, sizes[i]);
        CHECK(!memcmp(answer, text, length));
        send_frame(fd, 0x02, text, third);
        send_frame(fd, 0x89, "one", 3);
        send_frame(fd, 0x00, text + third, third);
        send_frame(fd, 0x89, "", 0);
        send_frame(fd, 0x80, text + 2 * third, sizes[i] - 2 * third);
        CHECK_INT(read_frame(fd, &length), 0x8a);
        CHECK_TEXT(answer, "one");
        CHECK_INT(read_frame(fd, &length), 0x8a);
        CHECK_INT(length, 0);
        CHECK_INT(read_frame(fd, &length), 0x82);
        CHECK_INT(length, sizes[i]);
        CHECK(!memcmp(answer, text, length));
    }
    send_frame(fd, 0x01, text, 4000000);
    send_frame(fd, 0x88, "\x03\xe8", 2);
    CHECK_INT(close_code(fd), 1000);
    CHECK_INT(read(fd, answer, 1), 0); // the server closes first
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_chat)
{
    size_t length;
    pid_t pid;
    int port = serve(&pid, "");
    int a = open_websocket(port, "/ws");
    CHECK_INT(read_frame(a, &length), 0x81);
    CHECK_HAS(answer, "\"user 1 joined\"");
    int b = open_websocket(port, "/ws");
    CHECK_INT(read_frame(a, &length), 0x81);
    CHECK_HAS(answer, "\"user 2 joined\"");
    CHECK_INT(read_frame(b, &length), 0x81);
    CHECK_HAS(answer, "\"user 2 joined\"");
    send_frame(a, 0x81, "\"hi\"", 4);
    CHECK(read_frame(b, &length) == 0x81);
    CHECK_HAS(answer, "{\"id\":3,\"event\":\"chat\",\"data\":\"user 1 says: \\\"hi\\\"\"}");
    send_frame(b, 0x01, "yes", 3);
    send_frame(b, 0x80, "", 0);
    CHECK(read_frame(a, &length) == 0x81); // not what it has said itself
    CHECK_HAS(answer, "\"user 2 says: yes\"");
    post(port, "/publish", "news");
    CHECK_INT(read_frame(a, &length), 0x81);
    CHECK_TEXT(answer, "{\"id\":1,\"event\":\"message\",\"data\":\"news\"}");
    close(b);
    CHECK_INT(read_frame(a, &length), 0x81);
    CHECK_HAS(answer, "\"user 2 left\"");
    b = open_websocket(port, "/ws?since=0"); // it was here before
    CHECK_INT(read_frame(b, &length), 0x81);
    CHECK_HAS(answer, "\"news\"");
    kill(pid, SIGTERM);
    CHECK_INT(close_code(b), 1001);
    CHECK_INT(close_code(a), 1001);
    CHECK_INT(test_stop(pid), 0);
}
