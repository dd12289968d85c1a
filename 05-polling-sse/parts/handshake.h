// handshake.h: how an HTTP/1.1 connection becomes a WebSocket (RFC 6455 §4): the client asks
// for it with a random key, and the server answers 101 and what only somebody who knows this
// protocol makes of that key. From then on there is no HTTP any more.
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "base64.h"
#include "http.h"
#include "sha1.h"

#define HANDSHAKE_KEY_BYTES 16
#define HANDSHAKE_KEY       BASE64_SIZE(HANDSHAKE_KEY_BYTES) // characters, with the '\0'
#define HANDSHAKE_ACCEPT    BASE64_SIZE(SHA1_BYTES)

// The server's answer to a key: both in base64.
void handshake_accept(struct http_text key, char accept[HANDSHAKE_ACCEPT]);

// Checks a client's request. Returns 101 and sets *key; or the status to refuse it with, 400,
// or 426 if it asks for no WebSocket, or for another version of it; then *why gives the reason.
int handshake_check(const struct http_head *head, struct http_text *key, const char **why);

// True if the page that asks may: it is of the host that it asks, or on the list ("*": any;
// else origins, separated by spaces). Browsers send cookies whichever page opens a WebSocket,
// and no other rule keeps a foreign one out (§10.2). Other programs send no Origin.
bool handshake_origin_is_allowed(const struct http_head *head, const char *list);

// Writes the answer to a good request, and the fields of one that is refused with 400 or 426.
void handshake_put_answer(struct http_out *out, struct http_text key);
void handshake_put_refusal(struct http_out *out);

// The client's side: writes the request; `key` is 16 random bytes in base64.
void handshake_put_request(struct http_out *out, const char *host, const char *target,
                           const char *key);

// What is wrong with an answer 101 to that key: the client must then not go on (§4.1). NULL:
// nothing is.
const char *handshake_fault(const struct http_head *head, const char *key);

#endif
