// websocket_chat.h: GET /ws: a WebSocket that brings the feed and is a chat: what one user
// says, all others hear. GET /ws/echo sends every message back, for those who test their own
// programs.
#ifndef WEBSOCKET_CHAT_H
#define WEBSOCKET_CHAT_H

#include "connection.h"

#define MESSAGE_MAX 1048576  // bytes of what a user says
#define ECHO_MAX    16777216 // bytes of a message to /ws/echo

// Who comes and goes is told while there are no more users than this. (A room of 5,000 would
// send 12.5 million messages only to fill.)
#define ANNOUNCED_USERS 100

void answer_websocket(struct connection *c, const struct http_request *request);

// A connection is gone; if it was a user of the chat, the others are told.
void websocket_chat_closed(struct connection *c);

#endif
