// page.h: GET /: index.html. Its Content-Security-Policy lets the browser run only the page's
// own script: <script> and <style> carry a nonce, a random number that is new in every answer.
// If an attacker brings a script into the page with an event, this script has no nonce and does
// not run.
#ifndef PAGE_H
#define PAGE_H

#include "connection.h"

#define PAGE_NONCE "{{nonce}}" // in the file; in the answer the nonce stands in its place
#define PAGE_MAX   262144      // bytes

// Reads the file. NULL: it cannot be read; the answer to GET / then says so.
struct page *page_begin(const char *path);
void page_end(struct page *page);

void answer_page(struct connection *c, const struct http_request *request);

#endif
