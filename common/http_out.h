// http_out.h: writing the head of an HTTP/1.1 message.
#ifndef HTTP_OUT_H
#define HTTP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

// Appends to `bytes`, and marks `overflow` instead where there is no room.
struct http_out {
    char *bytes;
    size_t size, length;
    bool overflow;
};

void http_put(struct http_out *out, const void *bytes, size_t length);
void http_put_text(struct http_out *out, const char *text);
void http_put_number(struct http_out *out, uint64_t number, unsigned base);

// "HTTP/1.1 200 OK", Date and Server: how every response here begins. Then fields, then "\r\n".
void http_put_status(struct http_out *out, int status);
void http_put_field(struct http_out *out, const char *name, const char *value);
void http_put_length(struct http_out *out, uint64_t content_length);

const char *http_reason(int status); // "Not Found"

// The time as HTTP writes it (RFC 9110 §5.6.7); the text is valid until this thread's next
// call.
const char *http_date(time_t seconds);

#endif
