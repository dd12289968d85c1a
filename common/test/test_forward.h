// test_forward.h: what a proxy passes on, and what it adds. A part of test.c.
#include "forward.h"

#define OURS  "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nVia: 1.1 proxy\r\n"
#define START "GET / HTTP/1.1\r\nHost: a\r\n"

static const struct forward_proxy https_proxy = {"proxy", true};
static char forwarded[100000];

static struct forward new_forward(void)
{
    return (struct forward){.by = &https_proxy, .client = "9.9.9.9"};
}

// Gives bytes in two pieces, cut anywhere; what comes out is in forwarded[]. Returns how many
// bytes were used.
static size_t forward_in_pieces(struct forward *forward, bool answers, const char *bytes,
                                size_t cut)
{
    size_t length = strlen(bytes);
    struct http_out out = {forwarded, sizeof forwarded - 1, 0, false};
    size_t (*take)(struct forward *, const char *, size_t, struct http_out *) =
        answers ? forward_answers : forward_requests;
    size_t used = take(forward, bytes, cut, &out);
    used += take(forward, bytes + used, length - used, &out);
    forwarded[out.length] = '\0';
    CHECK(!out.overflow);
    return used;
}

// The head of a request with these fields, as the upstream sees it.
TEST(fields_that_pass_and_fields_that_do_not)
{
    static const struct {
        const char *fields, *passed;
    } cases[] = {
        {"", ""},
        {"X-A: 1\r\nx-b:2\r\n", "X-A: 1\r\nx-b: 2\r\n"},
        {"Cookie: a_b=c\r\nX_Custom: 1\r\n", "Cookie: a_b=c\r\nX_Custom: 1\r\n"},
        // Of one connection (RFC 9110 §7.6.1).
        {"Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\n", ""},
        {"Proxy-Connection: keep-alive\r\nHTTP2-Settings: AAA\r\n", ""},
        {"Connection: X-A\r\nX-A: 1\r\nX-AB: 2\r\n", "X-AB: 2\r\n"},
        {"X-A: 1\r\nX-B: 2\r\nConnection: x-a, keep-alive ,X-B\r\n", ""},
        {"Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\nConnection: X-B\r\n", ""}, // in two lines
        {"Connection: Content-Length\r\nContent-Length: 0\r\n", "Content-Length: 0\r\n"},
        {"Connection: Host\r\n", ""},
        // Of proxies, however it is spelled.
        {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: http\r\nForwarded: for=6\r\n", ""},
        {"X_Forwarded_For: 6\r\nx-forwarded_proto: 6\r\nX.Forwarded.Host: 6\r\n", ""},
        {"X-Forwarded-Host: 6\r\nX-Forwarded-Port: 6\r\nX-Forwarded-Prefix: 6\r\n", ""},
        {"X-Forwarded-Server: 6\r\nX-Forwarded-Ssl: 6\r\nX-Forwarded: 6\r\n", ""},
        {"X-Real-IP: 6\r\nX-Real_Ip: 6\r\nTrue-Client-IP: 6\r\nClient_IP: 6\r\n", ""},
        {"CF-Connecting-IP: 6\r\nX-Original-URL: /admin\r\nX-Rewrite-Url: /admin\r\n", ""},
        {"X-Client-IP: 6\r\nFastly-Client-IP: 6\r\nFront-End-Https: on\r\n", ""},
        {"X-Realty: 1\r\nX-Forward: 1\r\n", "X-Realty: 1\r\nX-Forward: 1\r\n"},
        // The proxies before this one (RFC 9110 §7.6.3).
        {"Via: 1.0 other\r\n", "Via: 1.0 other\r\n"},
        {"Max-Forwards: 3\r\n", "Max-Forwards: 3\r\n"}, // of OPTIONS and TRACE only
        {"Expect: 100-continue\r\n", "Expect: 100-continue\r\n"}};
    char request[1000], expected[1000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward forward = new_forward();
        snprintf(request, sizeof request, START "%s\r\n", cases[i].fields);
        snprintf(expected, sizeof expected, START "%s" OURS "\r\n", cases[i].passed);
        CHECK_INT((long)forward_in_pieces(&forward, false, request, 0), (long)strlen(request));
        CHECK(!strcmp(forwarded, expected) || FAIL("%s became\n%s", request, forwarded));
        CHECK(!forward.refused);
        CHECK_INT(forward.requests, 1);
        CHECK_INT(forward.waiting, 1);
    }
}

TEST(requests_are_rewritten_in_any_pieces)
{
    static const char requests[] =
        "POST /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;e=f\r\nabc\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\nX-B: 2\r\n\r\n"
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nmax-forwards: 2\r\n\r\n"
        "PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"
        "GET /b?q HTTP/1.0\r\nHost: y:8\r\nExpect: 100-continue\r\n\r\n";
    static const char rewritten[] =
        "POST /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n" OURS "\r\n"
        "3;e=f\r\nabc\r\n0\r\n\r\n" // without the trailer
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nMax-Forwards: 1\r\n" OURS "\r\n"
        "PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" OURS "\r\nok"
        "GET /b?q HTTP/1.1\r\nHost: y:8\r\n"
        "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nVia: 1.0 proxy\r\n"
        "Connection: close\r\n\r\n";
    char all[2000];
    snprintf(all, sizeof all, "%sGET /no-more HTTP/1.1\r\n", requests);
    for (size_t cut = 0; cut < sizeof requests; cut++) {
        struct forward forward = new_forward();
        CHECK_INT((long)forward_in_pieces(&forward, false, all, cut), sizeof requests - 1);
        CHECK(!strcmp(forwarded, rewritten) || FAIL("cut at %zu:\n%s", cut, forwarded));
        CHECK(forward.last);
        CHECK(!forward.refused);
        CHECK_INT(forward.requests, 4);
        CHECK_INT(forward.waiting, 4);
    }
}

// The whole URI as a target: what is in it counts, not the Host field (RFC 9112 §3.2.2).
TEST(a_target_with_a_host_in_it)
{
    static const struct forward_proxy http_proxy = {"proxy", false};
    struct forward forward = {.by = &http_proxy, .client = "9.9.9.9"};
    forward_in_pieces(&forward, false, "GET http://y:8/b?q HTTP/1.1\r\nHost: x\r\n\r\n", 0);
    CHECK_HAS(forwarded, "GET /b?q HTTP/1.1\r\nHost: y:8\r\nX-Forwarded-For: 9.9.9.9\r\n"
                         "X-Forwarded-Proto: http\r\n");
}

// Behind TLS an https URI is the right one, and an http URI is not (RFC 9110 §7.4).
TEST(a_target_with_a_scheme)
{
    static const struct forward_proxy tls_proxy = {"proxy", true};
    struct forward forward = {.by = &tls_proxy, .client = "9.9.9.9"};
    forward_in_pieces(&forward, false, "GET https://y/b HTTP/1.1\r\nHost: x\r\n\r\n", 0);
    CHECK_HAS(forwarded, "GET /b HTTP/1.1\r\nHost: y\r\n");
    forward = (struct forward){.by = &tls_proxy, .client = "9.9.9.9"};
    forward_in_pieces(&forward, false, "GET http://y/b HTTP/1.1\r\nHost: x\r\n\r\n", 0);
    CHECK_INT(forward.refused, 421);
}

TEST(requests_that_do_not_pass)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", 204},
        {"TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For : 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n",
         400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward forward = new_forward();
        forward_in_pieces(&forward, false, cases[i].request, 0);
        CHECK_INT(forward.refused, cases[i].status);
        CHECK_INT((long)forward_in_pieces(&forward, false, START "\r\n", 0), 0);
    }
}

