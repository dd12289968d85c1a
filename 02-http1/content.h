// content.h: how lesson 02's server reads the content of a request: with limits, with a lowest
// rate, and to the place where it belongs.
#ifndef CONTENT_H
#define CONTENT_H

#include "connection.h"

#define CONTENT_MAX_BYTES (1 << 20) // of a request, where the content is kept in memory
#define CONTENT_RATE_MIN  4096      // bytes a second that content has to come with

// Begins to read the content behind this head: sends 100 (Continue) if the client waits for it,
// or refuses the content. `idle_ms`: the most time that the client may send nothing.
void begin_content(struct connection *c, const struct http_head *head, int idle_ms);

// Uses content that has come, and sends the answer when the content is whole. Returns how many
// bytes it has used.
size_t take_content(struct connection *c, const char *bytes, size_t length);

// The request has come as a whole, with its content if it has any: sends the answer.
void finish_request(struct connection *c);

#endif
