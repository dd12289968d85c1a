// answer.h: the answers of lesson 04's server, for a few fixed paths.
//
//     GET /             how this connection is secured, one fact a line
//     GET /bytes?n=     n bytes, "abc...z" over and over
//     POST /echo        the request's own content
//     POST /transfer    "moves money": each such request counts, also if it came as early data
//                       and an attacker has sent it for the second time
//     POST /safe-transfer   the same, but early data is refused: 425 (RFC 8470 §5.2)
//     GET /transfers    how many transfers there were
#ifndef ANSWER_H
#define ANSWER_H

#include "http.h"
#include "tls_filter.h"

#define BULK_MAX   (1L << 30) // bytes of /bytes
#define TEXT_BYTES 768

struct answer {
    int status;
    enum { ANSWER_TEXT, ANSWER_BULK, ANSWER_ECHO, ANSWER_ACT } kind;
    const char *allow;     // with 405: the methods that this path takes
    char text[TEXT_BYTES]; // the content of an ANSWER_TEXT
    uint64_t length, sent; // bytes of content
};

// Decides on the answer to a request. ANSWER_ECHO and ANSWER_ACT get their content later, when
// the request's content is complete.
void answer_request(const struct http_head *head, const struct tls_filter *s, long transfers,
                    struct answer *answer);

// Makes an answer whose content is this text.
void answer_text(struct answer *answer, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// From now on all answers say where else the same is served (Alt-Svc, RFC 7838). NULL: nowhere.
void answer_alternative(const char *value);

// Writes the head of an answer.
void answer_head(const struct answer *answer, bool keep_alive, struct http_out *out);

// A line of the log: "GET /bytes?n=100: 200, 100 bytes". An error's text says what was wrong.
// An empty `request`: its head has not come, or is malformed.
void answer_log(const struct answer *answer, const char *request);

// Returns the next part of the content of an ANSWER_BULK, at most `room` bytes. *length says
// how many. They count as sent.
const char *answer_bulk(struct answer *answer, size_t room, size_t *length);

#endif
