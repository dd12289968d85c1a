// pages.h: what the server serves.
//
//     GET /                     "hello, world"
//     GET /img/N?size=BYTES     bytes that look like an image; the same for the same N
//     GET /slow?ms=MS           an answer that takes its time
//     *   /echo                 the content of the request
#ifndef PAGES_H
#define PAGES_H

#include "http.h"

#define ECHO_MAX     (1 << 20)  // bytes of a request's content
#define ECHOES_MAX   (64 << 20) // bytes of the content of all requests together
#define IMAGE_MAX    (64 << 20) // bytes of an image
#define IMAGE_SIZE   10000      // if the request does not say
#define DELAY_MAX_MS 60000

struct page {
    enum { PAGE_TEXT, PAGE_IMAGE, PAGE_ECHO } kind;
    int status;
    const char *type;   // content-type; NULL: there is no content
    const char *allow;  // the methods, for a 405 and for OPTIONS; else NULL
    const char *text;   // of a PAGE_TEXT
    uint32_t image;     // number of an image
    uint64_t length;    // of the content
    uint64_t done;      // bytes of it that were sent
    int64_t due_ns;     // the answer is not sent before this time
    uint8_t *echo;      // the content of the request
    size_t echo_length; // that has come
    size_t echo_room;   // bytes of memory for it
};

// Decides on the answer to a method and a target (path and query).
void page_choose(struct http_text method, struct http_text target, int64_t now_ns,
                 struct page *page);

// An answer without a page: an error, with a reason (NULL: the usual one).
void page_error(struct page *page, int status, const char *why);

// Adds content of the request to a PAGE_ECHO. Returns 0, or the status of an error.
int page_take(struct page *page, const uint8_t *bytes, size_t length);

// The next part of the content: *length says how many bytes; they are valid until the next
// call. The caller adds to `done` what was sent.
const uint8_t *page_content(const struct page *page, size_t *length);

void page_free(struct page *page);

#endif
