// events.h: GET /events: a stream of server-sent events (HTML standard §9.2): an answer that
// does not end. EventSource comes back by itself when it is cut, and says in Last-Event-ID
// what it has seen, so that nothing is lost and nothing comes twice.
#ifndef EVENTS_H
#define EVENTS_H

#include "session.h"

void answer_events(struct session *s, const struct request *request);

#endif
