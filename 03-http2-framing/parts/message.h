// message.h: from a list of header fields to a request or a response, or to the reason why it
// is malformed (RFC 9113 §8.1.1, §8.2, §8.3). HTTP/2 leaves little to interpretation here on
// purpose: what one program takes and the next one takes differently is how requests are
// smuggled.
#ifndef MESSAGE_H
#define MESSAGE_H

#include "hpack.h"
#include "http.h"

static inline struct http_text field_name(const struct hpack_field *field)
{
    return (struct http_text){field->name, field->name_length};
}

static inline struct http_text field_value(const struct hpack_field *field)
{
    return (struct http_text){field->value, field->value_length};
}

struct request {
    struct http_text method, scheme, authority, path;
    int64_t content_length; // -1: not said
    bool connect, head;     // the methods that change the rules
    bool expects_continue;  // the client waits for a 100 before it sends the body
};

// Reads the fields of a request into *request, whose texts then point into the list. Returns
// NULL, or in words what makes it malformed.
const char *request_read(const struct hpack_list *list, struct request *request);

struct response_head {
    int status;
    int64_t content_length; // -1: not said
};

// The same for a response.
const char *response_read(const struct hpack_list *list, struct response_head *head);

// The same for the trailers that may follow a body.
const char *message_check_trailers(const struct hpack_list *list);

// Whether the name and the value of a field, pseudo-header fields aside, consist of characters
// that may be there, and the field may be in HTTP/2 at all. NULL, or what is wrong.
const char *message_check_field(const struct hpack_field *field);

#endif
