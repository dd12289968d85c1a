// test_parser.h: rules that the readers of ../common/http.h must keep for any bytes. test.c
// makes the bytes by mutation, fuzz.c with libFuzzer.
//
// The readers get memory of exactly the right size, so that the sanitizers notice a read behind
// the end.
#ifndef TEST_PARSER_H
#define TEST_PARSER_H

#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "smaller.h"

typedef int (*head_reader)(const char *, size_t, struct http_head *);

// Reads a head from memory of exactly its size, and frees that memory: after this call the
// pointers in *head are not valid.
static inline int read_copy(head_reader reader, const char *bytes, size_t length,
                            struct http_head *head)
{
    char *copy = malloc(length);
    if (length)
        memcpy(copy, bytes, length);
    int result = reader(copy, length, head);
    free(copy);
    return result;
}

static inline bool is_in(struct http_text text, const char *bytes, size_t length)
{
    return text.at >= bytes && text.at + text.length <= bytes + length;
}

// Line ends are CRLF, nothing else, and there is no NUL.
static inline bool has_clean_lines(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] == '\0' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) ||
            (bytes[i] == '\r' && (i + 1 == length || bytes[i + 1] != '\n')))
            return false;
    return true;
}

static inline int count_fields(const struct http_head *head, const char *name)
{
    int count = 0;
    for (size_t i = 0; i < head->field_count; i++)
        count += http_is_token(head->fields[i].name, name);
    return count;
}

// Checks the rules for a request that was accepted. Returns the rule that it breaks, or NULL.
static inline const char *request_fault(const struct http_head *head, const char *bytes,
                                        size_t length)
{
    int lengths = count_fields(head, "content-length"), hosts = count_fields(head, "host");
    int codings = count_fields(head, "transfer-encoding");
    if (head->length > length || head->length < 16)
        return "the length of the head";
    if (!has_clean_lines(bytes, head->length))
        return "a bare CR or LF, or a NUL, in a head";
    if (memcmp(bytes + head->length - 4, "\r\n\r\n", 4))
        return "the end of the head";
    if (!head->method.length || !is_in(head->method, bytes, head->length))
        return "the method";
    if (!head->target.length || memchr(head->target.at, ' ', head->target.length))
        return "the target";
    if (hosts > 1 || (head->minor && !hosts))
        return "not one Host";
    if (lengths + codings > 1)
        return "more than one field says where it ends";
    if ((lengths == 1) != (head->content_length >= 0) || head->chunked != (codings == 1))
        return "what the fields say of the end";
    if (head->chunked && !head->minor)
        return "chunks in HTTP/1.0";
    for (size_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];
        if (!field->name.length || !is_in(field->name, bytes, head->length) ||
            !is_in(field->value, bytes, head->length))
            return "a field's place";
        if (field->name.at[-1] != '\n' || field->name.at[field->name.length] != ':')
            return "what is around a name";
    }
    return NULL;
}

// The beginning of a head must be read as "not whole yet", or be refused as the whole head is.
static inline bool agrees_with_part(head_reader reader, const char *bytes, size_t part,
                                    int result, size_t head_length)
{
    struct http_head head;
    int early = read_copy(reader, bytes, part, &head);
    if (result > 0 && part >= head_length)
        return early > 0 && head.length == head_length;
    return early == 0 || (result < 0 && early == result);
}

// ---- content -------------------------------------------------------------------------------

struct content_seen {
    size_t used;         // bytes
    size_t length;       // of the content
    uint32_t sum;        // of its bytes and their places
    ssize_t status;      // of a refusal
    bool done, too_much; // the last: it claims to have used what it did not get
};

// Reads all content that is in these bytes.
static inline void take_all(struct http_body *body, const char *bytes, size_t length,
                            struct content_seen *seen)
{
    char *copy = malloc(length);
    struct http_text content;
    size_t at = 0;
    if (length)
        memcpy(copy, bytes, length);
    while (!body->done && !seen->status) {
        ssize_t used = http_body_take(body, copy + at, length - at, &content);
        if (used < 0)
            seen->status = used;
        if (used <= 0)
            break;
        seen->too_much = seen->too_much || (size_t)used > length - at ||
                         (content.length && !is_in(content, copy + at, (size_t)used));
        for (size_t i = 0; i < content.length; i++)
            seen->sum = seen->sum * 31 + (uint8_t)content.at[i];
        seen->length += content.length;
        at += (size_t)used;
    }
    seen->used += at;
    seen->done = body->done;
    free(copy);
}

// Content in two parts must be read as in one part, or be refused in the same way.
static inline const char *content_fault(const struct http_body *begin, const char *bytes,
                                        size_t length, size_t cut)
{
    struct http_body whole = *begin, parts = *begin;
    struct content_seen one = {0}, two = {0};
    take_all(&whole, bytes, length, &one);
    take_all(&parts, bytes, cut, &two);
    if (!two.done && !two.status)
        take_all(&parts, bytes + two.used, length - two.used, &two);
    if (one.too_much || two.too_much)
        return "content that is not there";
    if (one.status != two.status || one.done != two.done)
        return "content in parts ends otherwise";
    if (one.length != two.length || one.sum != two.sum || (one.done && one.used != two.used))
        return "content in parts is another one";
    return NULL;
}

// ---- all of it -----------------------------------------------------------------------------

// Reads these bytes as a request with content, in one part and in two (cut at `cut`). Returns
// the rule that the readers break, or NULL.
static inline const char *reading_fault(const char *bytes, size_t length, size_t cut)
{
    static struct http_head head;
    struct http_body body;
    char *copy = malloc(length);
    if (length)
        memcpy(copy, bytes, length);
    int result = http_read_request(copy, length, &head);
    const char *fault = NULL;
    if (result > 0)
        fault = request_fault(&head, copy, length);
    free(copy);
    cut = smaller(cut, length);
    if (fault)
        return fault;
    if (!agrees_with_part(http_read_request, bytes, cut, result, head.length))
        return "a part of a request is read otherwise";
    if (result > 0 &&
        !agrees_with_part(http_read_request, bytes, head.length - 1, result, head.length))
        return "the last byte of a head was not needed";
    if (result <= 0)
        return NULL;
    http_body_of_request(&body, &head);
    size_t rest = length - head.length;
    return content_fault(&body, bytes + head.length, rest, smaller(cut, rest));
}

// The same for a response.
static inline const char *response_fault(const char *bytes, size_t length, size_t cut)
{
    static struct http_head head;
    struct http_body body;
    int result = read_copy(http_read_response, bytes, length, &head);
    cut = smaller(cut, length);
    if (result > 0 && (head.length > length || head.status < 100 || head.status > 999))
        return "a response's head";
    if (!agrees_with_part(http_read_response, bytes, cut, result, head.length))
        return "a part of a response is read otherwise";
    if (result <= 0)
        return NULL;
    http_body_of_response(&body, &head, false);
    size_t rest = length - head.length;
    return content_fault(&body, bytes + head.length, rest, smaller(cut, rest));
}

#endif
