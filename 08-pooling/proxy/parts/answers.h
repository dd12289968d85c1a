// answers.h: the heads of the answers that clients get: those that are passed on, those that
// come from the store, and the proxy's own.
#ifndef ANSWERS_H
#define ANSWERS_H

#include "exchange.h"

#define ANSWER_HEAD_BYTES (FORWARD_HEAD_BYTES + 512) // that a head may need

// What the store keeps of an answer's head: no field of one connection, no length, no age.
void answer_put_stored_head(const struct http_head *answer, struct http_out *out);

// The head of an answer that is passed on. `word` is for X-Cache; NULL: none.
void answer_put_head(const struct client *client, const struct http_head *answer,
                     const char *word, struct http_out *out);

// A 1xx; for a 101 also what it is changed to.
void answer_put_interim(const struct http_head *answer, struct http_out *out);

// Begins to answer a request with an entry: writes the head, or, where the client has the
// content already, 304. If there is content to send, client->entry is the entry, else NULL.
void answer_begin_entry(struct client *client, const struct http_head *request,
                        struct entry *entry, const char *word, struct http_out *out);

// The head for an answer with this entry; how its content is framed is in the client.
void answer_put_entry(const struct client *client, const struct entry *entry, const char *word,
                      struct http_out *out);

// The same, where the client has the content already: 304.
void answer_put_not_modified(const struct client *client, const struct entry *entry,
                             const char *word, struct http_out *out);

// An answer of the proxy's own, with its content.
void answer_put_own(const struct client *client, int status, const char *why,
                    struct http_out *out);

#endif
