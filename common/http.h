// http.h: the head of an HTTP/1.1 message, read from bytes (RFC 9112). What follows it is in
// body.h, writing one in http_out.h.
//
// Reading copies nothing and allocates nothing: the texts of a head point into the bytes that
// it was read from. Where an RFC leaves a choice between refusing and guessing, this refuses:
// two programs that guess differently are a security hole (RFC 9112 §11.2).
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_out.h"
#include "http_text.h"

#define HTTP_LINE_BYTES 8192  // of a request line
#define HTTP_HEAD_BYTES 16384 // of all header fields together
#define HTTP_FIELDS     100

struct http_field {
    struct http_text name, value;
};

struct http_head {
    size_t length;                   // of the head in bytes, with the empty line that ends it
    int minor;                       // HTTP/1.minor
    struct http_text method, target; // of a request
    int status;                      // of a response
    struct http_text host;           // what the request is for: example.org or example.org:8002
    int64_t content_length;          // -1: no such field
    bool chunked;                    // the body comes in chunks
    bool keep_alive;                 // the connection stays open after this message
    bool expects_continue;           // the client waits for a 100 before it sends the body
    size_t field_count;
    struct http_field fields[HTTP_FIELDS];
};

// Reads the head of a request, or of a response, at the start of bytes. Returns 1 if it is
// whole, 0 if more bytes have to come, and the status to refuse it with, negated, if it is not
// HTTP/1 (-400), too long (-414, -431), of another version (-505) or asks for what no one here
// implements (-417, -501). After a refusal nothing is known about where the next one begins.
int http_read_request(const char *bytes, size_t length, struct http_head *head);
int http_read_response(const char *bytes, size_t length, struct http_head *head);

// Reads one "name: value" line of a head or a trailer, and its CRLF, at `at`. Returns where the
// next line begins, NULL if this one is not whole yet; sets *status to -400 if it is wrong.
const char *http_read_field(const char *at, const char *end, struct http_field *field,
                            int *status);

// The value of a field (name in lower case), the first one if there are more; length 0 and at
// NULL if there is none.
struct http_text http_field(const struct http_head *head, const char *name);

#endif
