// response.h: how lesson 02's server sends an answer: a head, and then the content. The content
// goes at once, in parts when there is room for them, or in pieces that are made over time. To
// send means here: to write into the loop's buffer, at conn_space(). The loop calls send() when
// received() has returned. (Of a long file sendfile() sends at once.)
#ifndef RESPONSE_H
#define RESPONSE_H

#include "connection.h"

#define HEAD_ROOM_BYTES 1024 // room for output that is enough for any head

// Sends c->answer, now or when its delay is over. Needs HEAD_ROOM_BYTES of room. Until the
// answer is sent, the server reads no further request: so answers keep the order of the
// requests.
void send_answer(struct connection *c);

// The delay is over: sends the answer, or its next piece.
void send_delayed(struct connection *c);

// Sends as much of the content as there is room for. True: call it again.
bool send_content(struct connection *c);

// Answers a request that cannot be served: with this status and, in half a sentence, the
// reason. Then the connection closes, because the server does not know where the next request
// begins.
void send_refusal(struct connection *c, int status, const char *why);

// Frees what belongs to one request and its answer.
void end_exchange(struct connection *c);

#endif
