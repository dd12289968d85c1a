// news.h: an event as a client sees it, and as it travels in a line of a poll and in a
// WebSocket message:
//
//     {"id":7,"event":"price","data":"12.50"}
#ifndef NEWS_H
#define NEWS_H

#include "buffer.h"
#include "http.h"

struct news {
    uint64_t id;
    struct http_text name, data;
};

// Reads an event. Its name and its data stand in *text until the next call. False: the text is
// no event, or there is no memory.
bool news_read(struct http_text json, struct buffer *text, struct news *news);

// Takes the next whole line off the lines of a poll's answer. False: there is none.
bool news_next_line(struct http_text *lines, struct http_text *line);

#endif
