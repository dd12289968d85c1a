// folder.c: see folder.h. Read folder_answer() first.
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conditions.h"
#include "net.h"

#define PATH_BYTES   1024
#define TAG_BYTES    60
#define SENDFILE_MIN 16384     // what is shorter goes with the head, in one send()
#define SENDFILE_MAX (1 << 20) // at once: then it is another connection's turn

static int folder = -1;

void folder_begin(const char *path)
{
    folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        die("--files: cannot open the folder %s: %s", path, strerror(errno));
}

// ---- which file ----------------------------------------------------------------------------

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // a small letter
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

// Replaces each %41 by its character (RFC 3986 §2.1). False: the name is malformed, too long,
// or has a character '\0'.
static bool decode(struct http_text name, char path[PATH_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        if (c == '%') {
            if (i + 2 >= name.length || hex_digit(name.at[i + 1]) < 0 ||
                hex_digit(name.at[i + 2]) < 0)
                return false;
            c = (char)(hex_digit(name.at[i + 1]) * 16 + hex_digit(name.at[i + 2]));
            i += 2;
        }
        if (c == '\0' || length == PATH_BYTES - 1)
            return false;
        path[length++] = c;
    }
    path[length] = '\0';
    return length > 0;
}

// Opens a file inside the folder. RESOLVE_BENEATH: the kernel refuses a path that leads out of
// it, by "..", by a '/' in front or by a symbolic link (openat2(2)). O_NONBLOCK: to open a FIFO
// does not wait for a writer. Returns -1 and errno; ENOENT: also where it is no regular file.
static int open_file(struct http_text name, struct stat *stat)
{
    static const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    char path[PATH_BYTES];
    errno = ENOENT;
    if (folder < 0 || !decode(name, path))
        return -1;
    int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd < 0)
        return -1;
    if (fstat(fd, stat) == 0 && S_ISREG(stat->st_mode))
        return fd;
    close(fd);
    errno = ENOENT;
    return -1;
}

static const char *type_of(struct http_text name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {{".txt", "text/plain"},     {".html", "text/html"}, {".css", "text/css"},
                 {".js", "text/javascript"}, {".png", "image/png"},  {".svg", "image/svg+xml"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t length = strlen(types[i].ending);
        if (name.length > length &&
            !memcmp(name.at + name.length - length, types[i].ending, length))
            return types[i].type;
    }
    return "application/octet-stream";
}

// ---- the answer ----------------------------------------------------------------------------

static void refuse(struct answer *answer, int error)
{
    if (error == EACCES || error == EPERM)
        answer_error(answer, 403, "the server may not read this file");
    else if (error == EMFILE || error == ENFILE || error == ENOMEM)
        answer_error(answer, 503, "too many files are open; try again later");
    else
        answer_error(answer, 404, "there is no such file");
}

// The client wants only ranges of the file, which is open.
static void answer_ranges(struct http_text wanted, struct answer *answer)
{
    struct ranges ranges = {.type = answer->type};
    char text[80];
    enum ranges_result result = ranges_read(wanted, answer->length, &ranges);
    if (result == RANGES_OUTSIDE) {
        snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)answer->length);
        answer_field(answer, "Content-Range", text);
        close(answer->file);
        answer->file = 0;
        answer_error(answer, 416, "the file ends before these ranges begin");
    }
    if (result != RANGES_FOUND || !(answer->ranges = malloc(sizeof ranges)))
        return;
    *answer->ranges = ranges;
    answer->status = 206;
    answer->length = ranges_length(&ranges);
    if (ranges.count > 1) {
        answer->type = ranges_type();
        return;
    }
    snprintf(text, sizeof text, "bytes %llu-%llu/%llu",
             (unsigned long long)ranges.range[0].from,
             (unsigned long long)(ranges.range[0].from + ranges.range[0].length - 1),
             (unsigned long long)ranges.size);
    answer_field(answer, "Content-Range", text);
}

void folder_answer(const struct http_head *head, bool is_get, struct http_text name,
                   struct answer *answer)
{
    struct stat stat;
    struct http_text wanted;
    char tag[TAG_BYTES];
    int fd = open_file(name, &stat);
    if (fd < 0) {
        refuse(answer, errno);
        return;
    }
    // Another tag after each change: the time of the last one, in nanoseconds, and the size.
    snprintf(tag, sizeof tag, "\"%llx.%lx-%llx\"", (unsigned long long)stat.st_mtim.tv_sec,
             (unsigned long)stat.st_mtim.tv_nsec, (unsigned long long)stat.st_size);
    answer_field(answer, "ETag", tag);
    answer_field(answer, "Last-Modified", http_date(stat.st_mtim.tv_sec));
    answer_field(answer, "Accept-Ranges", "bytes");
    enum condition condition = conditions_test(head, tag, stat.st_mtim.tv_sec);
    if (condition == CONDITION_NONE) {
        answer->file = fd;
        answer->type = type_of(name);
        answer->length = (uint64_t)stat.st_size;
        if (is_get && http_single_field(head, "range", &wanted) == 1 &&
            condition_if_range(head, tag, stat.st_mtim.tv_sec))
            answer_ranges(wanted, answer);
        return;
    }
    close(fd);
    answer->status = 304;
    if (condition == CONDITION_CHANGED)
        answer_error(answer, 412, "the file is another one than the request names");
}

// ---- its content ---------------------------------------------------------------------------

// What the answer's content is at its next position: a text, or `length` bytes of the file.
static void next_piece(const struct answer *answer, struct ranges_piece *piece)
{
    if (answer->ranges) {
        ranges_at(answer->ranges, answer->sent, piece);
        return;
    }
    piece->text = NULL;
    piece->offset = answer->sent;
    piece->length = answer->length - answer->sent;
}

size_t file_content(const struct answer *answer, char *to, size_t room)
{
    struct ranges_piece piece;
    next_piece(answer, &piece);
    if (piece.length < room)
        room = (size_t)piece.length;
    if (piece.text) {
        memcpy(to, piece.text, room);
        return room;
    }
    ssize_t got = pread(answer->file, to, room, (off_t)piece.offset);
    if (got < 0)
        got = 0;
    return (size_t)got;
}

bool file_is_long(const struct answer *answer)
{
    struct ranges_piece piece;
    if (!answer->file)
        return false;
    next_piece(answer, &piece);
    return !piece.text && piece.length >= SENDFILE_MIN;
}

ssize_t file_send(const struct answer *answer, int to)
{
    struct ranges_piece piece;
    next_piece(answer, &piece);
    if (piece.length > SENDFILE_MAX)
        piece.length = SENDFILE_MAX;
    off_t offset = (off_t)piece.offset;
    return sendfile(to, answer->file, &offset, (size_t)piece.length);
}
