// handler.h: the one request handler that all models are built around.
#ifndef HANDLER_H
#define HANDLER_H

#include "request.h"
#include "workers.h"

#define ANSWER_TEXT_BYTES 4096
#define ANSWER_ROOM       (ANSWER_TEXT_BYTES + 512) // the longest answer, head and content

struct answer {
    int status;
    int wait_ms;      // /io: the model sends the answer only after so many ms; 0: at once
    int write_kb;     // /write: the model sends it when the disk has so many KB; 0: at once
    const char *text; // the content: points to `line`, or to a string constant
    size_t length;    // of the text, in bytes
    char line[ANSWER_TEXT_BYTES];
};

// Makes the answer to a request. That may take time (/cpu), but handle() never sleeps: it sets
// `wait_ms` or `write_kb`, and the model waits in its own way. The text of an answer that waits
// is always a string constant, so a model can keep the pointer. `client_fd` is the client's
// connection, for --look; -1: the worker has none (pool), and looks at worker->client_gone.
//
//     GET /who     "model: pool\npid: 100\ntid: 102\nworker: 1\n"
//     GET /count   "1234\n": the counter, after `times` increments
//     GET /stats   lines "name: value" of all workers together, the last one "served: 12 13"
void handle(const struct request *request, struct worker *worker, int client_fd,
            struct answer *answer);

// Waits, in the thread that calls it, for what the answer has to wait for: that thread does
// nothing else meanwhile. A disk that does not take the record makes the answer a 500.
void answer_wait(struct answer *answer);

// The answer to /write: the disk has the record, or does not take it.
void answer_written(struct answer *answer, bool written);

// Writes the head and the content of an answer to `out`. `http` says what the client can read
// (HTTP version, HEAD) and whether the connection stays open: see ../common/http_server.h.
void answer_put(const struct http_server *http, struct http_out *out,
                const struct answer *answer);

// A 503: there is no room for this client or its request. Its field Retry-After says when to
// ask again.
extern const struct answer answer_busy;

#endif
