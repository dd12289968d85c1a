// websocket_client.h: the client's side of a WebSocket: the client asks for it, checks the
// answer, and masks the frames that it sends (RFC 6455 §4.1, §5.3).
#ifndef WEBSOCKET_CLIENT_H
#define WEBSOCKET_CLIENT_H

#include "answer.h"
#include "websocket.h"

// Makes an open HTTP connection a WebSocket. FETCH_MALFORMED: the server refuses it or breaks
// the rules. FETCH_CLOSED: the connection is lost, or the server has trouble (503). `why` then
// gives the reason. Bytes behind the answer are in f->rest.
enum fetch_result websocket_open(struct fetch *f, const char *authority, const char *target,
                                 char why[ANSWER_WHY]);

// Sends a frame, with a new random mask.
enum fetch_result websocket_send(struct fetch *f, enum ws_opcode opcode, const char *bytes,
                                 size_t length);

// Sends a close frame; with WS_NO_CODE the frame has no code.
enum fetch_result websocket_send_close(struct fetch *f, int code);

#endif
