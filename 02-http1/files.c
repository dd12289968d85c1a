// files.c: see files.h.
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"

static char folder[4096];
static int folder_fd;
static struct upload *uploads; // under way

void files_begin(void)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/workbench-files-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(folder) || (folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        die("cannot make a folder for files, %s: %s", folder, strerror(errno));
}

// Calls `use` with the name of each file, finished or not; returns how many there are.
static int each_file(void (*use)(const char *name))
{
    int count = 0, fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        count++;
        if (use)
            use(entry->d_name);
    }
    if (list)
        closedir(list);
    return count;
}

static void remove_file(const char *name)
{
    unlinkat(folder_fd, name, 0);
}

void files_end(void)
{
    each_file(remove_file);
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

static void unfinished_name(struct http_text name, char text[NAME_BYTES + 2])
{
    snprintf(text, NAME_BYTES + 2, ".%.*s", (int)name.length, name.at);
}

int files_open(struct http_text name, int64_t *length)
{
    char unfinished[NAME_BYTES + 2];
    struct stat status;
    errno = ENOENT;
    if (!is_name(name))
        return -1;
    unfinished_name(name, unfinished);
    int fd = openat(folder_fd, unfinished + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *length = fd >= 0 && !fstat(fd, &status) ? status.st_size : 0;
    return fd;
}

static void take_over(const char *unfinished)
{
    for (struct upload *upload = uploads; upload; upload = upload->next)
        if (!strcmp(upload->name, unfinished))
            upload->lost = true;
}

int64_t files_offset(struct http_text name)
{
    char unfinished[NAME_BYTES + 2];
    struct stat status;
    if (!is_name(name))
        return -1;
    unfinished_name(name, unfinished);
    take_over(unfinished);
    return fstatat(folder_fd, unfinished, &status, AT_SYMLINK_NOFOLLOW) ? -1 : status.st_size;
}

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

static bool take_text(struct http_text *text, const char *word)
{
    size_t length = strlen(word);
    if (text->length < length || memcmp(text->at, word, length))
        return false;
    text->at += length;
    text->length -= length;
    return true;
}

// "bytes 100-199/300", or "/*" where the total is not known yet: -1 (RFC 9110 §14.4). False: it
// is neither.
static bool read_range(struct http_text text, int64_t *from, int64_t *to, int64_t *total)
{
    *total = -1;
    return take_text(&text, "bytes ") && take_number(&text, from) && take_text(&text, "-") &&
           take_number(&text, to) && take_text(&text, "/") &&
           (take_text(&text, "*") || take_number(&text, total)) && !text.length &&
           *from <= *to && (*total < 0 || *to < *total);
}

int upload_begin(struct upload *upload, struct http_text name, const struct http_head *head,
                 int64_t *offset)
{
    struct http_text range = http_field(head, "content-range");
    int64_t from = 0, to, total = head->content_length;
    struct stat status;
    *offset = -1;
    if (!is_name(name))
        return 404;
    if (head->content_length < 0 && (!head->chunked || range.at)) // a part has its length
        return 411;
    if (range.at ? !read_range(range, &from, &to, &total) : http_is(head->method, "PATCH"))
        return 400;
    upload->at = from;
    upload->end = range.at ? to + 1 : head->chunked ? FILE_MAX : total;
    upload->last = !range.at || upload->end == total;
    if (range.at && upload->end - from != head->content_length)
        return 400;
    if (upload->end > FILE_MAX || total > FILE_MAX)
        return 413;
    if (!from && each_file(NULL) >= FILES_MAX)
        return 507;
    unfinished_name(name, upload->name);
    // A file that goes on must be there.
    int create = from ? 0 : O_CREAT, flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | create;
    int fd = openat(folder_fd, upload->name, flags, 0600);
    if (fd < 0) {
        *offset = errno == ENOENT ? 0 : -1;
        return errno == ENOENT ? 409 : 507;
    }
    take_over(upload->name);
    if (fstat(fd, &status) || (range.at && (*offset = status.st_size) != from) ||
        (!range.at && ftruncate(fd, 0))) {
        close(fd);
        return 409;
    }
    upload->fd = fd;
    upload->lost = false;
    upload->next = uploads;
    uploads = upload;
    *offset = range.at ? upload->end : -1;
    return 0;
}

int upload_write(struct upload *upload, struct http_text content)
{
    if (upload->lost)
        return 409;
    if (upload->at + (int64_t)content.length > upload->end)
        return 413;
    while (content.length) {
        ssize_t put = pwrite(upload->fd, content.at, content.length, (off_t)upload->at);
        if (put < 0 && errno != EINTR)
            return 507;
        size_t done = put > 0 ? (size_t)put : 0;
        content.at += done;
        content.length -= done;
        upload->at += (int64_t)done;
    }
    return 0;
}

int upload_end(struct upload *upload, bool whole)
{
    const char *name = upload->name + 1;
    bool move = whole && upload->last;
    struct upload **link = &uploads;
    int status = move && upload->lost ? 409 : 0;
    upload->created = move && faccessat(folder_fd, name, F_OK, 0);
    if (!status && move && renameat(folder_fd, upload->name, folder_fd, name))
        status = 507;
    while (*link != upload)
        link = &(*link)->next;
    *link = upload->next;
    close(upload->fd);
    upload->fd = 0;
    return status;
}
