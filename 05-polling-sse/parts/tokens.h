// tokens.h: POST /chat: an assistant's answer, word by word as it comes to mind, so that one
// can read before it is finished. It is an ordinary answer to an ordinary POST, in chunks
// (RFC 9112 §7.1): plain text, or events for those who accept text/event-stream.
#ifndef TOKENS_H
#define TOKENS_H

#include "connection.h"

#define QUESTION_MAX 4096 // bytes

void answer_chat(struct connection *c, const struct http_request *request);

#endif
