// exchange.h: the mode in which a connection reads HTTP requests and has them answered.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "connection.h"

#define CONTENT_MAX 65536 // bytes of a request's content
#define IDLE_MS     60000 // without a request, on a connection that is kept
#define REQUEST_MS  10000 // for a whole request, however slowly it comes

// Begins to read requests on a new connection.
void exchange_open(struct connection *c);

// Puts a connection in this mode.
void exchange_begin(struct connection *c);

#endif
