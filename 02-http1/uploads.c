// uploads.c: see uploads.h. Read upload_begin() first.
#include "uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"

// A name that is in use: for a complete file NAME, for an unfinished one .NAME, or for both.
struct stored {
    char unfinished[NAME_BYTES + 1]; // "." and the name
    bool complete;                   // the file NAME is there
    bool begun;                      // the file .NAME is there
    int64_t total; // bytes that the unfinished file will have; -1: not known yet
};

static char folder[4096];
static int folder_fd;
static struct stored all_stored[FILES_MAX];
static struct upload *uploads; // under way

void files_begin(void)
{
    const char *place = getenv("TMPDIR");
    if (!place)
        place = "/tmp";
    snprintf(folder, sizeof folder, "%s/workbench-files-XXXXXX", place);
    if (!mkdtemp(folder) || (folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        die("cannot make a folder for files, %s: %s", folder, strerror(errno));
}

void files_end(void)
{
    for (struct stored *stored = all_stored; stored < all_stored + FILES_MAX; stored++) {
        if (stored->complete)
            unlinkat(folder_fd, stored->unfinished + 1, 0);
        if (stored->begun)
            unlinkat(folder_fd, stored->unfinished, 0);
    }
    close(folder_fd);
    rmdir(folder);
}

// A name of letters, digits and ". _ -" that does not begin with a dot cannot leave the folder.
static bool is_name(struct http_text name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                    name.at[i], 65))
            return false;
    return name.length > 0 && name.length < NAME_BYTES && name.at[0] != '.';
}

// The entry of a name. If there is none, `make` makes one. NULL: there is none, or FILES_MAX
// names are in use.
static struct stored *find_stored(struct http_text name, bool make)
{
    struct stored *free_place = NULL;
    for (struct stored *stored = all_stored; stored < all_stored + FILES_MAX; stored++) {
        if (!stored->complete && !stored->begun)
            free_place = stored;
        else if (http_is(name, stored->unfinished + 1))
            return stored;
    }
    if (!make || !free_place)
        return NULL;
    snprintf(free_place->unfinished, sizeof free_place->unfinished, ".%.*s", (int)name.length,
             name.at);
    free_place->total = -1;
    return free_place;
}

int files_open(struct http_text name, int64_t *length)
{
    struct stored *stored = find_stored(name, false);
    struct stat status;
    errno = ENOENT;
    if (!stored || !stored->complete)
        return -1;
    int fd = openat(folder_fd, stored->unfinished + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &status) == 0)
        *length = status.st_size;
    return fd;
}

static void take_over(const struct stored *stored)
{
    for (struct upload *upload = uploads; upload; upload = upload->next)
        if (upload->stored == stored)
            upload->lost = true;
}

int64_t files_offset(struct http_text name)
{
    struct stored *stored = find_stored(name, false);
    struct stat status;
    if (!stored || !stored->begun)
        return -1;
    take_over(stored);
    if (fstatat(folder_fd, stored->unfinished, &status, AT_SYMLINK_NOFOLLOW))
        return -1;
    return status.st_size;
}

// ---- Content-Range -------------------------------------------------------------------------

static bool take_number(struct http_text *text, int64_t *number)
{
    size_t digits = 0;
    for (*number = 0; digits < text->length && digits < 18; digits++) {
        if (text->at[digits] < '0' || text->at[digits] > '9')
            break;
        *number = *number * 10 + (text->at[digits] - '0');
    }
    text->at += digits;
    text->length -= digits;
    return digits > 0;
}

