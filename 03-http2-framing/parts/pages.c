// pages.c: see pages.h.
#include "pages.h"

#include <stdio.h>
#include <string.h>

#define PIECE_BYTES   23 // of each line of /stream, and of each event
#define PNG_SIGNATURE "\x89PNG\r\n\x1a\n"
#define WORD_BYTES    8 // an image is made of so many bytes at a time
#define GET_METHODS   "GET, HEAD, OPTIONS"
#define ECHO_METHODS  "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define TEXT_TYPE     "text/plain"
#define EVENT_TYPE    "text/event-stream"
#define NS_PER_MS     INT64_C(1000000)
#define EVENTS_MAX    999999999 // 31 years of one a second

// ---- what is answered ----------------------------------------------------------------------

static void answer_text(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->type = TEXT_TYPE;
    answer->text = text;
    answer->length = (int64_t)strlen(text);
}

void page_error(int status, struct answer *answer)
{
    static const struct {
        int status;
        const char *text;
    } errors[] = {{400, "a number is missing or out of range\n"},
                  {404, "there is no such page\n"},
                  {405, "this page does not take that method\n"},
                  {413, "the body is longer than 1 MB\n"},
                  {431, "the header fields are longer than 16 KB\n"},
                  {501, "no such method here\n"},
                  {503, "no memory for this body now\n"},
                  {0, "that cannot be done\n"}};
    size_t i = 0;
    while (errors[i].status && errors[i].status != status)
        i++;
    *answer = (struct answer){0};
    answer_text(answer, status, errors[i].text);
}

// The number called `name` in a query; it keeps its value if the query does not have it. False
// if it is no number up to `max`.
static bool query_number(struct http_text query, const char *name, uint32_t max,
                         uint32_t *number)
{
    struct http_text text = http_parameter(query, name);
    uint64_t value = *number;
    bool good = !text.at || http_number(text, max, &value);
    *number = (uint32_t)value;
    return good;
}

static void answer_image(struct answer *answer, struct http_text name, struct http_text query)
{
    uint32_t size = IMAGE_SIZE;
    uint64_t image;
    if (!http_number(name, UINT32_MAX, &image)) {
        page_error(404, answer);
    } else if (!query_number(query, "size", IMAGE_MAX, &size)) {
        page_error(400, answer);
    } else {
        answer->image = (uint32_t)image;
        answer->kind = ANSWER_IMAGE;
        answer->status = 200;
        answer->type = "image/png";
        answer->length = size;
    }
}

static void answer_later(struct answer *answer, struct http_text query)
{
    uint32_t ms = 1000;
    if (!query_number(query, "ms", DELAY_MAX_MS, &ms)) {
        page_error(400, answer);
        return;
    }
    answer_text(answer, 200, "that took a while\n");
    answer->due_ns += ms * NS_PER_MS;
}

static void answer_page(struct answer *answer, struct http_text query)
{
    answer_later(answer, query);
    if (answer->status != 200)
        return;
    answer_text(answer, 200, "<img src=/img/1>\n");
    answer->type = "text/html";
    answer->link = "</img/1>; rel=preload; as=image";
}

static void answer_events(struct answer *answer, struct http_text query)
{
    answer->interval_ms = 1000;
    if (!query_number(query, "ms", DELAY_MAX_MS, &answer->interval_ms)) {
        page_error(400, answer);
        return;
    }
    answer->kind = ANSWER_PIECES;
    answer->status = 200;
    answer->type = EVENT_TYPE;
    answer->length = (int64_t)EVENTS_MAX * PIECE_BYTES;
}

static void answer_stream(struct answer *answer, struct http_text query)
{
    uint32_t pieces = 5;
    answer->interval_ms = 100;
    if (!query_number(query, "n", PIECES_MAX, &pieces) ||
        !query_number(query, "ms", DELAY_MAX_MS, &answer->interval_ms)) {
        page_error(400, answer);
        return;
    }
    answer->kind = ANSWER_PIECES;
    answer->status = 200;
    answer->type = TEXT_TYPE;
    answer->length = (int64_t)pieces * PIECE_BYTES;
}

