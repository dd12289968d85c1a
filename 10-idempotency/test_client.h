// test_client.h: tests of the client's parts: names, back-off, breaker, index, calls.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <pthread.h>

#include "breaker.h"
#include "call.h"
#include "net.h"
#include "operation.h"
#include "pages.h"
#include "retry.h"
#include "test.h"
#include "ulid.h"
#include "uuid.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

// ---- names ---------------------------------------------------------------------------------

TEST(ulids_are_in_order)
{
    struct ulid_source source = {0};
    struct ulid ulid, same;
    char text[ULID_LENGTH + 1], before[ULID_LENGTH + 1] = "";
    uint64_t ms = 1469918176385;
    for (int i = 0; i < 200000; i++) {
        ms += i % 7 == 0;
        uint64_t clock = i % 700 == 3 ? ms - 5000 : ms; // somebody sets it back for a moment
        CHECK(ulid_next(&source, clock, &ulid));
        CHECK_INT((long)ulid_ms(&ulid), (long)ms);
        if (strcmp(ulid_write(&ulid, text), before) <= 0)
            FAIL("%s comes after %s", text, before);
        CHECK(ulid_read(text, ULID_LENGTH, &same) && !memcmp(&same, &ulid, sizeof ulid));
        strcpy(before, text);
    }
}

TEST(ulids_of_one_millisecond_count_up)
{
    struct ulid_source source = {0};
    struct ulid first, second, other;
    CHECK(ulid_next(&source, 1000, &first) && ulid_next(&source, 1000, &second));
    for (int i = ULID_BYTES - 1; i >= 0; i--) {
        if (++first.bytes[i])
            break;
    }
    CHECK(!memcmp(&first, &second, sizeof first));
    memset(source.last.bytes + 7, 0xff, 9); // one below a carry through nine bytes
    source.last.bytes[6] = 0x12;
    CHECK(ulid_next(&source, 1000, &second));
    CHECK_INT(second.bytes[6], 0x13);
    CHECK(!memcmp(second.bytes + 7, "\0\0\0\0\0\0\0\0", 9));
    memset(source.last.bytes + 6, 0xff, 10); // the last name of this millisecond
    other = second;
    CHECK(!ulid_next(&source, 1000, &other) && !memcmp(&other, &second, sizeof other));
    CHECK(!ulid_next(&source, 999, &other)); // nor does it go back
    CHECK(ulid_next(&source, 1001, &other));
    CHECK_INT((long)ulid_ms(&other), 1001);
    CHECK(ulid_next(&source, ULID_MS_MAX, &other));
    CHECK_INT((long)ulid_ms(&other), ULID_MS_MAX);
    CHECK(!ulid_next(&source, ULID_MS_MAX + 1, &other));
}

TEST(ulids_as_text)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"01ARYZ6S41TSV4RRFFQ69G5FAV", true},   {"01aryz6s41tsv4rrffq69g5fav", true},
        {"00000000000000000000000000", true},   {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", true},
        {"80000000000000000000000000", false}, // 129 bits
        {"ZZZZZZZZZZZZZZZZZZZZZZZZZZ", false},  {"01ARYZ6S41TSV4RRFFQ69G5FA", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAVV", false}, {"", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAI", false},  {"01ARYZ6S41TSV4RRFFQ69G5FAL", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FAO", false},  {"01ARYZ6S41TSV4RRFFQ69G5FAU", false},
        {"01ARYZ6S41TSV4RRFFQ69G5FA-", false},  {"O1ARYZ6S41TSV4RRFFQ69G5FAV", false},
        {" 1ARYZ6S41TSV4RRFFQ69G5FAV", false},  {"01ARYZ6S41TSV4RRFFQ69G5F\xc3\xa4", false},
    };
    struct ulid ulid;
    char text[ULID_LENGTH + 1];
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        bool good = ulid_read(cases[i].text, strlen(cases[i].text), &ulid);
        if (good != cases[i].good ||
            (good && strcasecmp(ulid_write(&ulid, text), cases[i].text)))
            FAIL("%s: %d", cases[i].text, good);
    }
    CHECK(ulid_read("01ARYZ6S41TSV4RRFFQ69G5FAV", ULID_LENGTH, &ulid));
    CHECK(ulid_ms(&ulid) == 1469918176385);
    CHECK(!ulid_read("01ARYZ6S41TSV4RRFFQ69G5F\0V", ULID_LENGTH, &ulid));
    memset(&ulid, 0xff, sizeof ulid);
    CHECK(!strcmp(ulid_write(&ulid, text), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
}

TEST(uuids_of_version_4)
{
    uint8_t uuid[UUID_BYTES], before[UUID_BYTES] = {0};
    char text[UUID_LENGTH + 1];
    for (int i = 0; i < 1000; i++) {
        CHECK(uuid_new(uuid) && memcmp(uuid, before, sizeof uuid));
        uuid_write(uuid, text);
        CHECK_INT((long)strlen(text), UUID_LENGTH);
        CHECK_INT((long)strspn(text, "0123456789abcdef-"), UUID_LENGTH);
        CHECK(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
        CHECK(text[14] == '4' && strchr("89ab", text[19]));
        memcpy(before, uuid, sizeof uuid);
    }
}

// ---- the index -----------------------------------------------------------------------------

#define INDEX_KEYS 60000

struct sorted_key {
    uint8_t key[PAGE_KEY_BYTES];
    uint64_t value;
};

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, PAGE_KEY_BYTES);
}