static bool take_word(struct http_text *text, const char *word)
{
    size_t length = strlen(word);
    if (text->length < length || strncasecmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    text->length -= length;
    return true;
}

// Reads "bytes 100-199/300", or with "/*" where the total is not known yet: *total is then -1
// (RFC 9110 §14.4). False: the text is neither.
static bool read_range(struct http_text text, int64_t *from, int64_t *to, int64_t *total)
{
    *total = -1;
    return take_word(&text, "bytes ") && take_number(&text, from) && take_word(&text, "-") &&
           take_number(&text, to) && take_word(&text, "/") &&
           (take_word(&text, "*") || take_number(&text, total)) && !text.length &&
           *from <= *to && (*total < 0 || *to < *total);
}

// ---- an upload -----------------------------------------------------------------------------

static int refuse(struct upload *upload, int status, const char *why)
{
    upload->why = why;
    return status;
}

// Finds out which bytes of which total this request brings. Returns 0 or a status.
static int plan(struct upload *upload, const struct http_head *head, int64_t *total)
{
    struct http_text range;
    int64_t from = 0, to;
    int ranges = http_single_field(head, "content-range", &range);
    *total = head->content_length;
    if (head->content_length < 0 && (!head->chunked || ranges))
        return refuse(upload, 411,
                      "a part needs a Content-Length, a whole file that or chunks");
    if (!ranges && http_is(head->method, "PATCH"))
        return refuse(upload, 400, "PATCH needs a Content-Range");
    if (ranges > 1 || (ranges && !read_range(range, &from, &to, total)))
        return refuse(upload, 400, "a Content-Range is: bytes FROM-TO/TOTAL");
    upload->at = from;
    if (ranges)
        upload->end = to + 1;
    else if (head->chunked)
        upload->end = FILE_MAX_BYTES;
    else
        upload->end = *total;
    if (ranges && upload->end - from != head->content_length)
        return refuse(upload, 400, "Content-Range and Content-Length do not agree");
    if (upload->end > FILE_MAX_BYTES || *total > FILE_MAX_BYTES)
        return refuse(upload, 413, "a file has at most 67108864 bytes");
    return 0;
}

// All parts of a file have one total: that of the first part that names it. Returns 0 or a
// status.
static int agree_on_total(struct upload *upload, const struct stored *stored, int64_t *total)
{
    if (upload->at == 0 || stored->total < 0)
        return 0;
    if (*total >= 0 && *total != stored->total)
        return refuse(upload, 400, "an earlier part has named another total");
    if (upload->end > stored->total)
        return refuse(upload, 400, "the part ends behind the total of an earlier one");
    *total = stored->total;
    return 0;
}

// Opens the unfinished file, at the right offset. Returns 0 or a status.
static int open_unfinished(struct upload *upload, const char *name, bool whole, int64_t *offset)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    if (upload->at == 0) // a later part goes on with a file that must be there already
        flags |= O_CREAT;
    int fd = openat(folder_fd, name, flags, 0600);
    struct stat status;
    if (fd < 0 && errno == ENOENT) {
        *offset = 0;
        return refuse(upload, 409, "nothing of this file is here yet");
    }
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return refuse(upload, 503, "too many files are open; try again later");
    if (fd < 0)
        return refuse(upload, 507, "the file could not be made");
    if (fstat(fd, &status) || (whole && ftruncate(fd, 0))) {
        close(fd);
        return refuse(upload, 507, "the file could not be changed");
    }
    if (!whole && status.st_size != upload->at) {
        close(fd);
        *offset = status.st_size;
        return refuse(upload, 409, "that is not where the file goes on: see Upload-Offset");
    }
    upload->fd = fd;
    return 0;
}

int upload_begin(struct upload *upload, struct http_text name, const struct http_head *head,
                 int64_t *offset)
{
    int64_t total;
    bool whole = !http_field(head, "content-range").at;
    *offset = -1;
    if (!is_name(name))
        return refuse(upload, 400,
                      "a name is 1 to 63 letters, digits and . _ -, and does not begin with .");
    int status = plan(upload, head, &total);
    if (status)
        return status;
    struct stored *stored = find_stored(name, true);
    if (!stored)
        return refuse(upload, 507, "200 files are stored, and there is room for no other");
    status = open_unfinished(upload, stored->unfinished, whole, offset);
    // This connection has taken the upload over, also if its offset was wrong (409).
    if (status == 0 || status == 409)
        take_over(stored);
    if (status)
        return status;
    status = agree_on_total(upload, stored, &total);
    if (status) {
        close(upload->fd);
        upload->fd = 0;
        return status;
    }
    stored->total = total;
    upload->last = whole || upload->end == total;
    stored->begun = true;
    upload->stored = stored;
    upload->lost = false;
    upload->next = uploads;
    uploads = upload;
    if (!whole)
        *offset = upload->end;
    return 0;
}

int upload_write(struct upload *upload, struct http_text content)
{
    if (upload->lost)
        return refuse(upload, 409, "another connection has taken this upload over");
    if (upload->at + (int64_t)content.length > upload->end)
        return refuse(upload, 413, "a file has at most 67108864 bytes");
    while (content.length) {
        ssize_t put = pwrite(upload->fd, content.at, content.length, (off_t)upload->at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) // a full disk, or a limit of this process (ulimit -f)
            return refuse(upload, 507, "there is no room for more of this file");
        content.at += put;
        content.length -= (size_t)put;
        upload->at += put;
    }
    return 0;
}

int upload_end(struct upload *upload, bool whole)
{
    struct stored *stored = upload->stored;
    struct upload **link = &uploads;
    bool move = whole && upload->last;
    int status = 0;
    if (move && upload->lost) {
        status = refuse(upload, 409, "another connection has taken this upload over");
    } else if (move &&
               renameat(folder_fd, stored->unfinished, folder_fd, stored->unfinished + 1)) {
        status = refuse(upload, 507, "the file could not be put in its place");
    } else if (move) {
        upload->created = !stored->complete;
        stored->complete = true;
        stored->begun = false;
    }
    while (*link != upload)
        link = &(*link)->next;
    *link = upload->next;
    close(upload->fd);
    upload->fd = 0;
    return status;
}
