// test_http.h: tests of timers, http, http_out and body. What servers make of whole requests is
// tested where they are: 02-http1/test.c.
#ifndef TEST_HTTP_H
#define TEST_HTTP_H

#include <stdlib.h>

#include "body.h"
#include "http.h"
#include "http_out.h"
#include "test.h"
#include "timers.h"

// ---- timers --------------------------------------------------------------------------------

#define TIMERS 300

static bool is_heap(const struct timers *timers)
{
    for (uint32_t i = 0; i < timers->count; i++)
        if (timers->heap[i]->index != i ||
            (i && timers->heap[(i - 1) / 2]->at_ns > timers->heap[i]->at_ns))
            return false;
    return true;
}

// The earliest of those that are in use, found in the plainest way.
static int64_t earliest(const struct timer *all, const bool *used)
{
    int64_t at_ns = NEVER;
    for (int i = 0; i < TIMERS; i++)
        if (used[i] && all[i].at_ns < at_ns)
            at_ns = all[i].at_ns;
    return at_ns;
}

TEST(timers_keep_the_earliest_on_top)
{
    static struct timer all[TIMERS], *heap[TIMERS];
    static bool used[TIMERS];
    struct timers timers = {heap, 0};
    unsigned long random = 5;
    uint32_t count = 0;
    for (int step = 0; step < 50000; step++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        int i = (int)(random >> 33) % TIMERS;
        int64_t at_ns = random >> 60 ? (int64_t)(random >> 40) % 1000 : NEVER; // many are equal
        if (!used[i])
            timers_add(&timers, &all[i], at_ns);
        else if (random >> 62)
            timers_move(&timers, &all[i], at_ns);
        else
            timers_remove(&timers, &all[i]);
        bool was_used = used[i];
        used[i] = !was_used || random >> 62;
        count += (uint32_t)used[i] - (uint32_t)was_used;
        if (timers.count != count || !is_heap(&timers) ||
            (count && heap[0]->at_ns != earliest(all, used))) {
            FAIL("step %d breaks the heap", step);
            return;
        }
    }
    int64_t last = 0;
    for (; timers.count; timers_remove(&timers, heap[0])) {
        CHECK(heap[0]->at_ns >= last);
        last = heap[0]->at_ns;
    }
}

// ---- texts ---------------------------------------------------------------------------------

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

TEST(numbers_have_a_limit)
{
    static const char *const wrong[] = {"",    "-1",  "+1",   " 1", "1 ",
                                        "0x1", "101", "1000", "1e1"};
    uint64_t number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (http_number(text_of(wrong[i]), 100, &number))
            FAIL("\"%s\" is a number", wrong[i]);
    CHECK(http_number(text_of("0"), 0, &number) && number == 0);
    CHECK(!http_number(text_of("1"), 0, &number) && !http_number(text_of("9"), 5, &number));
    CHECK(http_number(text_of("000100"), 100, &number) && number == 100);
    CHECK(http_number(text_of("18446744073709551615"), UINT64_MAX, &number));
    CHECK(number == UINT64_MAX);
    CHECK(!http_number(text_of("18446744073709551616"), UINT64_MAX, &number));
}

TEST(targets_and_their_queries)
{
    struct http_text path, query;
    http_split_target(text_of("/a?n=5&&empty=&name&long=1=2?"), &path, &query);
    CHECK(http_is(path, "/a") && http_is(http_parameter(query, "n"), "5"));
    CHECK(http_is(http_parameter(query, "long"), "1=2?") && !http_parameter(query, "a").at);
    CHECK(http_is(http_parameter(query, "empty"), "") && http_parameter(query, "empty").at);
    CHECK(!http_parameter(query, "name").at && !http_parameter(query, "lon").at);
    http_split_target(text_of("?n=5"), &path, &query);
    CHECK(http_is(path, "/") && http_is(query, "n=5"));
    http_split_target(text_of("/a"), &path, &query);
    CHECK(http_is(path, "/a") && !query.length && !http_parameter(query, "n").at);
}

