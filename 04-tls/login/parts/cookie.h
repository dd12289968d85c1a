// cookie.h: the cookie that holds a session's id (RFC 6265bis).
#ifndef COOKIE_H
#define COOKIE_H

#include "http.h"
#include "sessions.h"

// A name that begins with __Host- is taken by browsers only with Secure, with Path=/ and
// without a Domain: no other host, and nothing that comes in plain text, can set it.
#define COOKIE_NAME  "__Host-session"
#define COOKIE_BYTES 200

// Writes the field that sets the cookie, or, with id NULL, takes it away.
void cookie_write(const char *id, char field[COOKIE_BYTES]);

// The id in a request's cookie. False: there is no such cookie, it is no id, or there are two.
bool cookie_read(const struct http_head *head, uint8_t id[SESSION_ID]);

// Takes the next part off a Cookie or Set-Cookie field, up to a semicolon: "name=value", or a
// name alone. False: there is no further part.
bool cookie_next_part(struct http_text *rest, struct http_text *name, struct http_text *value);

// True if a page of another origin has made this request: a browser says so in Origin, or in
// Sec-Fetch-Site. Programs that are no browser say nothing.
bool request_is_foreign(const struct http_head *head);

#endif
