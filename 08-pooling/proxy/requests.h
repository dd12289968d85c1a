// requests.h: a client's connection: its requests, one after the other, and what becomes of
// each: an answer from the store, a wait for another client's request, or a request to a
// server.
#ifndef REQUESTS_H
#define REQUESTS_H

#include "exchange.h"

#define CLIENTS_MAX 4000
#define HEAD_MS     10000 // that a request's head may take

// The loop's calls (loop.h).
void client_opened(struct client *client);
size_t client_received(struct client *client, const char *bytes, size_t length);
bool client_produce(struct client *client);
void client_timeout(struct client *client);
void client_woken(struct client *client);
void client_stop(struct client *client);
void client_closed(struct client *client);

#endif
