// websocket_chat.h: GET /ws: a WebSocket that brings the events of the feed and is also a chat:
// a user's message is sent to all other users. GET /ws/echo sends every message back to its
// sender: with it you can test a client.
#ifndef WEBSOCKET_CHAT_H
#define WEBSOCKET_CHAT_H

#include "connection.h"

#define MESSAGE_MAX 1048576  // bytes of a message in the chat
#define ECHO_MAX    16777216 // bytes of a message to /ws/echo

// While there are at most so many users, all of them are told when a user joins or leaves.
// (With 5,000 users these would be 12.5 million messages until all have joined.)
#define ANNOUNCED_USERS 100

void answer_websocket(struct connection *c, const struct http_request *request);

// Call it when a connection is closed. If it was a user of the chat, the other users are told.
void websocket_chat_closed(struct connection *c);

#endif
