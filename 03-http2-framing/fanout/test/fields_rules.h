// fields_rules.h: what has to be true of every header list that passes, whatever it consists
// of: both sides read it alike. For test.c and fuzz.c.
#ifndef FIELDS_RULES_H
#define FIELDS_RULES_H

#include <stdlib.h>

#include "fields.h"

// A request of HTTP/2 that passes: a reader of HTTP/1.1 finds the same request, and its end
// where it is. Returns NULL, or what is wrong. *passed: it has passed.
static inline const char *check_request_rules(const uint8_t *block, size_t length, bool *passed)
{
    static struct hpack_list list;
    static char bytes[4 * HPACK_LIST_MAX];
    struct hpack_decoder decoder;
    struct request request;
    struct http_out out = {bytes, sizeof bytes, 0, false};
    struct http_head head;
    *passed = false;
    hpack_decoder_begin(&decoder);
    bool good = hpack_decode(&decoder, block, length, &list);
    hpack_table_free(&decoder.table);
    if (!good || list.too_long || request_read(&list, &request) ||
        fields_refuse(&list, &request))
        return NULL;
    struct fields *fields = fields_of_request(&list, &request, "192.0.2.1");
    bool chunked = request.content_length < 0;
    fields_put_head(fields, chunked, &out);
    free(fields);
    *passed = true;
    int result = http_read_request(bytes, out.length, &head);
    if (result == -431 || result == -414 || result == -417 || result == -421)
        return NULL; // it is understood, and refused
    for (size_t i = 0; i < request.path.length;
         i++) // what is not in a URI, but is sent by some
        if (strchr("\"<>\\^`{|}", request.path.at[i]) && result == -400)
            return NULL;
    if (result != 1)
        return head.why ? head.why : "it is not read";
    if (head.length != out.length)
        return "it ends elsewhere";
    if (head.chunked != chunked || (!chunked && head.content_length != request.content_length))
        return "its content ends elsewhere";
    if (head.method.length != request.method.length ||
        head.target.length != request.path.length)
        return "it is another request";
    return NULL;
}

// An answer of HTTP/1.1 that passes is a right one in HTTP/2.
static inline const char *check_answer_rules(const char *bytes, size_t length, bool *passed)
{
    static struct hpack_list list;
    struct http_head head;
    struct response_head answer;
    *passed = http_read_response(bytes, length, &head) == 1 && head.status != 101;
    if (!*passed)
        return NULL;
    hpack_table_begin();
    struct fields *fields = fields_of_head(&head, "127.0.0.1:1");
    list.count = fields->count;
    memcpy(list.fields, fields->list, fields->count * sizeof *fields->list);
    const char *wrong = response_read(&list, &answer);
    if (!wrong && answer.status != head.status)
        wrong = "another status";
    if (!wrong && !head.chunked && answer.content_length != head.content_length)
        wrong = "another length";
    if (!wrong && head.chunked && answer.content_length >= 0)
        wrong = "a length beside chunks";
    free(fields);
    return wrong;
}

#endif
