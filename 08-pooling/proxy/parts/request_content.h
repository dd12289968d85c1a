// request_content.h: a request's content on its way to the server.
#ifndef REQUEST_CONTENT_H
#define REQUEST_CONTENT_H

#include "exchange.h"

// A request's content has to come at LOOP_SLOWEST_RATE, measured over this time.
#define CONTENT_MS 15000

// What has come of it. Returns how many bytes are used.
size_t request_content(struct client *client, const char *bytes, size_t length);

// True if the client has kept to the lowest rate, or could not, because the server is slow.
bool request_is_in_pace(struct client *client);

#endif
