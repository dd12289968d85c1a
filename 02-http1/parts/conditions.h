// conditions.h: what a request asks on a condition (RFC 9110 §13): only if the client's copy is
// old, or only if it is not.
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "http.h"

enum condition {
    CONDITION_NONE,    // the request is answered as if it had no condition
    CONDITION_CHANGED, // 412: this is not what the client has seen
    CONDITION_KNOWN    // 304: the client has it
};

// Tests the conditions of a GET or HEAD, in the order of §13.2.2: where a request has both a
// tag and a date, the tag counts. `tag` has its quotes; `date` is when the content last
// changed.
enum condition conditions_test(const struct http_head *head, const char *tag, time_t date);

// If-Range (§13.1.5): true if the ranges that the request asks for are of this content, or the
// request has no such field. A weak tag never is, nor is the date of a second in which the
// content may change once more (§8.8.2.2).
bool condition_if_range(const struct http_head *head, const char *tag, time_t date);

#endif