TEST(without_room_nothing_passes)
{
    struct forward forward = new_forward();
    struct http_out out = {forwarded, FORWARD_HEAD_BYTES - 1, 0, false};
    CHECK_INT((long)forward_requests(&forward, START "\r\n", strlen(START) + 2, &out), 0);
    out.size = sizeof forwarded;
    for (int i = 0; i < FORWARD_WAITING + 5; i++) // more than may wait for their answers
        forward_requests(&forward, START "\r\n", strlen(START) + 2, &out);
    CHECK_INT(forward.requests, FORWARD_WAITING);
}

// Begins with one request of each kind that waits for its answer.
static struct forward ask_first(const char *requests)
{
    struct forward forward = new_forward();
    forward_in_pieces(&forward, false, requests, 0);
    return forward;
}

TEST(answers_are_rewritten_in_any_pieces)
{
    static const char requests[] = START "\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n" START
                                         "\r\n" START "Connection: close\r\n\r\n";
    static const char answers[] =
        "HTTP/1.1 100 Continue\r\nLink: x\r\nConnection: y\r\ny: 1\r\n\r\n"
        "HTTP/1.1 200 Fine\r\nX-A: 1\r\nConnection: X-A\r\nConnection: X-B\r\nX-B: 2\r\n"
        "Keep-Alive: timeout=5\r\nContent-Length: 2\r\nX-Forwarded-For: 1\r\n\r\nok"
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" // to HEAD
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX: "
        "1\r\n\r\n"
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
    static const char rewritten[] =
        "HTTP/1.1 100 Continue\r\nLink: x\r\nVia: 1.1 proxy\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Forwarded-For: 1\r\nVia: 1.1 proxy\r\n\r\nok"
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nVia: 1.1 proxy\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nVia: 1.1 proxy\r\n\r\n"
        "2\r\nno\r\n0\r\n\r\n"
        "HTTP/1.1 204 No Content\r\nVia: 1.1 proxy\r\nConnection: close\r\n\r\n";
    for (size_t cut = 0; cut < sizeof answers; cut++) {
        struct forward forward = ask_first(requests);
        CHECK_INT(forward.waiting, 4);
        CHECK_INT((long)forward_in_pieces(&forward, true, answers, cut), sizeof answers - 1);
        CHECK(!strcmp(forwarded, rewritten) || FAIL("cut at %zu:\n%s", cut, forwarded));
        CHECK(!forward.bad_answer);
        CHECK(forward.answers_end);
        CHECK(forward_is_complete(&forward));
        CHECK_INT(forward.waiting, 0);
        CHECK_INT(forward.status, 204);
    }
}

// HTTP/1.0 knows no chunks and no interim answers.
TEST(answers_for_a_client_of_1_0)
{
    struct forward forward = ask_first("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK_HAS(forwarded, "GET / HTTP/1.1\r\nHost: \r\n");
    forward_in_pieces(&forward, true,
                      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                      0);
    CHECK(
        !strcmp(forwarded, "HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nConnection: close\r\n\r\nok"));
    CHECK(forward.answers_end);
    forward = ask_first("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    forward_in_pieces(&forward, true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0);
    CHECK_HAS(forwarded, "\r\nConnection: keep-alive\r\n\r\nok");
    CHECK(!forward.answers_end);
}

TEST(answers_that_are_cut_or_wrong)
{
    static const struct {
        const char *answer;
        bool bad, complete; // when the upstream closes behind it
    } cases[] = {
        {"", false, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf", false, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf", false, false},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", false, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz", true, false},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", true, false},
        {"nonsense\r\n\r\n", true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true,
         true}}; // the second answer has no request
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward forward = ask_first(START "\r\n");
        forward_in_pieces(&forward, true, cases[i].answer, 0);
        CHECK_INT(forward.bad_answer, cases[i].bad);
        CHECK_INT(forward_is_complete(&forward), cases[i].complete);
    }
}
