// test_fields.h: which header fields pass, from HTTP/2 to HTTP/2 and to HTTP/1.1, and back.

#include "fields_rules.h"

static struct hpack_list list;

// Makes a list of "name=value" words.
static void make_list(const char *text)
{
    static struct script script;
    struct hpack_decoder decoder;
    char frame[1000];
    script.length = 0;
    snprintf(frame, sizeof frame, "HEADERS.4.1.{%s}", text);
    script_add(&script, frame);
    hpack_decoder_begin(&decoder);
    CHECK(hpack_decode(&decoder, script.bytes + FRAME_HEADER_BYTES,
                       script.length - FRAME_HEADER_BYTES, &list));
}

static char *in_words(struct fields *fields)
{
    static char text[2000];
    *text = '\0';
    for (size_t i = 0; fields && i < fields->count; i++) {
        const struct hpack_field *f = &fields->list[i];
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%.*s=%.*s", at ? "," : "", (int)f->name_length,
                 f->name, (int)f->value_length, f->value);
    }
    return text;
}

#define START ":method=GET,:scheme=http,:authority=a,:path=/"
#define END   ",x-forwarded-for=192.0.2.1,x-forwarded-proto=http,via=2.0 workbench"

TEST(fields_of_requests)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"GET", START END},
        {"GET,te=trailers", START ",te=trailers" END},
        {":method=GET,:scheme=https,:authority=a,:path=/", START END},
        {"GET,host=a", START END},
        {"GET,x-forwarded-for=1.2.3.4,forwarded=for", START END},
        {"GET,x_forwarded_for=1.2.3.4,x-real.ip=5", START END},
        {"GET,cookie=a,cookie=b", START ",cookie=a,cookie=b" END},
        {"GET,max-forwards=3", START END},
        {"GET,http2-settings=x,trailer=y", START END},
        {":method=GET,:scheme=http,:path=/,host=a", START END},
        {":method=OPTIONS,:scheme=http,:authority=a,:path=*,max-forwards=3",
         ":method=OPTIONS,:scheme=http,:authority=a,:path=*,max-forwards=2" END},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request;
        make_list(cases[i].in);
        CHECK(!request_read(&list, &request));
        struct fields *fields = fields_of_request(&list, &request, "192.0.2.1");
        CHECK_TEXT(in_words(fields), cases[i].out);
        free(fields);
    }
}

// What was marked as a secret may not get into a table behind the proxy either.
TEST(secrets_stay_secrets)
{
    struct request request;
    make_list("GET,authorization=x");
    list.fields[4].indexing = HPACK_NEVER;
    CHECK(!request_read(&list, &request));
    struct fields *fields = fields_of_request(&list, &request, "192.0.2.1");
    CHECK_INT(fields->list[4].indexing, HPACK_NEVER);
    CHECK_INT(fields->list[4].static_name, HPACK_AUTHORIZATION);
    free(fields);
}

TEST(requests_that_the_proxy_answers)
{
    static const struct {
        const char *in;
        int status;
    } cases[] = {
        {"GET", 0},
        {":method=CONNECT,:authority=a:1", 501},
        {":method=TRACE,:scheme=http,:authority=a,:path=/", 501},
        {":method=OPTIONS,:scheme=http,:authority=a,:path=*,max-forwards=0", 204},
        {":method=OPTIONS,:scheme=http,:authority=a,:path=*,max-forwards=1", 0},
        {"GET,:path=/a#b", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request;
        make_list(cases[i].in);
        CHECK(!request_read(&list, &request));
        CHECK_INT(fields_refuse(&list, &request), cases[i].status);
    }
}

TEST(a_request_for_http1)
{
    char bytes[1000];
    struct request request;
    struct http_head head;
    struct http_out out = {bytes, sizeof bytes, 0, false};
    make_list("GET,cookie=a=1,x-y=z,cookie=b=2,te=trailers,content-length=2");
    CHECK(!request_read(&list, &request));
    struct fields *fields = fields_of_request(&list, &request, "192.0.2.1");
    fields_put_head(fields, false, &out);
    bytes[out.length] = '\0';
    CHECK_TEXT(bytes, "GET / HTTP/1.1\r\nHost: a\r\nx-y: z\r\ncontent-length: 2\r\n"
                      "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\n"
                      "via: 2.0 workbench\r\nCookie: a=1; b=2\r\n\r\n");
    CHECK_INT(http_read_request(bytes, out.length, &head), 1);
    CHECK_INT(head.content_length, 2);
    free(fields);
}

TEST(an_answer_of_http1)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close, x-hint\r\n"
                                "X-Hint: 2\r\nKeep-Alive: x\r\nTransfer-Encoding: chunked\r\n"
                                "\r\n";
    struct http_head head;
    CHECK_INT(http_read_response(bytes, sizeof bytes - 1, &head), 1);
    struct fields *fields = fields_of_head(&head, "b:1");
    CHECK_TEXT(in_words(fields), ":status=200,x-a=1,via=1.1 workbench,x-backend=b:1");
    free(fields);
}

