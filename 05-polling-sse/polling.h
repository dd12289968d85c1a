// polling.h: news for those who ask for it. GET /poll?since=ID answers at once, with what there
// is; GET /wait?since=ID&timeout=MS holds the request back until there is something, and says
// 204 if there was nothing for so long. The answer is a line of JSON for each event.
#ifndef POLLING_H
#define POLLING_H

#include "connection.h"

#define WAIT_MS     25000 // if the client does not say how long
#define WAIT_MAX_MS 60000

void answer_poll(struct connection *c, const struct http_request *request);
void answer_wait(struct connection *c, const struct http_request *request);

#endif
