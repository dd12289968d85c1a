// sse.h: GET /events: a stream of server-sent events (HTML standard §9.2), which is an answer
// that does not end. When its connection breaks, EventSource connects again by itself. It sends
// the id of its last event in Last-Event-ID, so no event is lost and none comes twice.
#ifndef SSE_H
#define SSE_H

#include "connection.h"

void answer_events(struct connection *c, const struct http_request *request);

#endif
