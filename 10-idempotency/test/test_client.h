// test_client.h: tests of the client's parts: back-off, breaker, calls, operations; in
// test_names.h: names, and the index that they are kept in.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <pthread.h>

#include "breaker.h"
#include "call.h"
#include "net.h"
#include "operation.h"
#include "retry.h"
#include "test.h"
#include "test_names.h"

// ---- retries -------------------------------------------------------------------------------

TEST(what_may_be_tried_again)
{
    static const struct {
        enum call_outcome outcome;
        int status;
        bool bare, repeatable; // without a key, and with one
    } cases[] = {
        {CALL_REFUSED, 0, true, true},      {CALL_LOST, 0, false, true},
        {CALL_TIMEOUT, 0, false, true},     {CALL_GARBLED, 0, false, false},
        {CALL_ANSWERED, 200, false, false}, {CALL_ANSWERED, 201, false, false},
        {CALL_ANSWERED, 400, false, false}, {CALL_ANSWERED, 404, false, false},
        {CALL_ANSWERED, 409, false, true},  {CALL_ANSWERED, 422, false, false},
        {CALL_ANSWERED, 429, true, true},   {CALL_ANSWERED, 500, false, true},
        {CALL_ANSWERED, 501, false, false}, {CALL_ANSWERED, 502, false, true},
        {CALL_ANSWERED, 503, true, true},   {CALL_ANSWERED, 504, false, true},
        {CALL_ANSWERED, 505, false, false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        if (retry_may(cases[i].outcome, cases[i].status, false) != cases[i].bare ||
            retry_may(cases[i].outcome, cases[i].status, true) != cases[i].repeatable)
            FAIL("outcome %d, status %d", cases[i].outcome, cases[i].status);
    CHECK(retry_is_repeatable("GET", NULL));
    CHECK(retry_is_repeatable("PUT", NULL));
    CHECK(retry_is_repeatable("DELETE", NULL));
    CHECK(retry_is_repeatable("HEAD", NULL));
    CHECK(!retry_is_repeatable("POST", NULL));
    CHECK(!retry_is_repeatable("PATCH", NULL));
    CHECK(retry_is_repeatable("POST", "k"));
    CHECK(retry_is_repeatable("PATCH", "k"));
}

TEST(back_off_doubles_up_to_its_cap)
{
    static const int64_t expected[] = {100, 200, 400, 800, 1000, 1000};
    struct retry_policy policy = {100, 100, 1000, 60000, false};
    for (int i = 0; i < (int)LENGTH_OF(expected); i++) {
        CHECK_INT(retry_backoff_ms(&policy, i + 1), expected[i]);
        CHECK_INT(retry_wait_ms(&policy, i + 1, 0, RETRY_UNASKED, 12345), expected[i]);
    }
    CHECK_INT(retry_backoff_ms(&policy, 2000000000), 1000);
    policy.cap_ms = INT64_MAX / 2;
    CHECK(retry_backoff_ms(&policy, 2000000000) == INT64_MAX / 2);
    policy.base_ms = 0;
    CHECK_INT(retry_backoff_ms(&policy, 9), 0); // none: at once, again and again
}

TEST(back_off_with_full_jitter)
{
    struct retry_policy policy = {100, 100, 1000, 60000, true};
    uint64_t random = 1;
    for (int attempts = 1; attempts < 8; attempts++) {
        int64_t least = INT64_MAX, most = 0, sum = 0,
                full = retry_backoff_ms(&policy, attempts);
        for (int i = 0; i < 10000; i++) {
            int64_t ms = retry_wait_ms(&policy, attempts, 0, RETRY_UNASKED, random_of(&random));
            if (ms < least)
                least = ms;
            if (ms > most)
                most = ms;
            sum += ms;
        }
        CHECK_BETWEEN(least, 0, full / 50);
        CHECK_AT_MOST(most, full);
        CHECK_AT_LEAST(most, full - full / 50);
        CHECK_BETWEEN(sum / 10000, full * 45 / 100 + 1, full * 55 / 100 - 1);
    }
}

TEST(retries_end)
{
    struct retry_policy policy = {4, 100, 1000, 1000, false};
    CHECK_INT(retry_wait_ms(&policy, 3, 0, RETRY_UNASKED, 0), 400);
    CHECK_INT(retry_wait_ms(&policy, 4, 0, RETRY_UNASKED, 0), RETRY_GIVE_UP);
    CHECK_INT(retry_wait_ms(&policy, 1, 899, RETRY_UNASKED, 0), 100);
    CHECK_INT(retry_wait_ms(&policy, 1, 900, RETRY_UNASKED, 0), RETRY_GIVE_UP);
    CHECK_INT(retry_wait_ms(&policy, 1, 5000, RETRY_UNASKED, 0), RETRY_GIVE_UP);
    CHECK_INT(retry_wait_ms(&policy, 1, 0, 1000, 0), RETRY_GIVE_UP); // too late for us
}

TEST(a_server_is_not_asked_before_it_wants)
{
    struct retry_policy policy = {9, 100, 1000, 60000, false};
    CHECK_INT(retry_wait_ms(&policy, 1, 0, 3000, 0), 3000);
    CHECK_INT(retry_wait_ms(&policy, 4, 0, 200, 0), 800); // our own patience is longer
    CHECK_INT(retry_wait_ms(&policy, 1, 0, 0, 0), 100);
    policy.jitter = true; // on top: the others were told the same
    CHECK_INT(retry_wait_ms(&policy, 1, 0, 3000, 100), 3100);
    CHECK_INT(retry_wait_ms(&policy, 1, 0, 3000, 101), 3000);
}

TEST(retry_after_in_seconds_and_as_dates)
{
    static const struct {
        const char *value;
        int64_t ms; // from 1994-11-06 08:49:00
    } cases[] = {
        {"0", 0},
        {"1", 1000},
        {"120", 120000},
        {"99999999999999999999999", 86400000}, // a day at most
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 37000},
        {"Sun Nov  6 08:49:37 1994", 37000},
        {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
        {"Mon, 06 Nov 1995 08:49:37 GMT", 86400000},
        {"", RETRY_UNASKED},
        {"-1", RETRY_UNASKED},
        {"+1", RETRY_UNASKED},
        {"1.5", RETRY_UNASKED},
        {"1s", RETRY_UNASKED},
        {"soon", RETRY_UNASKED},
        {"Sun, 06 Nov 1994 08:49:37", RETRY_UNASKED},
        {"Sun, 06 Nov 1994 08:49:37 CET", RETRY_UNASKED},
        {"Sun, 06 Nov 1994 25:49:37 GMT", RETRY_UNASKED},
        {"Sun, 06 Nov 1994 08:49:37 GMT!", RETRY_UNASKED},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        if (retry_after_ms(cases[i].value, 784111740) != cases[i].ms)
            FAIL("%s: %ld", cases[i].value, (long)retry_after_ms(cases[i].value, 784111740));
}

// ---- the breaker ---------------------------------------------------------------------------

TEST(a_breaker_opens_probes_and_closes)
{
    // Opens when half of at least 4 calls in 1000 ms fail, for 500 ms; two probes close it.
    static const struct breaker_policy policy = {1000, 4, 50, 500, 2};
    static const struct {
        int64_t at_ms;
        char call; // g: a good one, b: a bad one, -: one that is refused
        enum breaker_state then;
    } steps[] = {
        {0, 'b', BREAKER_CLOSED},       {1, 'b', BREAKER_CLOSED},
        {2, 'b', BREAKER_CLOSED},       {2000, 'b', BREAKER_CLOSED}, // the others are forgotten
        {2001, 'g', BREAKER_CLOSED},    {2002, 'g', BREAKER_CLOSED},
        {2003, 'g', BREAKER_CLOSED},    {2004, 'b', BREAKER_CLOSED}, // 2 of 5
        {2005, 'b', BREAKER_OPEN},                                   // 3 of 6
        {2006, '-', BREAKER_OPEN},      {2504, '-', BREAKER_OPEN},
        {2505, 'b', BREAKER_OPEN}, // the probe
        {2506, '-', BREAKER_OPEN},      {3004, '-', BREAKER_OPEN},
        {3005, 'g', BREAKER_HALF_OPEN}, {3006, 'b', BREAKER_OPEN},
        {3007, '-', BREAKER_OPEN},      {3600, 'g', BREAKER_HALF_OPEN},
        {3601, 'g', BREAKER_CLOSED},    {3602, 'b', BREAKER_CLOSED}, // a fresh count
        {3603, 'b', BREAKER_CLOSED},    {3604, 'b', BREAKER_CLOSED},
        {3605, 'b', BREAKER_OPEN},
    };
    struct breaker breaker;
    breaker_begin(&breaker, &policy, 0);
    for (size_t i = 0; i < LENGTH_OF(steps); i++) {
        uint32_t ticket = breaker_ask(&breaker, steps[i].at_ms);
        CHECK_INT(ticket == BREAKER_REFUSED, steps[i].call == '-');
        if (ticket != BREAKER_REFUSED)
            breaker_tell(&breaker, ticket, steps[i].call == 'g', steps[i].at_ms);
        if (breaker.state != steps[i].then)
            FAIL("at %ld ms: %s", (long)steps[i].at_ms, breaker_state_name(breaker.state));
    }
}

TEST(one_probe_at_a_time)
{
    static const struct breaker_policy policy = {1000, 2, 50, 500, 1};
    struct breaker breaker;
    breaker_begin(&breaker, &policy, 0);
    uint32_t slow = breaker_ask(&breaker, 0), late = breaker_ask(&breaker, 0);
    breaker_tell(&breaker, breaker_ask(&breaker, 1), false, 1);
    breaker_tell(&breaker, breaker_ask(&breaker, 2), false, 2);
    CHECK_INT(breaker.state, BREAKER_OPEN);
    breaker_tell(&breaker, slow, true, 3); // began before it opened: says nothing now
    CHECK_INT(breaker.state, BREAKER_OPEN);
    uint32_t probe = breaker_ask(&breaker, 600);
    CHECK(probe != BREAKER_REFUSED);
    CHECK_INT(breaker.state, BREAKER_HALF_OPEN);
    CHECK_INT(breaker_ask(&breaker, 601), BREAKER_REFUSED); // while the first is under way
    breaker_tell(&breaker, late, false, 602);
    CHECK_INT(breaker.state, BREAKER_HALF_OPEN);
    CHECK_INT(breaker_ask(&breaker, 1099), BREAKER_REFUSED);
    CHECK(breaker_ask(&breaker, 1100) != BREAKER_REFUSED); // the first is given up
    breaker_tell(&breaker, probe, true, 1101);
    CHECK_INT(breaker.state, BREAKER_CLOSED);
}

// ---- calls ---------------------------------------------------------------------------------

// A server that answers each connection with the next of some texts, and then closes it. NULL
// ends them. It keeps the requests.
struct script {
    const char *const *answers;
    int listener, port;
    pthread_t thread;
    char requests[8][1000];
    int count;
};

static void *play_script(void *argument)
{
    struct script *script = argument;
    for (int i = 0; script->answers[i]; i++) {
        int fd = accept(script->listener, NULL, NULL);
        char *request = script->requests[i];
        for (size_t length = 0; length < 999 && !strchr(request, '}');) { // where it ends
            ssize_t got = read(fd, request + length, 999 - length);
            if (got <= 0)
                break;
            length += (size_t)got;
        }
        write_all(fd, script->answers[i], strlen(script->answers[i]));
        script->count++;
        close(fd);
    }
    close(script->listener);
    return NULL;
}

static void script_begin(struct script *script, const char *const *answers)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(script, 0, sizeof *script);
    script->answers = answers;
    script->listener = net_listen("127.0.0.1", 0, 10);
    getsockname(script->listener, (struct sockaddr *)&address, &length);
    script->port = ntohs(address.sin_port);
    CHECK(!pthread_create(&script->thread, NULL, play_script, script));
}

static const struct call_request a_charge = {"POST", "/charges", "the-key", "{}\n", 5000};

TEST(what_becomes_of_calls)
{
    static const char *const answers[] = {
        "HTTP/1.1 201 Created\r\nIdempotent-Replayed: true\r\nContent-Length: 22\r\n\r\n"
        "{\"id\":\"ch_1\", \"n\": 12}",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nto the end",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
        NULL};
    static const struct {
        enum call_outcome outcome;
        int status;
        const char *content;
    } expected[] = {
        {CALL_ANSWERED, 201, "{\"id\":\"ch_1\", \"n\": 12}"},
        {CALL_ANSWERED, 503, ""},
        {CALL_ANSWERED, 200, "abcde"},
        {CALL_ANSWERED, 200, "to the end"},
        {CALL_ANSWERED, 204, ""},
        {CALL_LOST, 0, "ab"},
        {CALL_LOST, 0, ""},
        {CALL_LOST, 0, ""},
    };
    struct script script;
    struct service service;
    static struct call call;
    char text[CALL_FIELD_BYTES];
    script_begin(&script, answers);
    service_at(&service, "127.0.0.1", script.port);
    for (size_t i = 0; i < LENGTH_OF(expected); i++) {
        call_make(&service, &a_charge, &call);
        if (call.outcome != expected[i].outcome || call.status != expected[i].status ||
            strcmp(call.content, expected[i].content))
            FAIL("%zu: %s '%s'", i, call_text(&call, text), call.content);
        CHECK_INT(call.replayed, i == 0);
        CHECK(!strcmp(call.retry_after, i == 1 ? "7" : ""));
        if (i == 0) {
            CHECK(!strcmp(call_member(&call, "id", text, sizeof text), "ch_1"));
            CHECK(!strcmp(call_member(&call, "n", text, sizeof text), "12"));
            CHECK(!strcmp(call_member(&call, "no", text, sizeof text), ""));
        }
    }
    pthread_join(script.thread, NULL);
    CHECK_HAS(script.requests[0], "POST /charges HTTP/1.1\r\nHost: ");
    CHECK_HAS(script.requests[0], "\r\nIdempotency-Key: \"the-key\"\r\n");
    CHECK_HAS(script.requests[0], "\r\nContent-Length: 3\r\n\r\n{}\n");
    call_make(&service, &a_charge, &call); // the script is over, and no server listens
    CHECK_INT(call.outcome, CALL_REFUSED);
}

TEST(calls_of_what_is_no_server)
{
    static char large[2 * CALL_BYTES];
    static const char *answers[] = {"SSH-2.0-OpenSSH_9.2\r\n", large,
                                    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", NULL};
    struct script script;
    struct service service;
    static struct call call;
    memset(large, 'x', sizeof large - 1);
    memcpy(large, "HTTP/1.1 200 OK\r\n\r\n", 19);
    script_begin(&script, answers);
    service_at(&service, "127.0.0.1", script.port);
    for (int i = 0; i < 3; i++) {
        call_make(&service, &a_charge, &call);
        CHECK_INT(call.outcome, CALL_GARBLED);
    }
    pthread_join(script.thread, NULL);
}

// A head that has no end: a byte now and then, until the client has gone.
static void *drip(void *argument)
{
    const int *listener = argument;
    int fd = accept(*listener, NULL, NULL);
    write_all(fd, "HTTP/1.1 200 OK\r\nX: ", 20);
    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
        sleep_ms(5);
    close(fd);
    return NULL;
}

// A server that takes the request and says nothing; and one that answers byte by byte.
TEST(calls_end_at_their_deadline)
{
    static struct call call;
    struct call_request hasty = a_charge;
    struct service service;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = net_listen("127.0.0.1", 0, 10);
    getsockname(listener, (struct sockaddr *)&address, &length);
    service_at(&service, "127.0.0.1", ntohs(address.sin_port));
    for (hasty.timeout_ms = 0; hasty.timeout_ms <= 100; hasty.timeout_ms += 50) {
        call_make(&service, &hasty, &call);
        CHECK_INT(call.outcome, CALL_TIMEOUT);
        CHECK(call.ended_ns - call.began_ns >= hasty.timeout_ms * INT64_C(1000000));
        CHECK(call.ended_ns - call.began_ns < 5 * INT64_C(1000000000));
    }
    close(listener);
    pthread_t thread;
    listener = net_listen("127.0.0.1", 0, 10);
    getsockname(listener, (struct sockaddr *)&address, &length);
    service_at(&service, "127.0.0.1", ntohs(address.sin_port));
    CHECK(!pthread_create(&thread, NULL, drip, &listener));
    call_make(&service, &hasty, &call); // 150 ms
    CHECK_INT(call.outcome, CALL_TIMEOUT);
    CHECK(call.ended_ns - call.began_ns < 5 * INT64_C(1000000000));
    pthread_join(thread, NULL);
    close(listener);
}

// ---- operations ----------------------------------------------------------------------------

TEST(an_operation_has_one_key)
{
    static const char *const answers[] = {
        "", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", NULL};
    static struct operation operation;
    struct script script;
    struct service service;
    script_begin(&script, answers);
    service_at(&service, "127.0.0.1", script.port);
    operation = (struct operation){
        .service = &service, .request = a_charge, .policy = {9, 10, 10, 20000, true}};
    CHECK(operation_run(&operation));
    CHECK_INT(operation.attempts, 4);
    CHECK_INT(operation.last.status, 201);
    pthread_join(script.thread, NULL);
    for (int i = 0; i < 4; i++)
        CHECK_HAS(script.requests[i], "\r\nIdempotency-Key: \"the-key\"\r\n");
}

TEST(an_operation_without_a_key_is_not_repeated)
{
    static const char *const answers[] = {"", NULL};
    static struct operation operation;
    struct script script;
    struct service service;
    script_begin(&script, answers);
    service_at(&service, "127.0.0.1", script.port);
    operation = (struct operation){
        .service = &service, .request = a_charge, .policy = {9, 10, 10, 20000, true}};
    operation.request.key = NULL;
    CHECK(!operation_run(&operation));
    CHECK_INT(operation.attempts, 1);
    CHECK_INT(operation.last.outcome, CALL_LOST);
    pthread_join(script.thread, NULL);
    CHECK(!strstr(script.requests[0], "Idempotency-Key"));
    CHECK(!operation_run(&operation)); // refused: nothing has happened, so it may be repeated
    CHECK_INT(operation.attempts, 1 + 9);
}

// All its calls together, and the last of them as well.
TEST(an_operation_ends_at_its_deadline)
{
    static struct operation operation;
    struct service service;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = net_listen("127.0.0.1", 0, 10); // it answers no client
    getsockname(listener, (struct sockaddr *)&address, &length);
    service_at(&service, "127.0.0.1", ntohs(address.sin_port));
    operation = (struct operation){
        .service = &service, .request = a_charge, .policy = {9, 1, 1, 300, false}};
    operation.request.timeout_ms = 200;
    int64_t began_ns = now_ns();
    CHECK(!operation_run(&operation));
    CHECK_INT(operation.last.outcome, CALL_TIMEOUT);
    CHECK(operation.last.ended_ns - began_ns >= 200 * INT64_C(1000000));
    CHECK_INT(operation.request.timeout_ms, 200);
    CHECK_AT_MOST(operation.attempts, 2);
    operation.request.timeout_ms = 60000;
    began_ns = now_ns();
    CHECK(!operation_run(&operation));
    CHECK(now_ns() - began_ns < 5 * INT64_C(1000000000));
    close(listener);
}

TEST(an_operation_leaves_an_open_breaker_alone)
{
    static const struct breaker_policy policy = {1000, 2, 50, 60000, 1};
    static struct operation operation;
    struct breaker breaker;
    struct service service;
    service_at(&service, "127.0.0.1", 1);
    breaker_begin(&breaker, &policy, 0);
    operation = (struct operation){.service = &service,
                                   .request = a_charge,
                                   .policy = {9, 1, 1, 20000, false},
                                   .breaker = &breaker};
    CHECK(!operation_run(&operation));
    CHECK_INT(operation.attempts, 2);
    CHECK_INT(operation.refused, 7);
}

#endif
