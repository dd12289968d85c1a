// uploads.h: files that clients store, whole or in parts. When the connection breaks during an
// upload, the client can go on from the last byte that the server has.
//
//     PUT /files/NAME                                     the whole content
//     HEAD /files/NAME                                    204, Upload-Offset: what has come
//     PATCH or PUT, Content-Range: bytes FROM-TO/TOTAL    more of it; FROM is the offset
//
// The server writes content to the disk as it comes. An unfinished file has another name, so
// that no client reads half a file; when the last byte has come, the file gets its name, and
// replaces an older file of that name at once. A client whose connection broke may be back
// before the server notices. Therefore a new request for the offset, or with more bytes, takes
// the upload over: bytes that still come on the old connection are refused.
#ifndef UPLOADS_H
#define UPLOADS_H

#include "http.h"

#define FILE_MAX_BYTES (INT64_C(64) << 20) // of one file
#define FILES_MAX      200                 // different names
#define NAME_BYTES     64

struct stored;

struct upload {
    int fd;                // of the unfinished file; 0: there is none
    struct stored *stored; // the file that this upload is a part of
    int64_t at;            // bytes of the file that are on the disk
    int64_t end;           // bytes that will be there after this request
    bool last;             // this request brings the last byte of the file
    bool lost;             // another connection has taken the upload over
    bool created;          // set at the end: there was no file of this name before
    const char *why;       // after a refusal: half a sentence that gives its reason
    struct upload *next;   // in the list of all uploads under way
};

// Makes the folder for the files, which files_end() removes. Dies if it cannot.
void files_begin(void);
void files_end(void);

// Opens a stored file for reading. Returns its descriptor and sets *length; or -1, and errno is
// ENOENT if there is no such file.
int files_open(struct http_text name, int64_t *length);

// How many bytes of an unfinished file are here; -1: there is no such file. The caller takes
// the upload over from the connection that has it.
int64_t files_offset(struct http_text name);

// Begins an upload, writes content, and ends the upload. Each function returns 0, or the status
// of a refusal, with its reason in upload->why: 400, 409 (the upload was taken over, or the
// offset is wrong: *offset is the right one), 411, 413, 503, 507. For a part, *offset is where
// the next part begins. upload_end() with `whole` gives a complete file its name; without
// `whole`, the bytes that have come stay for the next try.
int upload_begin(struct upload *upload, struct http_text name, const struct http_head *head,
                 int64_t *offset);
int upload_write(struct upload *upload, struct http_text content);
int upload_end(struct upload *upload, bool whole);

#endif
