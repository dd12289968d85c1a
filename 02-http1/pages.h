// pages.h: what lesson 02's server has to say: for each request, the status, the fields and the
// content of its answer. How the answer is sent is in response.c.
//
//     /                     a line of text, another one for each virtual host; POST: echoes
//     /img/N?size=BYTES     an image: this many bytes, not a real picture
//     /slow?ms=             a line, after so many milliseconds
//     /stream?n=&ms=        n lines, so many milliseconds apart, each sent at once
//     /echo                 the request's own content, whatever the method
//     /cached               an image with an ETag and a date; a client that has it gets 304
//     /file/NAME            a file of the folder that --files names, whole or in ranges
//     /files/NAME           GET, HEAD; PUT and PATCH store a file: see uploads.h
#ifndef PAGES_H
#define PAGES_H

#include "http.h"
#include "ranges.h"
#include "uploads.h"

#define IMAGE_MAX  (64 << 20) // bytes of an image
#define DELAY_MAX  60000      // milliseconds of /slow, and between the lines of /stream
#define PIECES_MAX 10000      // lines of /stream

#define FIELDS_BYTES 400
#define LINE_BYTES   200

struct answer {
    int status;
    bool echo;                 // the content is the content of the request
    const char *type;          // Content-Type; NULL: no content
    char fields[FIELDS_BYTES]; // further header fields, each with its CRLF
    char line[LINE_BYTES];     // the content of an error: its reason
    uint64_t length;           // bytes of the content; not used where there are pieces
    uint64_t sent;             // bytes of the content that are sent
    int delay_ms;              // before the answer, or between its pieces
    int pieces;                // how many pieces the content has; 0: it is not made over time
    int piece;                 // how many pieces are sent
    // The content is one of these: a text, a file, or, if there is neither, image number N.
    const char *text;
    int file;              // descriptor; 0: none
    struct ranges *ranges; // of the file: only these; NULL: all of it
    unsigned image;
};

// Decides on the answer to a request, and begins an upload if the request is one.
void answer_request(const struct http_head *head, struct answer *answer, struct upload *upload);

// The answer to a request that cannot be served: a line of text with the status and, in half a
// sentence, the reason.
void answer_error(struct answer *answer, int status, const char *why);

// Adds a header field to an answer.
void answer_field(struct answer *answer, const char *name, const char *value);

// Copies the next part of the content, at most `room` bytes; returns how many, 0 at the end (or
// where a file has become shorter).
size_t answer_content(struct answer *answer, char *to, size_t room);

#endif
