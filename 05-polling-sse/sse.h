// sse.h: GET /events: a stream of server-sent events (HTML standard §9.2): an answer that
// does not end. EventSource comes back by itself when it is cut, and says in Last-Event-ID
// what it has seen, so that nothing is lost and nothing comes twice.
#ifndef SSE_H
#define SSE_H

#include "connection.h"

void answer_events(struct connection *c, const struct http_request *request);

#endif
