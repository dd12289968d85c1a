// polling.h: short and long polling. GET /poll?since=ID answers at once, with the events that
// there are. GET /wait?since=ID&timeout=MS answers when there is an event; after `timeout`
// milliseconds without one the answer is 204. Each line of an answer is an event in JSON.
#ifndef POLLING_H
#define POLLING_H

#include "connection.h"

#define WAIT_MS     25000 // when the request has no timeout=
#define WAIT_MAX_MS 60000

void answer_poll(struct connection *c, const struct http_request *request);
void answer_wait(struct connection *c, const struct http_request *request);

#endif
