// fields.h: the header fields of a message on its way through the proxy: which of them pass,
// and what the proxy adds (RFC 9110 §7.6, RFC 9113 §8.2), from HTTP/2 to HTTP/2, and between
// HTTP/2 and HTTP/1.1.
//
// A message that is passed on has been read first, by ../parts/message.h or common's http.h: so
// its names and values consist of characters that both protocols allow, its length is one
// number, and what it says about a connection is not passed on. That is why nothing is
// smuggled.
#ifndef FIELDS_H
#define FIELDS_H

#include "http.h"
#include "message.h"

// A header list that is kept: one block of memory, with the texts behind the fields.
struct fields {
    struct fields *next; // an answer may have several heads: 103, then 200
    bool interim;        // a 1xx
    size_t count, room;
    char *texts;
    size_t used, size;
    struct hpack_field list[];
};

// Each makes a copy, or returns NULL: no memory. The fields of a request of this client, whose
// address is for x-forwarded-for; those of an answer, with the backend's name for x-backend
// (NULL: the client is not told); those of trailers.
struct fields *fields_of_request(const struct hpack_list *list, const struct request *request,
                                 const char *client);
struct fields *fields_of_answer(const struct hpack_list *list, int status, const char *backend);
struct fields *fields_of_trailers(const struct hpack_list *list);

// The status with which the proxy answers a request itself; 0: it may pass on.
int fields_refuse(const struct hpack_list *list, const struct request *request);

// An answer of the proxy's own, whose content is `length` bytes of text.
struct fields *fields_of_own_answer(int status, size_t length);

// HTTP/1.1: an answer's head as fields of HTTP/2; and a request as a head, which ends with the
// empty line. `chunked`: the content has no length that is known.
struct fields *fields_of_head(const struct http_head *head, const char *backend);
void fields_put_head(const struct fields *fields, bool chunked, struct http_out *out);

// The value of a field; `at` is NULL if there is none.
struct http_text fields_find(const struct fields *fields, const char *name);

// When the proxy ends a request: a second after what its grpc-timeout says, which is up to
// eight digits and a unit, and which the backend gets, too. NEVER: there is none.
int64_t fields_deadline(const struct fields *request, int64_t now_ns);

#endif
