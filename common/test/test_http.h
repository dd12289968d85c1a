// test_http.h: tests of timers and of http. What servers make of whole requests is
// tested where they are: 02-http1/test.c.
#ifndef TEST_HTTP_H
#define TEST_HTTP_H

#include <stdlib.h>

#include "http.h"
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

TEST(timers_never_wake_a_loop_too_early)
{
    CHECK_INT(timers_sleep_ms(NEVER, 7), -1);
    CHECK_INT(timers_sleep_ms(7, 7), 0);
    CHECK_INT(timers_sleep_ms(6, 7), 0);
    CHECK_INT(timers_sleep_ms(8, 7), 1);
    CHECK_INT(timers_sleep_ms(7 + 1000000, 7), 1);
    CHECK_INT(timers_sleep_ms(8 + 1000000, 7), 2);
}

TEST(timers_keep_the_earliest_on_top)
{
    static struct timer all[TIMERS], *heap[TIMERS];
    static bool used[TIMERS];
    struct timers timers = {heap, 0};
    uint64_t random = 5;
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
            timers_next_ns(&timers) != earliest(all, used)) {
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

static struct http_text text_of(const char *text) // or NULL
{
    if (!text)
        return (struct http_text){NULL, 0};
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
    CHECK(http_number(text_of("0"), 0, &number));
    CHECK_INT(number, 0);
    CHECK(!http_number(text_of("1"), 0, &number));
    CHECK(!http_number(text_of("9"), 5, &number));
    CHECK(http_number(text_of("000100"), 100, &number));
    CHECK_INT(number, 100);
    CHECK(http_number(text_of("18446744073709551615"), UINT64_MAX, &number));
    CHECK(number == UINT64_MAX);
    CHECK(!http_number(text_of("18446744073709551616"), UINT64_MAX, &number));
}

TEST(targets_and_their_queries)
{
    struct http_text path, query;
    http_split_target(text_of("/a?n=5&&empty=&name&long=1=2?"), &path, &query);
    CHECK(http_is(path, "/a"));
    CHECK(http_is(http_parameter(query, "n"), "5"));
    CHECK(http_is(http_parameter(query, "long"), "1=2?"));
    CHECK(!http_parameter(query, "a").at);
    CHECK(http_is(http_parameter(query, "empty"), ""));
    CHECK(http_parameter(query, "empty").at);
    CHECK(!http_parameter(query, "name").at);
    CHECK(!http_parameter(query, "lon").at);
    http_split_target(text_of("?n=5"), &path, &query);
    CHECK(http_is(path, "/"));
    CHECK(http_is(query, "n=5"));
    http_split_target(text_of("/a"), &path, &query);
    CHECK(http_is(path, "/a"));
    CHECK(!query.length);
    CHECK(!http_parameter(query, "n").at);
}

TEST(lists_have_items)
{
    struct http_text list = text_of(" ,a ,\t b c,,d"), item;
    CHECK(http_next_item(&list, &item));
    CHECK(http_is(item, "a"));
    CHECK(http_next_item(&list, &item));
    CHECK(http_is_token(item, "B c"));
    CHECK(http_next_item(&list, &item));
    CHECK(http_is(item, "d"));
    CHECK(!http_next_item(&list, &item));
}

TEST(lists_keep_commas_in_quotes)
{
    static const char *const items[] = {"a=\"b, c\"", "\"d\\\", e\"", "f", "\"g, h"};
    struct http_text list = text_of("a=\"b, c\",\"d\\\", e\" ,f,\"g, h"), item;
    for (size_t i = 0; i < 4; i++) {
        CHECK(http_next_item(&list, &item));
        CHECK(http_is(item, items[i]));
    }
    CHECK(!http_next_item(&list, &item));
}

// A list is the same in one line and in several (RFC 9110 §5.3).
TEST(lists_in_several_lines)
{
    static const char bytes[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: a, b\r\nX: y\r\n"
                                "CONNECTION: ,\r\nconnection: Upgrade\r\n\r\n";
    static const char *const items[] = {"a", "b", "Upgrade"};
    static struct http_head head;
    struct http_list list = {.head = &head, .name = "connection"};
    struct http_text item;
    CHECK_INT(http_read_request(bytes, sizeof bytes - 1, &head), 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK(http_list_next(&list, &item));
        CHECK(http_is(item, items[i]));
    }
    CHECK(!http_list_next(&list, &item));
    CHECK(!http_list_next(&list, &item));
    CHECK(http_list_has(&head, "connection", "upgrade"));
    CHECK(!http_list_has(&head, "connection", "up"));
    CHECK(!http_list_has(&head, "via", "a"));
    CHECK_INT(http_single_field(&head, "x", &item), 1);
    CHECK(http_is(item, "y"));
    CHECK_INT(http_single_field(&head, "connection", &item), 3);
    CHECK_INT(http_single_field(&head, "range", &item), 0);
    CHECK(!item.at);
}

TEST(hosts_and_authorities)
{
    static const char *const good[] = {"",      "h",     "h:",        "h:80",
                                       "[::1]", "[::]:", "[::1]:443", "a.b-c_d~e%20"};
    static const char *const wrong[] = {":80", "h:x",   "h i",    "u@h", "h/a",   "[]",
                                        "[::", "[g::]", "[::1]x", "::1", "h:1:2", "\xc3\xa4"};
    static const struct {
        const char *host;
        int port;
        const char *text;
    } names[] = {{"example.org", 8002, "example.org:8002"},
                 {"example.org", 80, "example.org"},
                 {"127.0.0.1", 65535, "127.0.0.1:65535"},
                 {"::1", 8002, "[::1]:8002"},
                 {"fe80::1%eth0", 80, "[fe80::1]"}};
    char text[HTTP_HOST_BYTES], name[1000];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!http_is_host(text_of(good[i])))
            FAIL("\"%s\" is no host", good[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (http_is_host(text_of(wrong[i])))
            FAIL("\"%s\" is a host", wrong[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(!strcmp(http_authority(names[i].host, names[i].port, 80, text), names[i].text));
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(strlen(http_authority(name, 8002, 80, text)) < sizeof text);
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
        CHECK_AT_MOST(out.length, size);
        CHECK_INT(room[size], 'x');
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

static time_t read_date(const char *text)
{
    return http_read_date(text_of(text));
}

TEST(http_dates_are_read)
{
    static const char *const wrong[] = {"",
                                        "yesterday",
                                        "Fri, 31 Feb 2025 00:00:00 GMT",
                                        "Fri, 31 Apr 2025 00:00:00 GMT",
                                        "Sat, 29 Feb 2025 00:00:00 GMT",
                                        "Wed, 32 Jan 2025 00:00:00 GMT",
                                        "Wed, 01 Jan 2025 24:00:00 GMT",
                                        "Wed, 01 Jan 2025 00:00:00 UTC",
                                        "Wed, 01 Jan 2025 00:00:00 GMT, and more",
                                        "Monday, 31-Feb-25 00:00:00 GMT",
                                        "Mon Feb 31 00:00:00 2025"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (read_date(wrong[i]) != -1)
            FAIL("\"%s\" is a date", wrong[i]);
    CHECK_INT(read_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    CHECK_INT(read_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    CHECK_INT(read_date("Sun Nov  6 08:49:37 1994"), 784111777);
    CHECK_INT(read_date("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800);
}

// Two digits of a year: the one that is at most 50 years ahead (RFC 9110 §5.6.7).
TEST(http_dates_with_two_digits_of_a_year)
{
    time_t now = time(NULL);
    struct tm today;
    gmtime_r(&now, &today);
    for (int ahead = -49; ahead < 100; ahead++) {
        struct tm day = {.tm_year = today.tm_year + ahead, .tm_mon = 5, .tm_mday = 15};
        char text[60];
        time_t then = timegm(&day);
        snprintf(text, sizeof text, "Monday, 15-Jun-%02d 00:00:00 GMT", day.tm_year % 100);
        if (ahead == 50) // in June of that year: it depends on today
            continue;
        if (ahead > 50) {
            day.tm_year -= 100;
            then = timegm(&day);
        }
        if (then != -1 && read_date(text) != then)
            FAIL("%s is %ld, not %ld", text, (long)read_date(text), (long)then);
    }
}

TEST(http_reasons)
{
    CHECK(!strcmp(http_reason(404), "Not Found"));
    CHECK(!strcmp(http_reason(413), "Content Too Large"));
    CHECK(http_reason(299));
    CHECK(*http_reason(299)); // any text will do, but there is one
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
        {"HTTP/1.1 404\r\n", 1, 404}, // the space is missing: accepted all the same
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
        bool done;           // false: more may come, or only the end will tell
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

// A refusal says why, and so does one of content.
TEST(http_refusals_give_a_reason)
{
    static const struct {
        const char *bytes, *why;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "a Host field is missing", -400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "two Host fields", -400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "the Host field is no host", -400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "a colon right behind it", -400},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", "does not name HTTP/1.1", -400},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", "a line end without CR", -400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "only HTTP/1.1 and HTTP/1.0", -505},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "with single spaces", -400},
        {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "neither a path nor an http URI", -400},
        {"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "a connection without TLS", -421},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n", "an expectation", -417},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
         "two Content-Length fields", -400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "no number", -400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         "two ends", -400},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
         "a transfer coding that is not known", -501},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
         "does not end with chunked", -400},
    };
    static struct http_head head;
    struct http_body body = {.state = BODY_SIZE_LINE};
    struct http_text content;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(http_read_request(cases[i].bytes, strlen(cases[i].bytes), &head),
                  cases[i].status);
        CHECK_HAS(head.why, cases[i].why);
    }
    CHECK_INT(http_body_take(&body, "x\r\n", 3, &content), -400);
    CHECK_HAS(body.why, "no hexadecimal number");
}

// With TLS it is http that is out of place (RFC 9110 §7.4). The scheme's case does not matter.
TEST(http_targets_have_the_scheme_of_their_connection)
{
    static const char https[] = "GET HTTPS://a:443/b HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char http[] = "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char path[] = "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    static struct http_head head;
    CHECK_INT(http_read_secure_request(https, sizeof https - 1, &head), 1);
    CHECK(http_is(head.target, "/b"));
    CHECK(http_is(head.host, "a:443"));
    CHECK_INT(http_read_secure_request(http, sizeof http - 1, &head), -421);
    CHECK_INT(http_read_secure_request(path, sizeof path - 1, &head), 1);
    CHECK_INT(http_read_request(http, sizeof http - 1, &head), 1);
    CHECK_INT(http_read_request(https, sizeof https - 1, &head), -421);
}

// A Host field in a response means nothing, and neither does Expect.
TEST(http_responses_may_have_fields_of_requests)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\nExpect: x\r\n"
                                "Content-Length: 0\r\n\r\n";
    static const char coded[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n";
    static struct http_head head;
    CHECK_INT(http_read_response(bytes, sizeof bytes - 1, &head), 1);
    CHECK(!head.expects_continue);
    CHECK_INT(http_read_response(coded, sizeof coded - 1, &head), -501);
    CHECK_HAS(head.why, "not known");
}

TEST(http_fields_are_found)
{
    static const char bytes[] = "GET /a?b HTTP/1.1\r\nHost:  h:1 \r\nX-Empty:\r\nx-two: 1\r\n"
                                "X-TWO: 2\r\nConnection: Keep-Alive , CLOSE\r\n\r\nbehind";
    static struct http_head head;
    CHECK_INT(http_read_request(bytes, sizeof bytes - 1, &head), 1);
    CHECK_INT((long)head.length, (long)(sizeof bytes - 1 - strlen("behind")));
    CHECK(http_is(head.method, "GET"));
    CHECK(http_is(head.target, "/a?b"));
    CHECK_INT(head.minor, 1);
    CHECK(http_is(head.host, "h:1"));
    CHECK(!head.keep_alive);
    CHECK_INT(head.content_length, -1);
    CHECK(http_is(http_field(&head, "x-two"), "1")); // the first one
    CHECK(http_field(&head, "x-empty").at);
    CHECK(!http_field(&head, "x-empty").length);
    CHECK(!http_field(&head, "x-none").at);
    CHECK(!http_is(head.method, "get"));
    CHECK(http_is_token(head.method, "get"));
    CHECK(!http_is(head.method, "GE"));
    CHECK(!http_is(head.method, "GETT"));
}

// ---- pseudo-header fields ------------------------------------------------------------------

TEST(http_pseudo_header_fields_name_a_target)
{
    static const struct {
        const char *method, *path, *authority, *host, *why;
    } all[] = {
        {"GET", "/", "example.org:8003", NULL, NULL},
        {"GET", "/a?b", NULL, "[::1]", NULL},
        {"GET", "/", "example.org", "EXAMPLE.ORG", NULL},
        {"OPTIONS", "*", "a", NULL, NULL},
        {"GET", "*", "a", NULL, "a path that does not begin with a slash"},
        {"GET", "a", "a", NULL, "a path that does not begin with a slash"},
        {"GET", "", "a", NULL, "no path"},
        {"GET", NULL, "a", NULL, "no path"},
        {"GET", "/", NULL, NULL, "no authority and no host"},
        {"GET", "/", "", NULL, "an authority that is no host and port"},
        {"GET", "/", "a", "", "an authority that is no host and port"},
        {"GET", "/", "user@example.org", NULL, "an authority that is no host and port"},
        {"GET", "/", "[zz]", NULL, "an authority that is no host and port"},
        {"GET", "/", "a:8O", NULL, "an authority that is no host and port"},
        {"GET", "/", "a", "b", "a host field that is not the authority"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *why = http_check_target(text_of(all[i].method), text_of(all[i].path),
                                            text_of(all[i].authority), text_of(all[i].host));
        if ((why != NULL) != (all[i].why != NULL) || (why && strcmp(why, all[i].why)))
            FAIL("%zu: expected \"%s\", got \"%s\"", i, all[i].why ? all[i].why : "good",
                 why ? why : "good");
    }
    struct http_text kept = {NULL, 0};
    CHECK(!http_take_pseudo(&kept, text_of("/")));
    CHECK_TEXT(http_take_pseudo(&kept, text_of("/")),
               "a pseudo-header field that is there twice");
    kept.at = NULL;
    CHECK_TEXT(http_take_pseudo(&kept, text_of("/\xc3\xa9")),
               "a pseudo-header field with an impossible character");
}

TEST(http_methods_that_change_nothing_come_first)
{
    CHECK_INT(http_method(text_of("GET")), HTTP_GET);
    CHECK_INT(http_method(text_of("OPTIONS")), HTTP_OPTIONS);
    CHECK_INT(http_method(text_of("DELETE")), HTTP_DELETE);
    CHECK(http_method(text_of("POST")) > HTTP_OPTIONS);
    CHECK_INT(http_method(text_of("get")), HTTP_OTHER_METHOD);
    CHECK_INT(http_method(text_of("CONNECT")), HTTP_OTHER_METHOD);
    CHECK_INT(http_method(text_of("")), HTTP_OTHER_METHOD);
}

#endif
