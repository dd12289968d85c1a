// page.c: see page.h.
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base64.h"

#define NONCE_BYTES 16

struct page {
    size_t length;
    char text[];
};

struct page *page_begin(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    struct page *page = malloc(sizeof *page + PAGE_MAX);
    if (page)
        page->length = fread(page->text, 1, PAGE_MAX, file);
    fclose(file);
    return page;
}

void page_end(struct page *page)
{
    free(page);
}

// Copies the page, and replaces each PAGE_NONCE by the nonce. False: no memory.
static bool fill_in(const struct page *page, const char *nonce, struct buffer *copy)
{
    const char *at = page->text, *end = at + page->length, *place;
    while ((place = memmem(at, (size_t)(end - at), PAGE_NONCE, sizeof PAGE_NONCE - 1))) {
        if (!buffer_add(copy, at, (size_t)(place - at)) ||
            !buffer_add(copy, nonce, strlen(nonce)))
            return false;
        at = place + sizeof PAGE_NONCE - 1;
    }
    return buffer_add(copy, at, (size_t)(end - at));
}

void answer_page(struct connection *c, const struct http_request *request)
{
    static const char missing[] = "There is no index.html where this server was started.\n";
    uint8_t random[NONCE_BYTES];
    char nonce[BASE64_SIZE(NONCE_BYTES)], fields[500];
    (void)request;
    if (!c->service->page) {
        connection_answer(c, 404, "text/plain", (struct http_text){missing, sizeof missing - 1},
                          "");
        return;
    }
    if (getrandom(random, sizeof random, 0) != sizeof random ||
        (base64(random, sizeof random, nonce), !fill_in(c->service->page, nonce, &c->kept))) {
        connection_refuse(c, 503, "no memory for the page", "");
        return;
    }
    snprintf(fields, sizeof fields,
             "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; "
             "style-src 'nonce-%s'; connect-src 'self'; img-src data:; base-uri 'none'; "
             "form-action 'none'; frame-ancestors 'none'\r\n"
             "X-Content-Type-Options: nosniff\r\n" NO_STORE,
             nonce, nonce);
    connection_answer(c, 200, "text/html; charset=utf-8",
                      (struct http_text){c->kept.bytes, c->kept.length}, fields);
}
