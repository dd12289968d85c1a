// answer_rules.h: what must be true of an answer that is stored, whatever its bytes are. For
// test.c (100,000 mutations) and fuzz.c.
#ifndef ANSWER_RULES_H
#define ANSWER_RULES_H

#include <stdlib.h>

#include "answers.h"
#include "cache.h"

#define ADDED_FIELDS 10 // the proxy adds fewer

// Parses bytes as an answer, and if it may be stored, stores it and finds it again. Returns
// NULL, or what is wrong.
static const char *answer_fault(const char *bytes, size_t length)
{
    static const char asked[] =
        "GET /a HTTP/1.1\r\nHost: a\r\nAccept-Language: de\r\nIf-None-Match: \"a\"\r\n\r\n";
    static char text[ANSWER_HEAD_BYTES], out_text[ANSWER_HEAD_BYTES];
    const struct http_text key = {"http://a/a", 10};
    struct http_head request, answer, again;
    struct http_out out = {text, sizeof text, 0, false};
    http_read_request(asked, sizeof asked - 1, &request);
    if (http_read_response(bytes, length, &answer) <= 0)
        return NULL;
    if (answer.field_count > HTTP_FIELDS - ADDED_FIELDS)
        return NULL; // our own reader would not take the new head: it has too many fields
    struct freshness f = freshness_read(&answer, 1000000000, 1000000001);
    if (f.age < 0 || f.lifetime < 0 || f.age > 2 * (int64_t)SECONDS_MAX)
        return "an age or a lifetime below 0, or too large";
    if (freshness_refusal(&request, &answer))
        return NULL;
    answer_put_stored_head(&answer, &out);
    if (out.overflow)
        return "a head that was read does not fit";
    if (http_read_response(text, out.length, &again) != 1 || again.length != out.length)
        return "the head that is kept is not one head";
    if (again.chunked || again.content_length >= 0 || http_field(&again, "age").at ||
        http_field(&again, "connection").at || http_field(&again, "set-cookie").at)
        return "a field is kept that is about the connection, the length or a user";
    struct entry *entry =
        cache_make(key, &request, &answer, (struct http_text){text, out.length}, &f);
    if (!entry)
        return NULL;
    struct http_text content = {bytes + answer.length, length - answer.length};
    if (content.length && cache_reserve(entry, content.length))
        cache_fill(entry, content);
    cache_list(entry);
    struct entry *found = cache_find(key, &request);
    struct client client = {.last = length & 1, .old = length & 2};
    out = (struct http_out){out_text, sizeof out_text, 0, false};
    answer_put_entry(&client, entry, "HIT", &out);
    bool is_one = http_read_response(out_text, out.length, &again) == 1 &&
                  again.length == out.length && again.status == answer.status &&
                  (again.status == 204 || again.content_length == (int64_t)entry->length);
    out.length = 0;
    answer_put_not_modified(&client, entry, "HIT", &out);
    bool is_304 =
        http_read_response(out_text, out.length, &again) == 1 && again.length == out.length;
    cache_release(entry);
    cache_remove_key(key);
    if (found != entry)
        return "what was stored is not found for the same request";
    if (!is_one || !is_304)
        return "an answer from the store is not one answer";
    if (cache_figures()->bytes || cache_figures()->entries)
        return "something is left in the store";
    return NULL;
}

#endif