TEST(lists_have_items)
{
    struct http_text list = text_of(" ,a ,\t b c,,d"), item;
    CHECK(http_next_item(&list, &item) && http_is(item, "a"));
    CHECK(http_next_item(&list, &item) && http_is_token(item, "B c"));
    CHECK(http_next_item(&list, &item) && http_is(item, "d"));
    CHECK(!http_next_item(&list, &item));
}

// ---- writing -------------------------------------------------------------------------------

static void write_head(struct http_out *out)
{
    http_put_status(out, 200);
    http_put_field(out, "Content-Type", "text/plain");
    http_put_length(out, UINT64_MAX);
    http_put_number(out, 255, 16);
    http_put_text(out, "\r\n");
}

TEST(http_heads_are_written)
{
    char bytes[500];
    struct http_out out = {bytes, sizeof bytes - 1, 0, false};
    write_head(&out);
    bytes[out.length] = '\0';
    CHECK(!out.overflow);
    CHECK(strstr(bytes, "HTTP/1.1 200 OK\r\nServer: workbench\r\nDate: ") == bytes);
    CHECK_HAS(bytes, " GMT\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 18446744073709551615\r\nff\r\n");
    CHECK_INT((long)strlen(bytes), (long)out.length);
}

// Into every room that is too small: it is flagged, and nothing is written behind its end.
TEST(http_heads_do_not_overflow)
{
    char bytes[500];
    struct http_out whole = {bytes, sizeof bytes, 0, false};
    write_head(&whole);
    for (size_t size = 0; size <= whole.length; size++) {
        char *room = malloc(size + 1); // of exactly this size, for the sanitizers' sake
        struct http_out out = {room, size, 0, false};
        room[size] = 'x';
        write_head(&out);
        CHECK_INT(out.overflow, size < whole.length);
        CHECK(out.length <= size && room[size] == 'x');
        free(room);
    }
}

