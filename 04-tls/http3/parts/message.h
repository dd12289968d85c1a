// message.h: what a header section has to be to be a request or an answer (RFC 9114 §4.1.2,
// §4.2, §4.3). The rules are those of HTTP/2.
#ifndef MESSAGE_H
#define MESSAGE_H

#include "qpack.h"

struct request {
    struct http_text method, scheme, authority, path; // at NULL: not there
    int64_t content_length;                           // -1: there is no such field
    bool head;                                        // the method is HEAD
    bool expects_continue;
};

struct response_head {
    int status;
    int64_t content_length;
};

// Each returns NULL, or half a sentence that says what is wrong: then the message is malformed,
// which is a stream error of type H3_MESSAGE_ERROR. The texts point into the list.
const char *message_request(const struct qpack_list *list, struct request *request);
const char *message_response(const struct qpack_list *list, struct response_head *head);
const char *message_trailers(const struct qpack_list *list);

#endif
