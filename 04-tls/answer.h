// answer.h: what lesson 04's server has to say: a few fixed routes.
//
//     GET /             how this connection is secured, one fact a line
//     GET /bytes?n=     n bytes, "abc...z" over and over
//     POST /echo        the request's own content
//     POST /transfer    "moves money": every such request counts, also one that came as early
//                       data, and perhaps for the second time
//     POST /safe-transfer   the same, but not with early data: 425, try again (RFC 8470 §5.2)
//     GET /transfers    how many there were
#ifndef ANSWER_H
#define ANSWER_H

#include "http.h"
#include "tls_filter.h"

#define BULK_MAX   (1L << 30) // bytes of /bytes
#define TEXT_BYTES 768

struct answer {
    int status;
    enum { ANSWER_TEXT, ANSWER_BULK, ANSWER_ECHO, ANSWER_ACT } kind;
    const char *allow;     // the methods that there are, if it was none of them
    char text[TEXT_BYTES]; // the content of an ANSWER_TEXT
    uint64_t length, sent; // bytes of content
};

// Decides on the answer to a request. ANSWER_ECHO and ANSWER_ACT have no content yet: that is
// known when the request's own is complete.
void answer_request(const struct http_head *head, const struct tls_filter *s, long transfers,
                    struct answer *answer);

// A line of text, as the whole content.
void answer_text(struct answer *answer, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The head of an answer.
void answer_head(const struct answer *answer, bool keep_alive, struct http_out *out);

// The next part of the content of an ANSWER_BULK: at most `room` bytes, *length of them. It is
// counted as sent.
const char *answer_bulk(struct answer *answer, size_t room, size_t *length);

#endif
