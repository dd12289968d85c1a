// websocket_client.h: what a client of a WebSocket does that a server does not: it asks, checks
// the answer, and masks what it sends (RFC 6455 §4.1, §5.3).
#ifndef WEBSOCKET_CLIENT_H
#define WEBSOCKET_CLIENT_H

#include "answer.h"
#include "websocket.h"

// Makes an open HTTP connection a WebSocket. If it is none, `why` says why: FETCH_MALFORMED
// where the server refuses it or breaks the rules. A server in trouble (503) is FETCH_CLOSED.
// What comes behind the answer is in f->rest.
enum fetch_result websocket_open(struct fetch *f, const char *authority, const char *target,
                                 char why[ANSWER_WHY]);

// Sends a frame, with a new mask that nobody can foresee.
enum fetch_result websocket_send(struct fetch *f, enum ws_opcode opcode, const char *bytes,
                                 size_t length);

// Sends a close frame. WS_NO_CODE: one without a code.
enum fetch_result websocket_send_close(struct fetch *f, int code);

#endif
