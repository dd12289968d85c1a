// pages.h: what the server serves, whichever protocol asks for it.
//
//     GET /                        "hello, world"
//     GET /img/N?size=BYTES        bytes that look like an image; the same for the same N
//     GET /slow?ms=MS              an answer that takes its time
//     GET /stream?n=COUNT&ms=MS    COUNT lines, MS apart, each sent when there is time for it
//     GET /page?ms=MS              a page that takes its time; over HTTP/2 with 103 before it
//     GET /events?ms=MS            events without an end, MS apart (text/event-stream)
//     *   /echo                    the body of the request
//
// A protocol (HTTP/2 or HTTP/1.1) asks page() what the answer is, sends status and fields, and
// then takes the content from answer_read() as fast as the client takes it. Only the content of
// an echo is kept in memory.
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body_budget.h"
#include "http.h"

#define ECHO_MAX     (1 << 20)  // bytes of a request's body
#define IMAGE_MAX    (64 << 20) // bytes of an image
#define IMAGE_SIZE   10000      // if the request does not say
#define PIECES_MAX   10000
#define DELAY_MAX_MS 60000

enum answer_kind { ANSWER_TEXT, ANSWER_IMAGE, ANSWER_PIECES, ANSWER_ECHO };

struct answer {
    enum answer_kind kind;
    int status;
    const char *type;  // content-type; NULL: there is no content
    const char *allow; // the methods, for a 405; else NULL
    const char *link;  // what the page needs: sent at once, by a 103 (RFC 8297); NULL: nothing
    int64_t length;    // of the content
    int64_t done;      // bytes of it that answer_read() has written
    int64_t due_ns;    // the answer is not sent before this time, on now_ns()'s clock
    const char *text;  // of a text
    uint32_t image;    // number of an image
    uint32_t interval_ms; // between the pieces of a stream
    struct body body;     // what is echoed
    void *owner;          // what sends in place of a page: see transport.h; NULL: a page does
};

// Decides what to answer to a method and a target (path and query). Only the content of an echo
// comes later.
void page(struct http_text method, struct http_text target, int64_t now_ns,
          struct answer *answer);

// An answer without a page: an error, with its reason as content.
void page_error(int status, struct answer *answer);

// Writes the next part of the content to `out`, at most `room` bytes. Returns how many: zero if
// all is done, or if the rest is not due yet.
size_t answer_read(struct answer *answer, uint8_t *out, size_t room, int64_t now_ns);

// How many bytes answer_read() could write now, if there was enough room. 0 for an evicted
// body.
int64_t answer_ready(const struct answer *answer, int64_t now_ns);

// When the next bytes will be due, if answer_ready() is zero and not all is done.
int64_t answer_due_ns(const struct answer *answer);

// Frees what belongs to the answer.
void answer_free(struct answer *answer);

#endif
