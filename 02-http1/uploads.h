// uploads.h: files that clients store, whole or in parts, so that an upload whose connection
// broke goes on where it was.
//
//     PUT /files/NAME                                     the whole content
//     HEAD /files/NAME                                    204, Upload-Offset: what has come
//     PATCH or PUT, Content-Range: bytes FROM-TO/TOTAL    more of it; FROM is the offset
//
// Content goes to the disk as it comes. Until the last byte is there the file has another name,
// so that no client reads half a file, and a file of that name that is already there is
// replaced at once. A client whose connection broke may be back before the server notices:
// whoever asks for the offset, or sends more, takes the upload over, and what still comes on
// the old connection is refused.
#ifndef UPLOADS_H
#define UPLOADS_H

#include "http.h"

#define FILE_MAX_BYTES (INT64_C(64) << 20) // of one file
#define FILES_MAX      200                 // different names
#define NAME_BYTES     64

struct stored;

struct upload {
    int fd;                // of the unfinished file; 0: there is none
    struct stored *stored; // the file that it is part of
    int64_t at, end;       // bytes that are there; that there will be after this request
    bool last;             // then the file is complete
    bool lost;             // another connection has taken the upload over
    bool created;          // set at the end: there was no such file before
    const char *why;       // after a refusal: half a sentence that gives its reason
    struct upload *next;   // of those under way
};

// Makes the folder for the files, which files_end() removes. Dies if it cannot.
void files_begin(void);
void files_end(void);

// Opens a stored file for reading. Returns its descriptor and sets *length; or -1, and errno is
// ENOENT if there is no such file.
int files_open(struct http_text name, int64_t *length);

// How much of an unfinished file has come, -1 if there is none. An upload that is under way
// ends.
int64_t files_offset(struct http_text name);

// Begins, goes on with, and ends an upload. Each returns 0, or the status to refuse it with and
// the reason in upload->why: 400, 409 (taken over, or a wrong offset: *offset is the right
// one), 411, 413, 503, 507. For a part, *offset is where the next one begins. upload_end() with
// `whole` puts a file that is complete in its place; without, what has come stays for the next
// try.
int upload_begin(struct upload *upload, struct http_text name, const struct http_head *head,
                 int64_t *offset);
int upload_write(struct upload *upload, struct http_text content);
int upload_end(struct upload *upload, bool whole);

#endif
