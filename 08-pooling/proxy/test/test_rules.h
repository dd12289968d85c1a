// test_rules.h: freshness.c, cache.c and guard.c by themselves. A part of test.c.
#include <time.h>

#define NOW 1800000000 // seconds since 1970, when the answers here have come

static void read_answer(const char *fields, int status, struct http_head *head)
{
    static char text[2000];
    snprintf(text, sizeof text, "HTTP/1.1 %d x\r\n%s\r\n", status, fields);
    CHECK_INT(http_read_response(text, strlen(text), head), 1);
}

static void read_asked(const char *fields, struct http_head *head)
{
    static char text[2000];
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    CHECK_INT(http_read_request(text, strlen(text), head), 1);
}

TEST(which_answers_may_be_stored)
{
    static const struct {
        const char *request, *answer;
        int status;
        const char *refusal; // NULL: it may be stored
    } cases[] = {
        {"", "", 200, NULL},
        {"", "Cache-Control: max-age=60\r\n", 200, NULL},
        {"", "Cache-Control: no-store\r\n", 200, "no-store"},
        {"", "Cache-Control: max-age=60\r\nCache-Control: NO-STORE\r\n", 200, "no-store"},
        {"", "Cache-Control: private\r\n", 200, "private"},
        {"", "Cache-Control: private=\"x-a, no\", max-age=9\r\n", 200, "private"},
        {"", "Cache-Control: x=\"no-store, private\", max-age=9\r\n", 200, NULL},
        {"", "Cache-Control: no-cache\r\n", 200, NULL},
        {"Cache-Control: no-store\r\n", "", 200, "the request says no-store"},
        {"Authorization: a\r\n", "Cache-Control: max-age=60\r\n", 200, "Authorization"},
        {"Authorization: a\r\n", "Cache-Control: public\r\n", 200, NULL},
        {"Authorization: a\r\n", "Cache-Control: s-maxage=0\r\n", 200, NULL},
        {"Authorization: a\r\n", "Cache-Control: must-revalidate\r\n", 200, NULL},
        {"", "Set-Cookie: a=b\r\nCache-Control: public\r\n", 200, "Set-Cookie"},
        {"", "Vary: accept, *\r\n", 200, "Vary: *"},
        {"", "Vary: accept\r\nConnection: close, vary\r\n", 200, "Connection: Vary"},
        {"", "Cache-Control: max-age=60\r\n", 206, "a part"},
        {"", "Cache-Control: max-age=60\r\n", 304, "not a final answer"},
        {"", "", 404, NULL},
        {"", "", 302, "the status"},
        {"", "Cache-Control: max-age=1\r\n", 302, NULL},
        {"", "Expires: 0\r\n", 500, NULL},
        {"", "", 500, "the status"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head request, answer;
        read_asked(cases[i].request, &request);
        read_answer(cases[i].answer, cases[i].status, &answer);
        const char *refusal = freshness_refusal(&request, &answer);
        if (!refusal)
            refusal = "(stored)";
        CHECK_TEXT(refusal, cases[i].refusal ?: "(stored)");
    }
}

TEST(how_long_an_answer_is_fresh)
{
    static const struct {
        const char *answer;
        long lifetime, age;
    } cases[] = {
        {"", 0, 0},
        {"Cache-Control: max-age=60\r\n", 60, 0},
        {"Cache-Control: max-age=\"60\"\r\n", 60, 0},
        {"Cache-Control: max-age=60, s-maxage=7\r\n", 7, 0},
        {"Cache-Control: max-age=60\r\nCache-Control: max-age=5\r\n", 5, 0},
        {"Cache-Control: max-age=-1\r\n", 0, 0},
        {"Cache-Control: max-age=1x\r\n", 0, 0},
        {"Cache-Control: max-age=\r\n", 0, 0},
        {"Cache-Control: max-age\r\n", 0, 0},
        {"Cache-Control: max-age=99999999999999999999\r\n", SECONDS_MAX, 0},
        {"Expires: Fri, 15 Jan 2027 08:01:00 GMT\r\n", 60, 0},
        {"Expires: Fri, 15 Jan 2027 07:00:00 GMT\r\n", 0, 0},
        {"Expires: 0\r\n", 0, 0},
        {"Expires: Fri, 15 Jan 2027 08:01:00 GMT\r\nCache-Control: max-age=9\r\n", 9, 0},
        {"Date: Fri, 15 Jan 2027 07:59:50 GMT\r\nCache-Control: max-age=60\r\n", 60, 10},
        {"Date: Fri, 15 Jan 2027 07:59:50 GMT\r\nAge: 30\r\n", 0, 30},
        {"Age: 5, 7\r\n", 0, 0},
        {"Date: Fri, 15 Jan 2027 09:00:00 GMT\r\n", 0, 0}, // its clock is ahead
        {"Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n", 360, 0},
        {"Last-Modified: Fri, 15 Jan 2016 07:00:00 GMT\r\n", HEURISTIC_MAX, 0},
        {"Last-Modified: Fri, 15 Jan 2027 09:00:00 GMT\r\n", 0, 0},
        {"Last-Modified: yesterday\r\n", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head answer;
        read_answer(cases[i].answer, 200, &answer);
        struct freshness f = freshness_read(&answer, NOW, NOW);
        if (f.lifetime != cases[i].lifetime || f.age != cases[i].age)
            FAIL("%s: lifetime %ld, age %ld", cases[i].answer, (long)f.lifetime, (long)f.age);
    }
    // The time that the answer may have been on its way counts.
    struct http_head answer;
    read_answer("Age: 5\r\n", 200, &answer);
    CHECK_INT(freshness_read(&answer, NOW - 3, NOW).age, 8);
}

TEST(which_requests_may_be_answered_with_it)
{
    static const struct {
        const char *answer, *request;
        int age;
        enum cache_use use;
    } cases[] = {
        {"max-age=60", "", 59, USE_FRESH},
        {"max-age=60", "", 60, USE_VALIDATED},
        {"max-age=60", "Cache-Control: max-age=10\r\n", 10, USE_FRESH},
        {"max-age=60", "Cache-Control: max-age=10\r\n", 11, USE_VALIDATED},
        {"max-age=60", "Cache-Control: max-age=0\r\n", 0, USE_VALIDATED},
        {"max-age=60", "Cache-Control: no-cache\r\n", 0, USE_VALIDATED},
        {"max-age=60", "Pragma: no-cache\r\n", 0, USE_VALIDATED},
        {"max-age=60", "Pragma: no-cache\r\nCache-Control: max-age=9\r\n", 0, USE_FRESH},
        {"max-age=60", "Cache-Control: min-fresh=20\r\n", 40, USE_FRESH},
        {"max-age=60", "Cache-Control: min-fresh=20\r\n", 41, USE_VALIDATED},
        {"max-age=60", "Cache-Control: max-stale\r\n", 1000, USE_STALE},
        {"max-age=60", "Cache-Control: max-stale=10\r\n", 70, USE_STALE},
        {"max-age=60", "Cache-Control: max-stale=10\r\n", 71, USE_VALIDATED},
        {"max-age=60, must-revalidate", "Cache-Control: max-stale\r\n", 61, USE_VALIDATED},
        {"max-age=60, proxy-revalidate", "Cache-Control: max-stale\r\n", 61, USE_VALIDATED},
        {"s-maxage=60", "Cache-Control: max-stale\r\n", 61, USE_VALIDATED},
        {"max-age=60, no-cache", "", 0, USE_VALIDATED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head request, answer;
        struct directives directives;
        char field[100];
        snprintf(field, sizeof field, "Cache-Control: %s\r\n", cases[i].answer);
        read_answer(field, 200, &answer);
        read_asked(cases[i].request, &request);
        directives_read(&request, &directives);
        struct freshness f = freshness_read(&answer, NOW, NOW);
        enum cache_use use = freshness_use(&f, &directives, cases[i].age);
        if (use != cases[i].use)
            FAIL("%s, %s at %d: %d", cases[i].answer, cases[i].request, cases[i].age, use);
    }
}

TEST(a_stale_answer_when_the_server_fails)
{
    static const struct {
        const char *answer, *request;
        bool gone, error; // may it be served: the server is gone, or answers 500
    } cases[] = {{"max-age=1", "", true, false},
                 {"max-age=1, stale-if-error=100", "", true, true},
                 {"max-age=1, stale-if-error=10", "", true, false},
                 {"max-age=1", "Cache-Control: stale-if-error=100\r\n", true, true},
                 {"max-age=1, must-revalidate, stale-if-error=100", "", false, false},
                 {"max-age=1, no-cache", "", false, false},
                 {"max-age=1", "Cache-Control: no-cache\r\n", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head request, answer;
        struct directives d;
        char field[100];
        snprintf(field, sizeof field, "Cache-Control: %s\r\n", cases[i].answer);
        read_answer(field, 200, &answer);
        read_asked(cases[i].request, &request);
        directives_read(&request, &d);
        struct freshness f = freshness_read(&answer, NOW, NOW);
        CHECK_INT(freshness_may_serve_stale(&f, &d, 50, false), cases[i].gone);
        CHECK_INT(freshness_may_serve_stale(&f, &d, 50, true), cases[i].error);
    }
}

TEST(a_client_that_has_it_already)
{
    static const char stored[] =
        "ETag: \"a,b\"\r\nLast-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n";
    static const struct {
        const char *request;
        bool has_it;
    } cases[] = {
        {"If-None-Match: \"a,b\"\r\n", true},
        {"If-None-Match: \"x\", W/\"a,b\"\r\n", true},
        {"If-None-Match: *\r\n", true},
        {"If-None-Match: \"a\"\r\n", false},
        {"If-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT\r\n", true},
        {"If-Modified-Since: Fri, 15 Jan 2027 06:00:00 GMT\r\n", false},
        {"If-Modified-Since: now\r\n", false},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT\r\n", false},
        {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head request, answer;
        read_asked(cases[i].request, &request);
        read_answer(stored, 200, &answer);
        CHECK_INT(freshness_client_has_it(&request, &answer), cases[i].has_it);
    }
}

// ---- the store -----------------------------------------------------------------------------

// An entry for an answer whose content is still to come; NULL where there is no room.
static struct entry *make(const char *key, const char *request, const char *fields)
{
    static char text[ANSWER_HEAD_BYTES];
    struct http_head asked, answer;
    struct http_out out = {text, sizeof text, 0, false};
    read_asked(request, &asked);
    read_answer(fields, 200, &answer);
    answer_put_stored_head(&answer, &out);
    struct freshness f = freshness_read(&answer, time(NULL), time(NULL));
    return cache_make((struct http_text){key, strlen(key)}, &asked, &answer,
                      (struct http_text){text, out.length}, &f);
}

// Stores an answer of so many bytes; NULL where there is no room.
static struct entry *put(const char *key, const char *request, const char *fields, size_t size)
{
    static char content[100000];
    struct entry *entry = make(key, request, fields);
    if (!entry)
        return NULL;
    if (cache_reserve(entry, size)) {
        cache_fill(entry, (struct http_text){content, size});
        cache_list(entry);
    }
    bool listed = entry->listed;
    cache_release(entry);
    return listed ? entry : NULL;
}

static struct entry *get(const char *key, const char *request)
{
    struct http_head asked;
    read_asked(request, &asked);
    return cache_find((struct http_text){key, strlen(key)}, &asked);
}

TEST(the_least_recently_used_one_goes)
{
    char key[40];
    cache_begin(&(struct cache_limits){50000, 20000});
    for (int i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "http://a/%d", i);
        CHECK(put(key, "", "", 10000) != NULL);
    }
    CHECK(get("http://a/0", "") != NULL); // now 1 is the oldest
    CHECK(put("http://a/4", "", "", 15000) != NULL);
    CHECK(get("http://a/0", "") && get("http://a/4", "") && !get("http://a/1", ""));
    CHECK_AT_MOST(cache_figures()->bytes, 50000);
    CHECK(!put("http://a/5", "", "", 20001)); // larger than one may be
    for (int i = 0; i < 100000; i++) {        // a storm of things that are asked for once
        snprintf(key, sizeof key, "http://b/%d", i);
        CHECK(put(key, "", "", (size_t)i % 3000) != NULL);
        if (cache_figures()->bytes > 50000)
            FAIL("%zu bytes", cache_figures()->bytes);
    }
    // One that is in use stays with its user, and counts.
    struct entry *held = cache_hold(get("http://b/99999", ""));
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "http://c/%d", i);
        put(key, "", "", 3000);
    }
    CHECK(!get("http://b/99999", "") && !held->listed && held->users == 1);
    CHECK_INT(held->length, 99999 % 3000);
    cache_release(held);
    cache_end();
    CHECK_INT(cache_figures()->bytes, 0);
    CHECK_INT(cache_figures()->entries, 0);
}

// While content comes without a length, its room grows; what was too much is given back.
TEST(an_entry_has_no_spare_room)
{
    static const char chunked[] = "Transfer-Encoding: chunked\r\n";
    static const char content[10000];
    cache_begin(&(struct cache_limits){1 << 20, 20000});
    struct entry *entry = make("http://a/", "", chunked);
    for (size_t at = 0; at < sizeof content; at += 5000)
        if (cache_reserve(entry, 5000))
            cache_fill(entry, (struct http_text){content, 5000});
    CHECK(cache_reserve(entry, 1));
    cache_list(entry);
    cache_release(entry);
    CHECK_INT(entry->length, sizeof content);
    CHECK_INT(entry->room, sizeof content);
    cache_end();
    CHECK_INT(cache_figures()->bytes, 0);
}

TEST(variants_by_vary)
{
    static const char vary[] = "Vary: Accept-Language,accept-ENCODING\r\n";
    char field[60];
    cache_begin(&(struct cache_limits){1 << 20, 20000});
    struct entry *de = put("http://a/", "Accept-Language: de\r\n", vary, 10);
    struct entry *en = put("http://a/", "Accept-Language: en\r\n", vary, 10);
    CHECK(de && en && de != en);
    CHECK(get("http://a/", "accept-language:   de  \r\n") == de);
    CHECK(get("http://a/", "Accept-Language: en\r\n") == en);
    CHECK(!get("http://a/", "Accept-Language: en\r\nAccept-Encoding: br\r\n"));
    CHECK(!get("http://a/", ""));
    CHECK(!get("http://b/", "Accept-Language: en\r\n"));
    // The server gets no field that Connection names: its answer is for those who send none.
    struct entry *none =
        put("http://a/", "Accept-Language: en\r\nConnection: accept-language\r\n", vary, 10);
    CHECK(get("http://a/", "Accept-Language: en\r\n") == en);
    CHECK(none && get("http://a/", "") == none);
    CHECK_INT(cache_remove_key((struct http_text){"http://a/", 9}), 3);
    put("http://a/", "Accept-Language: de\r\n", vary, 10);
    en = put("http://a/", "Accept-Language: en\r\n", vary, 10);
    en = put("http://a/", "Accept-Language: en\r\n", vary, 20); // in place of the old one
    CHECK_INT(cache_figures()->entries, 2);
    CHECK(get("http://a/", "Accept-Language: en\r\n") == en);
    for (int i = 0; i < 100; i++) { // one key cannot fill the store with variants
        snprintf(field, sizeof field, "Accept-Language: x%d\r\n", i);
        put("http://a/", field, vary, 10);
    }
    CHECK_AT_MOST(cache_figures()->entries, CACHE_VARIANTS);
    CHECK(cache_remove_key((struct http_text){"http://a/", 9}) == CACHE_VARIANTS);
    CHECK_INT(cache_figures()->entries, 0);
    cache_end();
}

TEST(a_hundred_thousand_mutated_answers)
{
    static const char good[] =
        "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nAge: 3\r\n"
        "Cache-Control: max-age=60, s-maxage=9, public\r\nVary: accept-language\r\n"
        "ETag: \"a\"\r\nLast-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n"
        "Expires: Fri, 15 Jan 2027 09:00:00 GMT\r\nContent-Length: 5\r\n"
        "Connection: x-a\r\nX-A: 1\r\n\r\nhello";
    static const char special[] = "\r\n :,;=\"\\0\t\x80-*";
    char bytes[sizeof good];
    uint64_t random = 1;
    int stored = 0;
    cache_begin(&(struct cache_limits){1 << 20, 1 << 16});
    for (int i = 0; i < 100000; i++) {
        memcpy(bytes, good, sizeof good);
        size_t length = sizeof good - 1;
        for (unsigned long changes = next_random(&random) % 4; changes; changes--) {
            size_t at = next_random(&random) % length;
            if (next_random(&random) % 4 == 0)
                length = at + 1;
            bytes[at] = special[next_random(&random) % (sizeof special - 1)];
        }
        long before = cache_figures()->stored;
        const char *fault = answer_fault(bytes, length);
        stored += cache_figures()->stored > before;
        if (fault) {
            FAIL("mutation %d: %s", i, fault);
            break;
        }
    }
    CHECK_AT_LEAST(stored, 10000);
    cache_end();
}

// ---- the guard -----------------------------------------------------------------------------

TEST(addresses_that_a_forward_proxy_leaves_alone)
{
    static const struct {
        const char *address;
        bool allowed;
    } cases[] = {{"8.8.8.8", true},
                 {"192.0.2.1", true},
                 {"0.0.0.0", false},
                 {"127.0.0.1", false},
                 {"127.255.255.254", false},
                 {"10.1.2.3", false},
                 {"172.16.0.1", false},
                 {"172.31.255.255", false},
                 {"172.32.0.1", true},
                 {"192.168.1.1", false},
                 {"169.254.169.254", false},
                 {"100.64.0.1", false},
                 {"100.128.0.1", true},
                 {"198.18.0.1", false},
                 {"224.0.0.1", false},
                 {"255.255.255.255", false},
                 {"::", false},
                 {"::1", false},
                 {"::127.0.0.1", false},
                 {"::ffff:127.0.0.1", false},
                 {"::ffff:8.8.8.8", true},
                 {"fe80::1", false},
                 {"fec0::1", false},
                 {"fc00::1", false},
                 {"fd12::1", false},
                 {"ff02::1", false},
                 {"64:ff9b::127.0.0.1", false},
                 {"64:ff9b::8.8.8.8", true},
                 {"64:ff9b:1::8.8.8.8", false},
                 {"2002:7f00:1::", false},
                 {"2002:808:808::", true},
                 {"2001::1", false},
                 {"2606:4700::1111", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage address = {0};
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        if (inet_pton(AF_INET, cases[i].address, &four->sin_addr) == 1)
            address.ss_family = AF_INET;
        else if (inet_pton(AF_INET6, cases[i].address, &six->sin6_addr) == 1)
            address.ss_family = AF_INET6;
        if (guard_allows(&address) != cases[i].allowed)
            FAIL("%s: expected %d", cases[i].address, cases[i].allowed);
    }
}