TEST(http_dates)
{
    CHECK(!strcmp(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT"));
    CHECK(!strcmp(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT")); // of RFC 9110 §5.6.7
    CHECK(!strcmp(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"));
    CHECK(!strcmp(http_date(784111778), "Sun, 06 Nov 1994 08:49:38 GMT"));
    CHECK(!strcmp(http_date(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT"));
    CHECK(!strcmp(http_date(4102444800), "Fri, 01 Jan 2100 00:00:00 GMT"));
}

TEST(http_reasons)
{
    CHECK(!strcmp(http_reason(404), "Not Found"));
    CHECK(!strcmp(http_reason(413), "Content Too Large"));
    CHECK(http_reason(299) && *http_reason(299)); // any text will do, but there is one
}

// ---- reading responses ---------------------------------------------------------------------

TEST(http_status_lines)
{
    static const struct {
        const char *line;
        int result, status;
    } lines[] = {
        {"HTTP/1.1 200 OK\r\n", 1, 200},
        {"HTTP/1.1 404 \r\n", 1, 404},
        {"HTTP/1.1 404\r\n", 1, 404}, // the space is missing, which does not matter to anybody
        {"HTTP/1.0 299 Any (\"thing\")\t\xc3\xa4\r\n", 1, 299},
        {"HTTP/1.9 999 x\r\n", 1, 999},
        {"HTTP/2.0 200 OK\r\n", -505, 0},
        {"HTTP/1.1 99 OK\r\n", -400, 0},
        {"HTTP/1.1 099 OK\r\n", -400, 0},
        {"HTTP/1.1 2000 OK\r\n", -400, 0},
        {"HTTP/1.1 +20 OK\r\n", -400, 0},
        {"HTTP/1.1 2x0 OK\r\n", -400, 0},
        {"HTTP/1.1  200 OK\r\n", -400, 0},
        {"HTTP/1.1\t200 OK\r\n", -400, 0},
        {"HTTP/1.1 200 OK\n", -400, 0},
        {"HTTP/1.1 200 O\rK\r\n", -400, 0},
        {"HTTP/1.1 200 O\x01K\r\n", -400, 0},
        {"HTTP/11 200 OK\r\n", -400, 0},
        {"http/1.1 200 OK\r\n", -400, 0},
        {"ICY 200 OK\r\n", -400, 0},
        {"\r\nHTTP/1.1 200 OK\r\n", -400, 0}, // an empty line may come before a request only
        {" HTTP/1.1 200 OK\r\n", -400, 0},
        {"GET / HTTP/1.1\r\n", -400, 0},
    };
    static struct http_head head;
    char bytes[100];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        int length = snprintf(bytes, sizeof bytes, "%s\r\n", lines[i].line);
        int result = http_read_response(bytes, (size_t)length, &head);
        if (result != lines[i].result || (result > 0 && head.status != lines[i].status))
            FAIL("%s: %d, status %d", lines[i].line, result, head.status);
        for (int part = 0; part < length; part++) {
            int early = http_read_response(bytes, (size_t)part, &head);
            CHECK(early == 0 || (result < 0 && early == result));
        }
    }
}

// Where the body of a response ends (RFC 9112 §6.3), and what of the bytes behind is content.
TEST(http_bodies_of_responses)
{
    static const struct {
        const char *head, *behind;
        bool to_head;
        const char *content; // all that is there
        bool done;           // false: more may come, or nobody knows before the end
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abcdef", false, "abc", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "abc", false, "abc", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "abc", false, "", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abc", true, "", true},
        {"HTTP/1.1 200 OK\r\n\r\n", "abc", false, "abc", false},
        {"HTTP/1.1 200 OK\r\n\r\n", "abc", true, "", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP", false, "", true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "HTTP", false, "", true},
        {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP", false, "", true},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "HTTP", false, "", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\nHTTP", false, "abcde", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nab", false, "ab",
         false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", true, "",
         true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct http_head head;
        struct http_body body;
        struct http_text content;
        char got[100] = "";
        const char *at = cases[i].behind, *end = at + strlen(at);
        CHECK_INT(http_read_response(cases[i].head, strlen(cases[i].head), &head), 1);
        http_body_of_response(&body, &head, cases[i].to_head);
        for (ssize_t used = 1; !body.done && used > 0; at += used) {
            used = http_body_take(&body, at, (size_t)(end - at), &content);
            strncat(got, content.at, content.length);
        }
        if (strcmp(got, cases[i].content) || body.done != cases[i].done)
            FAIL("%s: '%s', %s", cases[i].head, got, body.done ? "done" : "not done");
    }
}

TEST(http_responses_with_two_ends_are_refused)
{
    static const char *const fields[] = {
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: x\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Name : value\r\n",
        " folded\r\n",
    };
    static struct http_head head;
    char bytes[200];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\n%s\r\n", fields[i]);
        CHECK_INT(http_read_response(bytes, (size_t)length, &head), -400);
    }
}

TEST(http_fields_are_found)
{
    static const char bytes[] = "GET /a?b HTTP/1.1\r\nHost:  h:1 \r\nX-Empty:\r\nx-two: 1\r\n"
                                "X-TWO: 2\r\nConnection: Keep-Alive , CLOSE\r\n\r\nbehind";
    static struct http_head head;
    CHECK_INT(http_read_request(bytes, sizeof bytes - 1, &head), 1);
    CHECK_INT((long)head.length, (long)(sizeof bytes - 1 - strlen("behind")));
    CHECK(http_is(head.method, "GET") && http_is(head.target, "/a?b") && head.minor == 1);
    CHECK(http_is(head.host, "h:1") && !head.keep_alive && head.content_length == -1);
    CHECK(http_is(http_field(&head, "x-two"), "1")); // the first one
    CHECK(http_field(&head, "x-empty").at && !http_field(&head, "x-empty").length);
    CHECK(!http_field(&head, "x-none").at);
    CHECK(!http_is(head.method, "get") && http_is_token(head.method, "get"));
    CHECK(!http_is(head.method, "GE") && !http_is(head.method, "GETT"));
}

#endif
