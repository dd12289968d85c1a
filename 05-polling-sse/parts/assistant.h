// assistant.h: POST /chat: an assistant's answer that is sent word by word, so the user can
// read its beginning before the end is there. It is an ordinary answer to an ordinary POST, in
// chunks (RFC 9112 §7.1). The content is plain text, or events if the client accepts
// text/event-stream.
#ifndef ASSISTANT_H
#define ASSISTANT_H

#include "connection.h"

#define QUESTION_MAX 4096 // bytes

void answer_chat(struct connection *c, const struct http_request *request);

#endif
