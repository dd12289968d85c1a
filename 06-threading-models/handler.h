// handler.h: the one request handler that all seven models are built around.
#ifndef HANDLER_H
#define HANDLER_H

#include "request.h"
#include "workers.h"

#define ANSWER_TEXT_BYTES 4096
#define ANSWER_ROOM       (ANSWER_TEXT_BYTES + 512) // bytes that any answer finds room in

struct answer {
    int status;
    int wait_ms;      // that the answer has to wait (/io): the model sees to that
    const char *text; // the content: points to `line`, or to what never changes
    size_t length;
    char line[ANSWER_TEXT_BYTES];
};

// Decides on the answer to a request, or does what has to be done for it, which may take time
// (/cpu) but never sleeps. Where `wait_ms` is set, the text never changes.
//
//     GET /who     "model: pool\npid: 100\ntid: 102\nworker: 1\n"
//     GET /count   "1234\n": the counter, after `times` increments
//     GET /stats   lines "name: value" of all workers together, the last one "served: 12 13"
void handle(const struct request *request, struct worker *worker, struct answer *answer);

// Writes an answer, its head and content, as the connection needs it: see http_server.h.
void answer_put(const struct http_server *http, struct http_out *out,
                const struct answer *answer);

// A 503: there is no room for this client or its request. It says when to come again.
extern const struct answer answer_busy;

#endif
