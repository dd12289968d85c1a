// browser_request.h: a request as a browser makes it, with all the fields that it sends along,
// for HTTP/2 and as text of HTTP/1.1.
#ifndef BROWSER_REQUEST_H
#define BROWSER_REQUEST_H

#include "hpack.h"

#define BROWSER_FIELDS     10
#define BROWSER_TEXT_BYTES 1024

// GET path: writes BROWSER_FIELDS fields. `path` has to stay.
void browser_fields(struct hpack_field fields[BROWSER_FIELDS], const char *path);

// The same as a request of HTTP/1.1; returns its length. `text` has BROWSER_TEXT_BYTES.
size_t browser_text(char *text, const char *path);

#endif
