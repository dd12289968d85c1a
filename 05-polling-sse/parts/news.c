// news.c: see news.h.
#include "news.h"

#include <string.h>

#include "json.h"

bool news_read(struct http_text json, struct buffer *text, struct news *news)
{
    text->length = 0;
    if (!json_number(json, "id", &news->id) || !json_string(json, "event", text))
        return false;
    size_t name_bytes = text->length;
    if (!json_string(json, "data", text) ||
        !buffer_add(text, "", 1)) // so that bytes is not NULL
        return false;
    news->name = (struct http_text){text->bytes, name_bytes};
    news->data = (struct http_text){text->bytes + name_bytes, text->length - name_bytes - 1};
    return true;
}

bool news_next_line(struct http_text *lines, struct http_text *line)
{
    const char *end = NULL;
    if (lines->length)
        end = memchr(lines->at, '\n', lines->length);
    if (!end)
        return false;
    *line = (struct http_text){lines->at, (size_t)(end - lines->at)};
    lines->length -= line->length + 1;
    lines->at = end + 1;
    return true;
}
