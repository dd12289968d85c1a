// page.h: GET /: index.html, with a Content-Security-Policy that runs no script but the page's
// own. Its <script> and <style> carry a nonce, new with every answer: whatever somebody gets
// into the page by way of an event does not know it.
#ifndef PAGE_H
#define PAGE_H

#include "connection.h"

#define PAGE_NONCE "{{nonce}}" // what stands in the file where the nonce is to stand
#define PAGE_MAX   262144      // bytes

// Reads the file. NULL: it cannot be read; then GET / says so.
struct page *page_begin(const char *path);
void page_end(struct page *page);

void answer_page(struct connection *c, const struct http_request *request);

#endif
