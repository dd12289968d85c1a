// test_rules.h: the small rules, each by a table: the file of services, the breaker, retries,
// token buckets, and the fields of a trace.
#ifndef TEST_RULES_H
#define TEST_RULES_H

#include "breaker.h"
#include "file_rules.h"
#include "measure.h"
#include "rate.h"
#include "retry.h"

#define SECOND INT64_C(1000000000)

TEST(the_file_of_services)
{
    static struct service_file file;
    static const struct {
        const char *text, *why; // why: a part of the reason; NULL: the file is good
        int services;
    } rows[] = {
        {"end\n", NULL, 0},
        {"stock 10.0.0.2:8114\nend\n", NULL, 1},
        {"# all\n\nstock\t10.0.0.2:8114  10.0.0.3:8114 # two\nprice [::1]:1\nend\n", NULL, 2},
        {"stock 10.0.0.2:8114 \r\nend\n", "line 1: an address", 0},
        {"stock\nend\n", NULL, 1}, // none of it runs
        {"", "not whole", 0},
        {"stock 10.0.0.2:8114\n", "not whole", 0},
        {"stock 10.0.0.2:81", "not whole", 0},
        {"stock 10.0.0.2:8114\nend", "not whole", 0},
        {"end\nstock 10.0.0.2:8114\n", "line 2: there is more", 0},
        {"Stock 10.0.0.2:8114\nend\n", "line 1: a name", 0},
        {"-a 10.0.0.2:8114\nend\n", "line 1: a name", 0},
        {"a_b 10.0.0.2:8114\nend\n", "line 1: a name", 0},
        {"a 10.0.0.2\nend\n", "line 1: an address", 0},
        {"a 10.0.0.2:0\nend\n", "line 1: an address", 0},
        {"a 10.0.0.2:65536\nend\n", "line 1: an address", 0},
        {"a 10.0.0.256:1\nend\n", "line 1: an address", 0},
        {"a ::1:1\nend\n", "line 1: an address", 0},
        {"a localhost:1\nend\n", "line 1: an address", 0},
        {"a :1\nend\n", "line 1: an address", 0},
        {"a 1.1.1.1:1\na 1.1.1.2:1\nend\n", "line 2: this service", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[SERVICE_FILE_WHY] = "";
        bool good = service_file_read(rows[i].text, strlen(rows[i].text), &file, why);
        CHECK_INT(good, rows[i].why == NULL);
        if (good)
            CHECK_INT(file.count, rows[i].services);
        else
            CHECK_HAS(why, rows[i].why);
    }
}

// A good file with some bytes changed, again and again.
TEST(files_of_services_mutated)
{
    static const char good[] =
        "stock 10.0.0.2:8114 10.0.0.3:8114\nprice [fe80::1]:8114 # x\nend\n";
    char text[sizeof good];
    uint64_t random = 24;
    for (int i = 0; i < 100000; i++) {
        size_t length = sizeof good - 1 - random_next(&random) % 3 * (random_next(&random) % 9);
        memcpy(text, good, sizeof good);
        for (uint64_t changes = random_next(&random) % 4; changes > 0; changes--)
            text[random_next(&random) % length] = " \n#:.[]0z-"[random_next(&random) % 10];
        const char *fault = service_file_fault(text, length);
        if (fault)
            FAIL("%s: %.*s", fault, (int)length, text);
    }
}

TEST(the_breaker)
{
    static const struct breaker_settings three = {3, 1000};
    struct breaker b = {0};
    int64_t now = 100 * SECOND;
    for (int i = 0; i < 2; i++)
        CHECK(!breaker_result(&b, &three, false, now));
    CHECK(!breaker_result(&b, &three, true, now)); // a good one: it counts from 0 again
    for (int i = 0; i < 2; i++)
        CHECK(!breaker_result(&b, &three, false, now));
    CHECK(breaker_allows(&b, now));
    CHECK(breaker_result(&b, &three, false, now));
    CHECK_INT(b.state, BREAKER_OPEN);
    CHECK(!breaker_allows(&b, now + SECOND - 1));
    CHECK(!breaker_result(&b, &three, true, now)); // it was sent before the breaker opened
    CHECK_INT(b.state, BREAKER_OPEN);
    now += SECOND;
    CHECK(breaker_allows(&b, now));
    breaker_sent(&b, now);
    CHECK_INT(b.state, BREAKER_HALF_OPEN);
    CHECK(!breaker_allows(&b, now)); // only one
    breaker_forget(&b);              // whose client left
    CHECK(breaker_allows(&b, now));
    breaker_sent(&b, now);
    CHECK(breaker_result(&b, &three, false, now)); // one failure is enough now
    CHECK(!breaker_allows(&b, now + SECOND - 1));
    now += SECOND;
    breaker_sent(&b, now);
    CHECK(breaker_result(&b, &three, true, now));
    CHECK_INT(b.state, BREAKER_CLOSED);
    CHECK_INT(b.opened, 2);
    struct breaker never = {0};
    for (int i = 0; i < 1000; i++)
        breaker_result(&never, &(struct breaker_settings){0, 1}, false, now);
    CHECK_INT(never.state, BREAKER_CLOSED);
}

TEST(what_is_sent_again)
{
    static const struct retry_settings settings = {
        .tries = 3, .budget_percent = 20, .budget_min = 1};
    static const struct {
        struct retry_request request;
        enum retry_verdict verdict;
    } rows[] = {
        {{RETRY_NOT_DELIVERED, 1, true, true}, RETRY_YES},
        {{RETRY_NOT_DELIVERED, 1, false, true}, RETRY_YES}, // a POST that no app has got
        {{RETRY_NOT_DELIVERED, 1, false, false}, RETRY_NO_UNSAFE},
        {{RETRY_NOT_DELIVERED, 3, true, true}, RETRY_NO_TRIES},
        {{RETRY_BROKEN, 2, true, true}, RETRY_YES},
        {{RETRY_BROKEN, 1, false, true}, RETRY_NO_UNSAFE},
        {{RETRY_TIMED_OUT, 1, true, true}, RETRY_NO_FAILURE},
        {{RETRY_REFUSED, 1, true, true}, RETRY_NO_FAILURE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct retry_budget budget = {0};
        CHECK_INT(retry_decide(&settings, &rows[i].request, &budget), rows[i].verdict);
        CHECK_INT(budget.left, rows[i].verdict == RETRY_YES ? -1000 : 0);
    }
    // 20 percent and one more: of 100 requests that all fail, 21 are sent again.
    struct retry_budget budget = {0};
    struct retry_request request = {RETRY_NOT_DELIVERED, 1, true, true};
    int again = 0;
    for (int i = 0; i < 100; i++) {
        retry_budget_add(&budget, &settings);
        again += retry_decide(&settings, &request, &budget) == RETRY_YES;
    }
    CHECK_INT(again, 21);
    // A quiet time does not save up more than ten requests' worth.
    for (int i = 0; i < 10000; i++)
        retry_budget_add(&budget, &settings);
    for (again = 0; retry_decide(&settings, &request, &budget) == RETRY_YES; again++)
        ;
    CHECK_INT(again, 3);
}

TEST(the_pause_before_a_try)
{
    static const struct retry_settings settings = {.backoff_ms = 25};
    for (uint64_t random = 0; random < 5000; random++) {
        CHECK_BETWEEN(retry_backoff_ms(&settings, 1, random), 0, 25);
        CHECK_BETWEEN(retry_backoff_ms(&settings, 2, random), 0, 50);
        CHECK_BETWEEN(retry_backoff_ms(&settings, 9, random), 0, RETRY_BACKOFF_MAX_MS);
    }
    CHECK_INT(retry_backoff_ms(&settings, 1, 25), 25);
    CHECK_INT(retry_backoff_ms(&settings, 2, 50), 50);
    CHECK_INT(retry_backoff_ms(&settings, 9, RETRY_BACKOFF_MAX_MS), RETRY_BACKOFF_MAX_MS);
    CHECK(retry_is_idempotent("PUT", 3));
    CHECK(!retry_is_idempotent("POST", 4));
    CHECK(!retry_is_idempotent("PATCH", 5));
    CHECK(!retry_is_idempotent("GE", 2));
}

TEST(token_buckets)
{
    int64_t now = 5 * SECOND;
    char name[20];
    for (int i = 0; i < 3; i++)
        CHECK_INT(rate_take("a", 2, 3, now), 0);
    CHECK_INT(rate_take("a", 2, 3, now), 1);
    CHECK_INT(rate_take("b", 2, 3, now), 0); // a bucket of its own
    CHECK_INT(rate_take("a", 2, 3, now + SECOND / 2), 0);
    CHECK_INT(rate_take("a", 2, 3, now + SECOND / 2), 1);
    now += 1000 * SECOND; // full again, and not fuller
    for (int i = 0; i < 3; i++)
        CHECK_INT(rate_take("a", 2, 3, now), 0);
    CHECK_AT_LEAST(rate_take("a", 2, 3, now), 1);
    // More clients than there are buckets: those that ask most are not forgotten.
    for (int i = 0; i < 3 * RATE_CLIENTS; i++) {
        now += 1000000;
        snprintf(name, sizeof name, "client %d", i);
        CHECK_INT(rate_take(name, 1, 3, now), 0);
        CHECK_AT_LEAST(rate_take("a", 1, 3, now), 1);
    }
}

TEST(trace_fields)
{
#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    static const struct {
        const char *parent;
        bool good;
    } rows[] = {
        {GOOD, true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more", false},
        {GOOD "-more", false},
        {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false},
        {"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trace trace = {0};
        struct http_text text = {rows[i].parent, strlen(rows[i].parent)};
        CHECK_INT(trace_read_parent(text, &trace), rows[i].good);
        CHECK(!trace_fault(text.at, text.length, "a=b", 3));
    }
    static const struct {
        const char *fields, *state; // what is passed on
        bool carried;
    } heads[] = {
        {"", "", false},
        {"traceparent: " GOOD "\r\n", "", true},
        {"traceparent: " GOOD "\r\ntracestate: a=1, b@c=2\r\n", "a=1,b@c=2", true},
        {"traceparent: " GOOD "\r\ntracestate: a=1\r\ntracestate: c=3\r\n", "a=1,c=3", true},
        {"traceparent: " GOOD "\r\ntracestate: a=1,\x42=2\r\n", "", true},
        {"traceparent: " GOOD "\r\ntracestate: a\r\n", "", true},
        {"traceparent: " GOOD "\r\ntraceparent: " GOOD "\r\n", "", false}, // which one?
        {"traceparent: nonsense\r\ntracestate: a=1\r\n", "", false},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char request[600];
        struct http_head head;
        struct trace trace;
        int length = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n",
                              heads[i].fields);
        CHECK_INT(http_read_request(request, (size_t)length, &head), 1);
        trace_begin(&trace, &head);
        CHECK_TEXT(trace.state, heads[i].state);
        CHECK_INT(!strcmp(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736"), heads[i].carried);
        CHECK_INT(trace.parent[0] != '\0', heads[i].carried);
        CHECK_INT((long)strlen(trace.id), TRACE_ID);
        CHECK_INT((long)strlen(trace.span), TRACE_SPAN);
    }
}

#endif