static uint64_t random_of(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

// Keys in one of four orders: random, rising, falling, and random of which many come twice.
static void make_key(int order, uint64_t number, uint64_t *random, uint8_t *key)
{
    uint64_t high = order == 0   ? random_of(random)
                    : order == 1 ? number
                    : order == 2 ? INDEX_KEYS - number
                                 : random_of(random) % (INDEX_KEYS / 2);
    memset(key, 0, PAGE_KEY_BYTES);
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(high >> (56 - 8 * i));
}

TEST(an_index_is_a_sorted_array)
{
    static struct sorted_key sorted[INDEX_KEYS];
    static uint64_t values[INDEX_KEYS + 1];
    for (int order = 0; order < 4; order++) {
        struct pages pages;
        uint64_t random = 88172645463325252, count = 0, value;
        CHECK(pages_open(&pages, 2000));
        for (uint64_t i = 0; i < INDEX_KEYS; i++) {
            make_key(order, i, &random, sorted[count].key);
            sorted[count].value = i;
            bool there = pages_find(&pages, sorted[count].key, &value);
            enum pages_result result = pages_insert(&pages, sorted[count].key, i);
            CHECK_INT(result, there ? PAGES_PRESENT : PAGES_ADDED);
            CHECK(order == 3 || !there);
            count += !there;
        }
        CHECK(pages.keys == count && pages_list(&pages, values, INDEX_KEYS + 1) == count);
        qsort(sorted, count, sizeof *sorted, compare_keys);
        for (uint64_t i = 0; i < count; i++) {
            CHECK(values[i] == sorted[i].value);
            CHECK(pages_find(&pages, sorted[i].key, &value) && value == sorted[i].value);
            sorted[i].key[PAGE_KEY_BYTES - 1] = 1;
            CHECK(!pages_find(&pages, sorted[i].key, &value));
        }
        pages_close(&pages);
    }
}

TEST(an_index_counts_its_pages)
{
    struct pages pages;
    uint8_t key[PAGE_KEY_BYTES] = {0};
    uint64_t value;
    CHECK(pages_open(&pages, 100));
    CHECK_INT(pages_touched(&pages), 1); // the root is new
    CHECK_INT(pages_touched(&pages), 0);
    for (int i = 0; i < PAGE_ENTRIES; i++) {
        key[0] = (uint8_t)i;
        CHECK_INT(pages_insert(&pages, key, 0), PAGES_ADDED);
    }
    CHECK_INT(pages_touched(&pages), 1);
    key[0] = PAGE_ENTRIES;
    CHECK_INT(pages_insert(&pages, key, 0), PAGES_ADDED);
    CHECK_INT(pages_touched(&pages), 3); // two leaves, and a root above them
    CHECK(pages_find(&pages, key, &value));
    CHECK_INT(pages_touched(&pages), 2);
    pages_close(&pages);
}

// It says that it is full before it has changed anything.
TEST(an_index_fills_up)
{
    static uint64_t values[20 * PAGE_ENTRIES];
    for (uint32_t max = 1; max < 20; max++) {
        struct pages pages;
        uint8_t key[PAGE_KEY_BYTES];
        uint64_t random = 1, added = 0, value;
        CHECK(pages_open(&pages, max));
        for (int i = 0; i < 20 * PAGE_ENTRIES; i++) {
            make_key(0, 0, &random, key);
            enum pages_result result = pages_insert(&pages, key, 7);
            CHECK(result != PAGES_PRESENT && pages_find(&pages, key, &value) == !result);
            added += result == PAGES_ADDED;
        }
        CHECK(pages.used <= max && added == pages_list(&pages, values, LENGTH_OF(values)));
        pages_close(&pages);
    }
}

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
    CHECK(retry_is_repeatable("GET", NULL) && retry_is_repeatable("PUT", NULL));
    CHECK(retry_is_repeatable("DELETE", NULL) && retry_is_repeatable("HEAD", NULL));
    CHECK(!retry_is_repeatable("POST", NULL) && !retry_is_repeatable("PATCH", NULL));
    CHECK(retry_is_repeatable("POST", "k") && retry_is_repeatable("PATCH", "k"));
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
            least = ms < least ? ms : least;
            most = ms > most ? ms : most;
            sum += ms;
        }
        CHECK(least >= 0 && least <= full / 50 && most <= full && most >= full - full / 50);
        CHECK(sum / 10000 > full * 45 / 100 && sum / 10000 < full * 55 / 100);
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
    CHECK(probe != BREAKER_REFUSED && breaker.state == BREAKER_HALF_OPEN);
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
        for (size_t length = 0; length < 999 && !strstr(request, "}\n");) {
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
    call_make(&service, &a_charge, &call); // the script is over, and nobody listens
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
