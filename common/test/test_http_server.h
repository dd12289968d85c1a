// test_http_server.h: tests of http_server: requests in one piece, in all pairs of pieces, and
// byte by byte, with the same outcome.
#ifndef TEST_HTTP_SERVER_H
#define TEST_HTTP_SERVER_H

#include <stdlib.h>

#include "http_server.h"
#include "test.h"

#define SERVED_BYTES 16384

// What came out, as text: each request as "METHOD path?query [content]", each refusal as its
// status, "100" where the client is told to go on, "close" where nothing may follow.
struct served {
    char text[SERVED_BYTES];
    size_t length;
};

static void served_add(struct served *served, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void served_add(struct served *served, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    served->length += (size_t)vsnprintf(served->text + served->length,
                                        SERVED_BYTES - served->length, format, arguments);
    va_end(arguments);
}

static void served_say(struct served *served, const struct http_server *http,
                       const struct http_request *request)
{
    if (request->status == HTTP_MORE)
        return;
    if (request->status == HTTP_WHOLE)
        served_add(served, "%.*s %.*s?%.*s [%.*s]", (int)request->head.method.length,
                   request->head.method.at, (int)request->path.length, request->path.at,
                   (int)request->query.length, request->query.at, (int)request->content.length,
                   request->content.at);
    else
        served_add(served, "%d", request->status);
    if (!http->keep_alive)
        served_add(served, " close");
    served_add(served, "; ");
}

// As a loop does it: what is not used is offered again, with more behind it. The bytes come in
// pieces that end at `cut`, or one by one where it is 0. `check` may be NULL.
static void serve_text(struct served *served, const char *text, size_t cut,
                       int (*check)(void *, const struct http_head *))
{
    struct http_server http = {.content_max = 10, .check = check};
    struct http_request request;
    size_t length = strlen(text), at = 0, here = 0;
    bool closed = false;
    served->length = 0;
    served->text[0] = '\0';
    while (here < length && !closed) {
        size_t piece = 1;
        if (cut && here < cut)
            piece = cut;
        else if (cut)
            piece = length - here;
        here += piece;
        for (size_t used = 1; used && at < here && !closed;) {
            char out_bytes[1000];
            struct http_out out = {out_bytes, sizeof out_bytes, 0, false};
            char *copy = malloc(here - at); // a sanitizer sees what is read behind it
            memcpy(copy, text + at, here - at);
            used = http_server_take(&http, copy, here - at, &request, &out);
            if (out.length)
                served_add(served, "%.*s; ", 3, out_bytes + 9);
            served_say(served, &http, &request);
            closed = request.status != HTTP_MORE && !http.keep_alive;
            if (request.status != HTTP_MORE)
                http_server_done(&http);
            free(copy);
            at += used;
        }
    }
    if (http.began)
        served_add(served, "more");
    http_server_done(&http);
}

static int refuse_teapots(void *context, const struct http_head *head)
{
    (void)context;
    if (http_is(head->target, "/teapot"))
        return 418;
    return 0;
}

#define POST_HEAD "POST /p HTTP/1.1\r\nHost: h\r\n"

static const struct {
    const char *text, *outcome;
    bool hundred; // "100" depends on whether the content has come with the head
} server_cases[] = {
    {"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b=c []; ", false},
    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /? [] close; ", false},
    {"GET / HTTP/1.0\r\n\r\n", "GET /? [] close; ", false},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /? []; ", false},
    {"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /1? []; GET /2? []; ", false},
    {"\r\n\r\n", "", false},         // idle, not the beginning of a request (RFC 9112 §2.2)
    {"\r\nGET / HT", "more", false}, // but this is one
    {"GET / HTTP/1.1\r\n\r\n", "400 close; ", false},
    {POST_HEAD "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: h\r\n\r\n",
     "POST /p? [hello]; GET /? []; ", false},
    {POST_HEAD "Content-Length: 10\r\n\r\n0123456789", "POST /p? [0123456789]; ", false},
    {POST_HEAD "Content-Length: 11\r\n\r\n", "413 close; ", false},
    {POST_HEAD "Content-Length: 0\r\n\r\n", "POST /p? []; ", false},
    {POST_HEAD "Content-Length: 5\r\n\r\nhel", "more", false},
    {POST_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: u\r\n\r\n"
               "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
     "POST /p? [hello]; GET /? []; ", false},
    {POST_HEAD "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n",
     "413 close; ", false},
    {POST_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n", "400 close; ", false},
    {POST_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "400 close; ",
     false},
    {"GET /teapot HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
     "418; GET /? []; ", false},
    {"POST /teapot HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "418 close; ", false},
    {POST_HEAD "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", "POST /p? [abc]; ",
     true},
};

TEST(requests_in_any_two_pieces)
{
    static struct served served;
    for (size_t i = 0; i < sizeof server_cases / sizeof *server_cases; i++) {
        const char *text = server_cases[i].text, *outcome = server_cases[i].outcome;
        for (size_t cut = 0; cut <= strlen(text); cut++) {
            serve_text(&served, text, cut, refuse_teapots);
            const char *got = served.text;
            if (server_cases[i].hundred && !strncmp(got, "100; ", 5))
                got += 5;
            if (strcmp(got, outcome))
                FAIL("case %zu, cut at %zu: expected \"%s\", got \"%s\"", i, cut, outcome, got);
        }
    }
}

// A client that waits is told to go on, once, and one that does not wait is not.
TEST(a_client_that_waits_is_told_to_continue)
{
    static struct served served;
    const char *text = POST_HEAD "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc";
    serve_text(&served, text, strlen(text) - 3, NULL);
    CHECK_HAS(served.text, "100; POST /p? [abc]; ");
    serve_text(&served, text, strlen(text), NULL);
    CHECK(!strncmp(served.text, "POST", 4));
}

// 150 bytes of content in chunks with long extensions: a limit of their own ends them.
TEST(chunks_that_are_mostly_framing_are_refused)
{
    static char text[40000], extension[201];
    struct http_server http = {.content_max = 1000};
    struct http_request request;
    struct http_out out = {NULL, 0, 0, false};
    memset(extension, 'x', 200);
    size_t length = (size_t)sprintf(text, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 150; i++)
        length += (size_t)sprintf(text + length, "1;%s\r\na\r\n", extension);
    length += (size_t)sprintf(text + length, "0\r\n\r\n");
    CHECK_INT((long)http_server_take(&http, text, length, &request, &out), (long)length);
    CHECK_INT(request.status, 413);
    http_server_done(&http);
    http = (struct http_server){.content_max = 1000};
    length = (size_t)sprintf(text, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1000;
         i++) // the least that content byte by byte can cost: it is allowed
        length += (size_t)sprintf(text + length, "1\r\na\r\n");
    length += (size_t)sprintf(text + length, "0\r\n\r\n");
    CHECK_INT((long)http_server_take(&http, text, length, &request, &out), (long)length);
    CHECK_INT(request.status, HTTP_WHOLE);
    CHECK_INT((long)request.content.length, 1000);
    http_server_done(&http);
}

static const char *answer_to(const char *text, int status, const char *content)
{
    static char bytes[2000];
    struct http_server http = {.content_max = 10};
    struct http_request request;
    struct http_out out = {bytes, sizeof bytes - 1, 0, false};
    http_server_take(&http, text, strlen(text), &request, &out);
    out.length = 0;
    if (status < 400)
        http_server_answer(&http, &out, status, "text/plain", "X-Y: z\r\n",
                           (struct http_text){content, strlen(content)});
    else
        http_server_refuse(&http, &out, status, "", content);
    http_server_done(&http);
    bytes[out.length] = '\0';
    return bytes;
}

static const char *content_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "(no head)";
}

TEST(answers_say_what_the_client_has_to_know)
{
    const char *answer = answer_to("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "hello");
    CHECK_HAS(answer, "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(answer, "\r\nContent-Length: 5\r\n");
    CHECK_HAS(answer, "\r\nX-Y: z\r\n");
    CHECK(!strstr(answer, "Connection:"));
    CHECK(!strcmp(content_of(answer), "hello"));
    answer = answer_to("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "hello");
    CHECK_HAS(answer, "\r\nContent-Length: 5\r\n");
    CHECK(!strcmp(content_of(answer), ""));
    answer = answer_to("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 204, "");
    CHECK(!strstr(answer, "Content-Length"));
    answer = answer_to("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "hello");
    CHECK_HAS(answer, "\r\nConnection: keep-alive\r\n");
    answer = answer_to("GET / HTTP/1.0\r\n\r\n", 200, "hello");
    CHECK_HAS(answer, "\r\nConnection: close\r\n");
    answer = answer_to("GET / HTTP/1.1\r\n\r\n", 400, "a Host field is missing");
    CHECK_HAS(answer, "\r\nConnection: close\r\n");
    CHECK(!strcmp(content_of(answer), "400 Bad Request: a Host field is missing\n"));
}

#endif
