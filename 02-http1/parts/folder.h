// folder.h: the files of one folder, for /file/NAME: read only, whole or in ranges, and only
// what lies inside the folder.
#ifndef FOLDER_H
#define FOLDER_H

#include "pages.h"

// Names the folder (--files). Dies if there is no such folder. Without this call no file is
// found.
void folder_begin(const char *path);

// Answers a request for a file: 200, 206, 304, 403, 404, 412, 416 or 503. `is_get`: ranges are
// for GET only.
void folder_answer(const struct http_head *head, bool is_get, struct http_text name,
                   struct answer *answer);

// Copies the next part of the answer's file (of /files/NAME as well), or of what stands between
// its ranges; returns how many bytes.
size_t file_content(const struct answer *answer, char *to, size_t room);

// True if what comes next is a long part of a file: worth a call of file_send().
bool file_is_long(const struct answer *answer);

// Has the kernel send this part: the bytes do not come to this program. Returns how many it has
// taken; -1: errno, EAGAIN if there is no room.
ssize_t file_send(const struct answer *answer, int to);

#endif
