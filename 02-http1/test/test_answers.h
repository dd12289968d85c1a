// test_answers.h: what the answers to good requests say, and what refusals say.
#ifndef TEST_ANSWERS_H
#define TEST_ANSWERS_H

#include "test_requests.h"
#include "test_talk.h"

TEST(hosts_have_their_own_pages)
{
    pid_t pid;
    int port = serve(&pid);
    CHECK(is_answer(ask(port, GET HOST END), 200, "\r\n\r\nhello, world\n"));
    CHECK(is_answer(ask(port, GET "Host: cats.example\r\n\r\n"), 200, "\r\n\r\nmeow\n"));
    CHECK(is_answer(ask(port, GET "Host: DOGS.example:8002\r\n\r\n"), 200, "\r\n\r\nwoof\n"));
    // A host in the target comes first (RFC 9112 §3.2.2).
    CHECK(is_answer(ask(port, "GET http://dogs.example HTTP/1.1\r\nHost: cats.example\r\n\r\n"),
                    200, "\r\n\r\nwoof\n"));
    CHECK(is_answer(ask(port, "GET http://Cats.example:?a HTTP/1.0\r\n\r\n"), 200,
                    "\r\n\r\nmeow\n"));
    CHECK_INT(test_stop(pid), 0);
}

TEST(refusals_say_what_would_be_taken)
{
    pid_t pid;
    int port = serve(&pid);
    CHECK_HAS(ask(port, "PUT / HTTP/1.1\r\n" HOST END),
              "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n");
    CHECK_HAS(ask(port, "TRACE /img/1 HTTP/1.1\r\n" HOST END),
              "\r\nAllow: GET, HEAD, OPTIONS\r\n");
    CHECK_HAS(ask(port, "DELETE /files/a HTTP/1.1\r\n" HOST END),
              "\r\nAllow: GET, HEAD, PUT, PATCH, OPTIONS\r\n");
    CHECK_HAS(ask(port, "OPTIONS /slow HTTP/1.1\r\n" HOST END),
              "\r\nAllow: GET, HEAD, OPTIONS\r\n");
    CHECK_HAS(ask(port, "OPTIONS * HTTP/1.1\r\n" HOST END),
              "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    CHECK(!strstr(ask(port, "OPTIONS /nothing HTTP/1.1\r\n" HOST END), "Allow"));
    CHECK_INT(test_stop(pid), 0);
}

// An error says in half a sentence what is wrong.
TEST(errors_give_their_reason)
{
    static const struct {
        const char *request, *content;
        int status;
    } cases[] = {
        {GET END, "Bad Request: a Host field is missing\n", 400},
        {GET HOST HOST END, "Bad Request: two Host fields\n", 400},
        {POST LENGTH "1\r\n" LENGTH "1\r\n\r\nx", "two Content-Length fields\n", 400},
        {POST CODING "chunked\r\n" LENGTH "1\r\n\r\n" LAST, "two ends\n", 400},
        {CHUNKS "x\r\n", "a chunk's size is no hexadecimal number\n", 400},
        {"GET https://h/ HTTP/1.1\r\n" HOST END,
         "Misdirected Request: an https URI on a connection without TLS\n", 421},
        {"GET / HTTP/2.0\r\n" HOST END, "only HTTP/1.1 and HTTP/1.0 are spoken here\n", 505},
        {POST "Expect: x\r\n" END, "an expectation that is not known here\n", 417},
        {"BREW / HTTP/1.1\r\n" HOST END, "no path here has this method\n", 501},
        {"PUT / HTTP/1.1\r\n" HOST END, "Allow lists what this path takes\n", 405},
        {"OPTIONS /nothing HTTP/1.1\r\n" HOST END, "there is nothing at this path\n", 404},
        {"GET /img/1?size=x HTTP/1.1\r\n" HOST END, "size is a number up to 67108864\n", 400},
        {POST LENGTH "1048577\r\n\r\n", "at most 1048576 bytes of content are taken here\n",
         413},
    };
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!is_answer(ask(port, "%s", cases[i].request), cases[i].status, cases[i].content))
            FAIL("expected %d %sgot %s", cases[i].status, cases[i].content, answers);
    CHECK_INT(test_stop(pid), 0);
}