// The answer to GET. Returns the methods that the page takes; NULL if there is no such page.
static const char *answer_get(struct answer *answer, struct http_text target)
{
    struct http_text path, query;
    http_split_target(target, &path, &query);
    if (http_is(path, "/")) {
        answer_text(answer, 200, "hello, world\n");
    } else if (http_is(path, "/echo")) {
        answer->kind = ANSWER_ECHO;
        answer->status = 200;
        answer->type = "application/octet-stream";
        return ECHO_METHODS;
    } else if (http_is(path, "/slow")) {
        answer_later(answer, query);
    } else if (http_is(path, "/stream")) {
        answer_stream(answer, query);
    } else if (http_is(path, "/page")) {
        answer_page(answer, query);
    } else if (http_is(path, "/events")) {
        answer_events(answer, query);
    } else if (path.length > 5 && !memcmp(path.at, "/img/", 5)) {
        answer_image(answer, (struct http_text){path.at + 5, path.length - 5}, query);
    } else {
        page_error(404, answer);
    }
    if (answer->status == 404)
        return NULL;
    return GET_METHODS;
}

void page(struct http_text method, struct http_text target, int64_t now_ns,
          struct answer *answer)
{
    enum http_method known = http_method(method);
    *answer = (struct answer){.due_ns = now_ns};
    if (known == HTTP_OTHER_METHOD) {
        page_error(501, answer); // also CONNECT and TRACE (RFC 9110 §9.3)
        return;
    }
    bool options = known == HTTP_OPTIONS, star = http_is(target, "*");
    const char *allow = ECHO_METHODS;
    if (!star)
        allow = answer_get(answer, target);
    if (allow && options) {
        *answer = (struct answer){.status = 204, .allow = allow};
    } else if (star) {
        page_error(400, answer);
    } else if (allow && known > HTTP_OPTIONS && answer->kind != ANSWER_ECHO) {
        page_error(405, answer);
        answer->allow = allow;
    }
}

// ---- its content ---------------------------------------------------------------------------

void answer_free(struct answer *answer)
{
    body_free(&answer->body);
}

int64_t answer_ready(const struct answer *answer, int64_t now_ns)
{
    if (now_ns < answer->due_ns || answer->body.evicted)
        return 0;
    if (answer->kind != ANSWER_PIECES || answer->interval_ms == 0)
        return answer->length - answer->done;
    int64_t pieces = (now_ns - answer->due_ns) / (answer->interval_ms * NS_PER_MS) + 1;
    int64_t there = pieces * PIECE_BYTES;
    if (there > answer->length)
        there = answer->length;
    return there - answer->done;
}

int64_t answer_due_ns(const struct answer *answer)
{
    return answer->due_ns + answer->done / PIECE_BYTES * answer->interval_ms * NS_PER_MS;
}

// Eight bytes of image number `number`: a good mixture of the bits (Steele's SplitMix64).
static uint64_t image_word(uint32_t number, uint64_t index)
{
    uint64_t word = ((uint64_t)number << 32) + index * UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static void read_image(const struct answer *answer, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint64_t at = (uint64_t)answer->done + i,
                 word = image_word(answer->image, at / WORD_BYTES);
        uint8_t bytes[WORD_BYTES];
        memcpy(bytes, at < WORD_BYTES ? (const void *)PNG_SIGNATURE : &word, WORD_BYTES);
        size_t offset = at % WORD_BYTES, part = WORD_BYTES - offset;
        if (part > length - i)
            part = length - i;
        memcpy(out + i, bytes + offset, part);
        i += part;
    }
}

static void read_pieces(const struct answer *answer, uint8_t *out, size_t length)
{
    char line[2 * PIECE_BYTES];
    bool events = !strcmp(answer->type, EVENT_TYPE);
    for (size_t i = 0; i < length;) {
        int64_t at = answer->done + (int64_t)i;
        size_t offset = (size_t)(at % PIECE_BYTES), part = PIECE_BYTES - offset;
        int number = (int)(at / PIECE_BYTES) + 1;
        if (events)
            snprintf(line, sizeof line, "data: event %9d\n\n", number);
        else
            snprintf(line, sizeof line, "piece %6d of %6d\n", number,
                     (int)(answer->length / PIECE_BYTES));
        if (part > length - i)
            part = length - i;
        memcpy(out + i, line + offset, part);
        i += part;
    }
}

size_t answer_read(struct answer *answer, uint8_t *out, size_t room, int64_t now_ns)
{
    int64_t ready = answer_ready(answer, now_ns);
    size_t length = room;
    if (ready < (int64_t)room)
        length = (size_t)ready;
    if (answer->kind == ANSWER_TEXT)
        memcpy(out, answer->text + answer->done, length);
    else if (answer->kind == ANSWER_ECHO && length)
        memcpy(out, answer->body.bytes + answer->done, length);
    else if (answer->kind == ANSWER_IMAGE)
        read_image(answer, out, length);
    else if (answer->kind == ANSWER_PIECES)
        read_pieces(answer, out, length);
    answer->done += (int64_t)length;
    return length;
}
