// app_server.h: what any framework does for an app: it accepts connections, reads requests, and
// sends answers; each connection has a thread of its own.
#ifndef APP_SERVER_H
#define APP_SERVER_H

#include "http_server.h"

#define APP_REQUEST_BYTES 65536
#define APP_ANSWER_BYTES  32768

// Writes the answer to a request to `out`.
typedef void app_handler(struct http_server *http, const struct http_request *request,
                         struct http_out *out);

// Serves until SIGINT or SIGTERM.
void app_serve(const char *host, int port, app_handler *handler);

#endif