// HEAD gets the same head as GET (RFC 9110 §9.3.2), and no content, also if the answer is an
// error.
TEST(head_is_get_without_content)
{
    static const char *const targets[] = {"/",         "/img/3?size=300000", "/stream?n=2&ms=1",
                                          "/cached",   "/nothing",           "/img/1?size=x",
                                          "/slow?ms=1"};
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char *head = strdup(ask(port, "HEAD %s HTTP/1.1\r\n" HOST END, targets[i]));
        char *get = ask(port, "GET %s HTTP/1.1\r\n" HOST END, targets[i]);
        mask_dates(head, strlen(head));
        mask_dates(get, strlen(get));
        CHECK(strlen(head) > 50 && !strncmp(head, get, strlen(head)));
        CHECK(!strcmp(head + strlen(head) - 4, "\r\n\r\n"));
        free(head);
    }
    CHECK(is_answer(ask(port, "HEAD / HTTP/1.1\r\n\r\n"), 400, "\r\n\r\n"));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_client_that_has_the_image_does_not_get_it_again)
{
    static const struct {
        const char *fields;
        int status;
    } cases[] = {
        {"", 200},
        {"If-None-Match: \"workbench-1\"\r\n", 304},
        {"If-None-Match: W/\"workbench-1\"\r\n", 304},
        {"If-None-Match: \"a\", \"workbench-1\" , \"b\"\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"workbench-2\"\r\n", 200},
        {"If-None-Match: workbench-1\r\n", 200},
        {"If-None-Match:\r\n", 200},
        {"If-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n", 304},
        {"If-Modified-Since: Thu, 02 Jan 2025 00:00:00 GMT\r\n", 304},
        {"If-Modified-Since: Tue, 31 Dec 2024 23:59:59 GMT\r\n", 200},
        {"If-Modified-Since: Wednesday, 01-Jan-25 00:00:00 GMT\r\n", 304},
        {"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 200},
        {"If-Modified-Since: Wed Jan  1 00:00:00 2025\r\n", 304},
        {"If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 200},
        {"If-Modified-Since: yesterday\r\n", 200},
        {"If-Modified-Since:\r\n", 200},
        {"If-Modified-Since: Thu, 02 Jan 2025 00:00:00 GMT, and more\r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n", 200},
        {"If-Match: \"workbench-1\"\r\n", 200},
        {"If-Match: *\r\n", 200},
        {"If-Match: \"workbench-2\"\r\n", 412},
        // If-Match does not accept a weak tag, If-None-Match does (RFC 9110 §13.1).
        {"If-Match: W/\"workbench-1\"\r\n", 412},
        {"If-Match: W/\"workbench-1\", \"workbench-1\"\r\n", 200},
        {"If-Match: workbench-1\r\n", 412},
        {"If-Match:\r\n", 412},
        // Lists in several lines (RFC 9110 §5.3), tags with commas and backslashes in them.
        {"If-Match: \"a\"\r\nX: y\r\nif-match: \"workbench-1\"\r\n", 200},
        {"If-Match: \"a\"\r\nIf-Match: \"b\"\r\n", 412},
        {"If-None-Match: \"a\"\r\nIf-None-Match: W/\"workbench-1\"\r\n", 304},
        {"If-None-Match: \"a\"\r\nIf-None-Match: *\r\n", 304},
        {"If-None-Match: \"a, \", \"workbench-1\"\r\n", 304},
        {"If-None-Match: \"a\\\", \"workbench-1\"\r\n", 304},
        {"If-None-Match: , ,\t\"workbench-1\"\r\n", 304},
        {"If-None-Match: \"workbench-1\r\n", 200},
        {"If-None-Match: \"a, \"workbench-1\", b\"\r\n", 200},
        {"If-None-Match: w/\"workbench-1\"\r\n", 200},
        // Two dates, or a text that is no date, do not count (RFC 9110 §13.1.3).
        {"If-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n"
         "If-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n",
         200},
        {"If-Unmodified-Since: Tue, 31 Dec 2024 23:59:59 GMT\r\n"
         "If-Unmodified-Since: Tue, 31 Dec 2024 23:59:59 GMT\r\n",
         200},
        {"If-Modified-Since: Mon, 31 Feb 2028 00:00:00 GMT\r\n", 200},
        {"If-Modified-Since: Tuesday, 01-Jan-80 00:00:00 GMT\r\n", 200}, // 1980: not 2080
        {"If-Match: \"workbench-1\"\r\nIf-None-Match: *\r\n", 304},
        {"If-Unmodified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n", 200},
        {"If-Unmodified-Since: Tue, 31 Dec 2024 23:59:59 GMT\r\n", 412},
        {"If-Unmodified-Since: yesterday\r\n", 200},
    };
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = ask(port, "GET /cached HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
        const char *end = "";
        if (cases[i].status == 304)
            end = "\r\n\r\n"; // no content
        if (!is_answer(text, cases[i].status, end))
            FAIL("%sexpected %d, got %.15s", cases[i].fields, cases[i].status, text);
        CHECK_HAS(text, "\r\nETag: \"workbench-1\"\r\n");
        CHECK_HAS(text, "\r\nCache-Control: max-age=60\r\n");
    }
    CHECK_INT(test_stop(pid), 0);
}

#endif
