// test_message.h: what is a request, and what is an answer: a table of each.
#ifndef TEST_MESSAGE_H
#define TEST_MESSAGE_H

#include "message.h"
#include "pages.h"
#include "test.h"

// Makes a list out of "name: value" lines, each of which ends with '|'.
static inline const struct qpack_list *list_of(const char *text)
{
    static struct qpack_list list;
    list.count = 0;
    for (const char *at = text; *at; at = strchr(at, '|') + 1) {
        const char *colon = strstr(at, ": "), *end = strchr(at, '|');
        struct http_field *field = &list.fields[list.count++];
        field->name = (struct http_text){at, (size_t)(colon - at)};
        field->value = (struct http_text){colon + 2, (size_t)(end - colon - 2)};
    }
    return &list;
}

#define GET ":method: GET|:scheme: https|:authority: a.b|:path: /|"

TEST(requests)
{
    static const struct {
        const char *fields;
        bool good;
    } table[] = {
        {GET, true},
        {GET "accept: */*|cookie: a=1|cookie: b=2|", true},
        {GET "te: trailers|", true},
        {GET "host: A.b|", true},
        {":method: GET|:scheme: https|:path: /|host: a.b|", true},
        {":method: GET|:scheme: https|:authority: [::1]:8304|:path: /a?b=c|", true},
        {":method: OPTIONS|:scheme: https|:authority: a.b|:path: *|", true},
        {":method: CONNECT|:authority: a.b:443|", true},
        {":method: POST|:scheme: https|:authority: a.b|:path: /|content-length: 7|", true},
        {"", false},
        {":scheme: https|:authority: a.b|:path: /|", false},
        {":method: GET|:authority: a.b|:path: /|", false},
        {":method: GET|:scheme: https|:authority: a.b|", false},
        {":method: GET|:scheme: https|:authority: a.b|:path: |", false},
        {":method: GET|:scheme: https|:authority: a.b|:path: x|", false},
        {":method: GET|:scheme: https|:authority: a.b|:path: *|", false},
        {":method: GET|:scheme: https|:path: /|", false},
        {":method: GET|:scheme: https|:authority: |:path: /|", false},
        {":method: GET|:scheme: https|:authority: u@a.b|:path: /|", false},
        {":method: GET|:scheme: https|:authority: a.b|:path: /a b|", false},
        {":method: G T|:scheme: https|:authority: a.b|:path: /|", false},
        {":method: CONNECT|:authority: a.b:443|:path: /|", false},
        {GET ":path: /|", false},
        {GET ":status: 200|", false},
        {GET ":new: x|", false},
        {GET "accept: */*|:path: /|", false},
        {":method: GET|accept: x|:scheme: https|:authority: a.b|:path: /|", false},
        {GET "Accept: */*|", false},
        {GET "a b: c|", false},
        {GET ": c|", false},
        {GET "x:  c|", false},
        {GET "x: c |", false},
        {GET "x: a\nb|", false},
        {GET "connection: close|", false},
        {GET "keep-alive: 5|", false},
        {GET "proxy-connection: x|", false},
        {GET "transfer-encoding: chunked|", false},
        {GET "upgrade: websocket|", false},
        {GET "te: gzip|", false},
        {GET "host: other.b|", false},
        {GET "host: a.b|host: a.b|", false},
        {GET "content-length: 7|content-length: 7|", false},
        {GET "content-length: -7|", false},
        {GET "content-length: 99999999999999999999|", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct request request;
        const char *wrong = message_request(list_of(table[i].fields), &request);
        if (table[i].good && wrong)
            FAIL("%s: %s", table[i].fields, wrong);
        if (!table[i].good && !wrong)
            FAIL("%s: is taken", table[i].fields);
    }
}

TEST(answers)
{
    static const struct {
        const char *fields;
        int status; // 0: refused
    } table[] = {
        {":status: 200|", 200},
        {":status: 103|link: x|", 103},
        {":status: 200|server: a|", 200},
        {"server: a|", 0},
        {":status: 20|", 0},
        {":status: 2000|", 0},
        {":status: abc|", 0},
        {":status: 099|", 0},
        {":status: 101|", 0},
        {"server: a|:status: 200|", 0},
        {":status: 200|:status: 200|", 0},
        {":status: 200|:path: /|", 0},
        {":status: 200|te: trailers|", 0},
        {":status: 200|connection: close|", 0},
        {":status: 200|Server: a|", 0},
        {":status: 200|content-length: x|", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response_head head;
        const char *wrong = message_response(list_of(table[i].fields), &head);
        if (wrong)
            head.status = 0;
        if (head.status != table[i].status)
            FAIL("%s: %d", table[i].fields, head.status);
    }
    CHECK(!message_trailers(list_of("x-sum: 1|")));
    CHECK(message_trailers(list_of(":status: 200|")));
    CHECK(message_trailers(list_of("X-Sum: 1|")));
}

// All echoes together have so much memory; what one has had is free for another one.
TEST(the_memory_of_echoes)
{
    enum { ECHOES = ECHOES_MAX / ECHO_MAX };
    static struct page pages[ECHOES + 1];
    static uint8_t content[ECHO_MAX];
    for (int times = 0; times < 2; times++) {
        for (int i = 0; i <= ECHOES; i++)
            CHECK_INT(page_take(&pages[i], content, sizeof content), i < ECHOES ? 0 : 503);
        for (int i = 0; i <= ECHOES; i++)
            page_free(&pages[i]);
        memset(pages, 0, sizeof pages);
    }
    CHECK_INT(page_take(pages, content, sizeof content), 0); // 1 MB, and not a byte more
    CHECK_INT(page_take(pages, content, 1), 413);
    page_free(pages);
}

#endif
