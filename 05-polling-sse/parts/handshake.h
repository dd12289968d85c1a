// handshake.h: how an HTTP/1.1 connection becomes a WebSocket (RFC 6455 §4). The client sends a
// random key. The server answers 101, with a value that it has computed from this key: so the
// client knows that the server speaks WebSocket. From then on the connection carries no HTTP.
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

// Checks a client's request. Returns 101 and sets *key, or the status of a refusal and sets
// *why: 400, or 426 if the request asks for no WebSocket or for another version of it.
int handshake_check(const struct http_head *head, struct http_text *key, const char **why);

// True if the page that sends this request is from this server's own host, or its origin is on
// the list ("*": any; else origins, separated by spaces). A page of another site may open a
// WebSocket too, and the browser then sends this site's cookies with it: only this check keeps
// such a page out (§10.2). Programs other than browsers send no Origin, and are allowed.
bool handshake_origin_is_allowed(const struct http_head *head, const char *list);

// Writes the answer to a good request; or the fields of a refusal, 400 or 426.
void handshake_put_answer(struct http_out *out, struct http_text key);
void handshake_put_refusal(struct http_out *out);

// The client's side: writes the request; `key` is 16 random bytes in base64.
void handshake_put_request(struct http_out *out, const char *host, const char *target,
                           const char *key);

// Checks an answer 101 to this key. Returns what is wrong with it, NULL if it is good. After a
// wrong one the client must not go on (§4.1).
const char *handshake_fault(const struct http_head *head, const char *key);

#endif
