// exchange.h: the mode in which a connection reads HTTP requests and has them answered.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "connection.h"

#define CONTENT_MAX 65536 // bytes of a request's content
#define IDLE_MS     60000 // a connection without a request is closed after this time
#define REQUEST_MS  10000 // a whole request has to come in this time

// Begins to read requests on a new connection.
void exchange_open(struct connection *c);

// Puts a connection in this mode.
void exchange_begin(struct connection *c);

#endif
