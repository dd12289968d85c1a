// response.h: how lesson 02's server sends an answer: a head, and behind it content that goes
// at once, in parts as there is room, or in pieces as time goes by.
#ifndef RESPONSE_H
#define RESPONSE_H

#include "connection.h"

#define HEAD_ROOM_BYTES 1024 // of output in which any head finds room

// Sends c->answer, now or when its delay is over. Needs HEAD_ROOM_BYTES of room. Until the
// answer is sent, nothing else is received: answers keep the order of the requests.
void send_answer(struct connection *c);

// Sends what has come due: the delayed answer, or its next piece.
void send_delayed(struct connection *c);

// Sends as much of the content as there is room for. Returns true if that is anything.
bool send_content(struct connection *c);

// Answers a request that cannot be served with this status, and closes, because nothing is
// known about where the next request begins.
void send_refusal(struct connection *c, int status, const char *why);

// Frees what belongs to one request and its answer.
void end_exchange(struct connection *c);

#endif