TEST(deadlines_of_calls)
{
    static const struct {
        const char *timeout;
        int64_t ns; // without the second more; -1: there is no deadline
    } cases[] = {{"1n", 1},
                 {"2u", 2000},
                 {"100m", 100000000},
                 {"3S", INT64_C(3000000000)},
                 {"4M", INT64_C(240000000000)},
                 {"5H", INT64_C(18000000000000)},
                 {"24H", INT64_C(86400000000000)},
                 {"25H", -1},
                 {"86401S", -1},
                 {"0S", 0},
                 {"99999999n", 99999999},
                 {"100000000n", -1},
                 {"5", -1},
                 {"S", -1},
                 {"5s", -1},
                 {"-5S", -1},
                 {"", -1}};
    struct request request;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        snprintf(text, sizeof text, START ",grpc-timeout=%s", cases[i].timeout);
        make_list(text);
        CHECK(!request_read(&list, &request));
        struct fields *fields = fields_of_request(&list, &request, "192.0.2.1");
        int64_t deadline = fields_deadline(fields, 7), expected = NEVER;
        if (cases[i].ns >= 0)
            expected = 7 + cases[i].ns + 1000000000;
        if (deadline != expected)
            FAIL("%s: expected %lld, got %lld", cases[i].timeout, (long long)expected,
                 (long long)deadline);
        free(fields);
    }
}

// ---- mutations -----------------------------------------------------------------------------

static const char *const blocks[] = {
    "GET,x-a=1", "GET,content-length=5,te=trailers", "POST,cookie=a=1,cookie=b=2",
    "GET,x-forwarded-for=1,host=a", ":method=OPTIONS,:scheme=http,:authority=a,:path=*"};
static const char *const heads[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close, x-a\r\nX-A: 1\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nKeep-Alive: 5\r\nTE: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\nUpgrade: b\r\n\r\n"};

// Puts other bytes into some places, of those that protocols care about.
static void mutate(uint8_t *bytes, size_t length, uint64_t *random)
{
    static const uint8_t likely[] = "\r\n :,;\t\0/#@%Aa0";
    for (uint64_t i = next_random(random) % 3; i < 3; i++) {
        uint8_t byte = (uint8_t)next_random(random);
        if (next_random(random) % 2)
            byte = likely[next_random(random) % sizeof likely];
        bytes[next_random(random) % length] = byte;
    }
}

// Whatever is passed on is read alike on both sides.
TEST(a_hundred_thousand_mutations)
{
    static struct script script;
    uint64_t random = 1;
    long passes = 0;
    for (int i = 0; i < 100000; i++) {
        char frame[400];
        bool passed;
        const char *wrong;
        if (i % 2) {
            script.length = 0;
            snprintf(frame, sizeof frame, "HEADERS.4.1.{%s}", blocks[i / 2 % 5]);
            script_add(&script, frame);
            uint8_t *block = script.bytes + FRAME_HEADER_BYTES;
            size_t length = script.length - FRAME_HEADER_BYTES;
            mutate(block, length, &random);
            wrong = check_request_rules(block, length, &passed);
        } else {
            snprintf(frame, sizeof frame, "%s", heads[i / 2 % 3]);
            size_t length = strlen(frame);
            mutate((uint8_t *)frame, length, &random);
            wrong = check_answer_rules(frame, length, &passed);
        }
        passes += passed;
        if (wrong && test_failures < 5)
            FAIL("mutation %d: %s", i, wrong);
    }
    CHECK_AT_LEAST(passes, 5000);
}
