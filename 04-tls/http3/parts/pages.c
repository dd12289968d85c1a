// pages.c: see pages.h.
#include "pages.h"

#include <stdlib.h>

#include "smaller.h"

#define GET_METHODS  "GET, HEAD, OPTIONS"
#define ECHO_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define NS_PER_MS    INT64_C(1000000)
#define PART_BYTES   16384 // of an image, at a time
#define PERIOD       997   // an image repeats itself after so many bytes: a prime number
#define ECHO_STEP    4096  // bytes of an echo's first buffer; then it doubles

static size_t echoes; // bytes of all buffers of echoes

static void page_text(struct page *page, int status, const char *text)
{
    page->kind = PAGE_TEXT;
    page->status = status;
    page->type = "text/plain";
    page->text = text;
    page->length = strlen(text);
}

void page_error(struct page *page, int status, const char *why)
{
    page_free(page);
    *page = (struct page){0};
    if (!why)
        why = http_reason(status);
    page_text(page, status, why);
}

// The number called `name` in a query, *number if there is none. False: it is no number up to
// `max`.
static bool query_number(struct http_text query, const char *name, uint64_t max,
                         uint64_t *number)
{
    struct http_text text = http_parameter(query, name);
    return !text.at || http_number(text, max, number);
}

static void choose_image(struct page *page, struct http_text name, struct http_text query)
{
    uint64_t number, size = IMAGE_SIZE;
    if (!http_number(name, UINT32_MAX, &number)) {
        page_error(page, 404, NULL);
    } else if (!query_number(query, "size", IMAGE_MAX, &size)) {
        page_error(page, 400, "size is no number up to 67108864\n");
    } else {
        *page = (struct page){.kind = PAGE_IMAGE,
                              .status = 200,
                              .type = "image/png",
                              .image = (uint32_t)number,
                              .length = size};
    }
}

static void choose_slow(struct page *page, struct http_text query, int64_t now_ns)
{
    uint64_t ms = 1000;
    if (!query_number(query, "ms", DELAY_MAX_MS, &ms)) {
        page_error(page, 400, "ms is no number up to 60000\n");
        return;
    }
    page_text(page, 200, "that took a while\n");
    page->due_ns = now_ns + (int64_t)ms * NS_PER_MS;
}

// The answer to GET. Returns the methods that the page takes; NULL: there is no such page.
static const char *choose_get(struct http_text target, int64_t now_ns, struct page *page)
{
    struct http_text path, query;
    http_split_target(target, &path, &query);
    if (http_is(path, "/")) {
        page_text(page, 200, "hello, world\n");
    } else if (http_is(path, "/echo")) {
        page->kind = PAGE_ECHO;
        page->status = 200;
        page->type = "application/octet-stream";
        return ECHO_METHODS;
    } else if (http_is(path, "/slow")) {
        choose_slow(page, query, now_ns);
    } else if (path.length > 5 && !memcmp(path.at, "/img/", 5)) {
        choose_image(page, (struct http_text){path.at + 5, path.length - 5}, query);
    } else {
        page_error(page, 404, "there is no such page\n");
    }
    if (page->status == 404)
        return NULL;
    return GET_METHODS;
}

void page_choose(struct http_text method, struct http_text target, int64_t now_ns,
                 struct page *page)
{
    enum http_method known = http_method(method);
    *page = (struct page){0};
    if (known == HTTP_OTHER_METHOD) { // also CONNECT and TRACE
        page_error(page, 501, "no such method here\n");
        return;
    }
    bool options = known == HTTP_OPTIONS, star = http_is(target, "*");
    const char *allow = ECHO_METHODS;
    if (!star)
        allow = choose_get(target, now_ns, page);
    if (allow && options) {
        *page = (struct page){.status = 204, .allow = allow};
    } else if (allow && known > HTTP_OPTIONS && page->kind != PAGE_ECHO) {
        page_error(page, 405, "this page does not take that method\n");
        page->allow = allow;
    }
}

int page_take(struct page *page, const uint8_t *bytes, size_t length)
{
    if (length > ECHO_MAX - page->echo_length)
        return 413;
    size_t room = larger(page->echo_room, ECHO_STEP);
    while (room < page->echo_length + length)
        room *= 2;
    if (room > page->echo_room) {
        uint8_t *more = NULL;
        if (echoes + room - page->echo_room <= ECHOES_MAX)
            more = realloc(page->echo, room);
        if (!more)
            return 503;
        echoes += room - page->echo_room;
        page->echo = more;
        page->echo_room = room;
    }
    memcpy(page->echo + page->echo_length, bytes, length);
    page->echo_length += length;
    page->length = page->echo_length;
    return 0;
}

const uint8_t *page_content(const struct page *page, size_t *length)
{
    static uint8_t pattern[PERIOD + PART_BYTES];
    *length = page->length - page->done;
    if (page->kind == PAGE_TEXT)
        return (const uint8_t *)page->text + page->done;
    if (page->kind == PAGE_ECHO)
        return page->echo + page->done;
    if (!pattern[1])
        for (size_t i = 0; i < sizeof pattern; i++)
            pattern[i] = (uint8_t)(i % PERIOD * 151 + 1);
    *length = smaller(*length, PART_BYTES);
    return pattern + (page->done + page->image) % PERIOD;
}

void page_free(struct page *page)
{
    echoes -= page->echo_room;
    free(page->echo);
    page->echo = NULL;
    page->echo_room = 0;
}
