// recovery.c: see recovery.h. Read recovery_read() first, then judge().
#include "recovery.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "journal.h"
#include "smaller.h"

#define SECTOR 512 // the least that a disk writes, all or nothing
#define WINDOW (2 * (JOURNAL_GROUP + JOURNAL_HEAD))

// A part of the file that is in memory.
struct window {
    struct recovery *recovery;
    int fd;
    off_t from;
    size_t length, room;
    char *bytes;
};

// What there is at a place of the file.
enum { DAMAGED = -1, END = 0, WHOLE = 1 };

static int damaged(struct recovery *recovery, off_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int damaged(struct recovery *recovery, off_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    recovery->error_at = at;
    vsnprintf(recovery->error, sizeof recovery->error, format, arguments);
    va_end(arguments);
    return DAMAGED;
}

// The bytes at `at`, which are within the file and no more than a group; NULL: see error.
static const char *look(struct window *w, off_t at, size_t length)
{
    if (at >= w->from && at + (off_t)length <= w->from + (off_t)w->length)
        return w->bytes + (at - w->from);
    w->from = at;
    w->length = 0;
    while (w->length < length) {
        ssize_t got =
            pread(w->fd, w->bytes + w->length, w->room - w->length, at + (off_t)w->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            damaged(w->recovery, at, "cannot be read: %s", strerror(errno));
            return NULL;
        }
        if (got == 0) {
            damaged(w->recovery, at, "cannot be read: the file has become shorter");
            return NULL;
        }
        w->length += (size_t)got;
    }
    return w->bytes;
}

static bool is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return false;
    return true;
}

// Where the zeros begin that the file ends with; -1: see error.
static off_t find_filled(struct window *w)
{
    off_t at = w->recovery->size;
    while (at > 0) {
        size_t length = smaller((size_t)at, JOURNAL_GROUP);
        const char *bytes = look(w, at - (off_t)length, length);
        if (!bytes)
            return -1;
        while (length && !bytes[length - 1])
            length--, at--;
        if (length)
            return at;
    }
    return 0;
}

static bool head_is_good(const struct journal_head *head, off_t at)
{
    return head->length && head->length <= JOURNAL_GROUP &&
           head->own == journal_head_checksum(head, at);
}

// Is there a sector whose share of the bytes from `at` on is as it was before: zeros?
static bool sector_is_missing(const char *bytes, off_t at, size_t length)
{
    for (size_t from = 0, part; from < length; from += part) {
        part = smaller(SECTOR - (size_t)(at + (off_t)from) % SECTOR, length - from);
        if (is_zero(bytes + from, part))
            return true;
    }
    return false;
}

// At `at` is no group, but there are bytes behind it. A torn group that has lost the sector
// with its head? Then that sector is empty from here on; the group is no longer than it may be;
// and there is no further one, which would have been written later.
static int judge_headless(struct window *w, off_t at)
{
    struct recovery *r = w->recovery;
    size_t length = (size_t)(r->filled - at), rest = SECTOR - (size_t)at % SECTOR;
    if (length > JOURNAL_HEAD + JOURNAL_GROUP)
        return damaged(r, at, "there is no group here, but there is something behind it");
    const char *bytes = look(w, at, length);
    if (!bytes)
        return DAMAGED;
    if (!is_zero(bytes, smaller(rest, length)))
        return damaged(r, at, "there is no group here, but there is something behind it");
    for (size_t i = 0; i + JOURNAL_HEAD <= length; i += JOURNAL_HEAD) {
        struct journal_head head;
        memcpy(&head, bytes + i, sizeof head);
        if (head_is_good(&head, at + (off_t)i))
            return damaged(r, at, "a group is missing here: the next one is at byte %lld",
                           (long long)(at + (off_t)i));
    }
    return END;
}

// A group whose lines are not what its checksum says.
static int judge_torn(struct window *w, off_t at, const char *bytes, size_t length)
{
    struct recovery *r = w->recovery;
    if (!sector_is_missing(bytes, at, length))
        return damaged(r, at, "the checksum of the group is wrong, and no sector is missing");
    if (r->filled > at + (off_t)length)
        return damaged(r, at, "the group is not whole, and there is something behind it");
    return END;
}

// Hands over the lines of a group.
static int take_lines(struct recovery *r, off_t at, const char *bytes, size_t length)
{
    for (const char *end = bytes + length, *next; bytes < end; bytes = next, r->lines++) {
        next = memchr(bytes, '\n', (size_t)(end - bytes));
        if (!next)
            return damaged(r, at, "a line of the group has no end");
        if (!r->take(r->context, bytes, (size_t)(++next - bytes)))
            return damaged(r, at, "line %llu is none that this server writes, or one too many",
                           (unsigned long long)r->lines + 1);
    }
    return WHOLE;
}

// Reads the group at `end`, and moves `end` behind it if it is WHOLE. END: of what was told.
static int read_group(struct window *w)
{
    struct recovery *r = w->recovery;
    struct journal_head head;
    off_t at = r->end;
    if (at + JOURNAL_HEAD > r->size) // there are always zeros behind the last group
        return damaged(r, at, "the file ends here: it has been cut");
    const char *bytes = look(w, at, JOURNAL_HEAD);
    if (!bytes)
        return DAMAGED;
    if (is_zero(bytes, JOURNAL_HEAD)) {
        if (r->filled <= at)
            return END;
        return judge_headless(w, at);
    }
    memcpy(&head, bytes, sizeof head);
    if (!head_is_good(&head, at))
        return damaged(r, at, "the head of the group is damaged");
    size_t length = JOURNAL_HEAD + journal_padded(head.length);
    if (at + (off_t)length > r->size)
        return damaged(r, at, "the file ends within the group: it has been cut");
    bytes = look(w, at, length);
    if (!bytes)
        return DAMAGED;
    if (crc32c(0, bytes + JOURNAL_HEAD, length - JOURNAL_HEAD) != head.checksum)
        return judge_torn(w, at, bytes, length);
    r->last = at;
    r->end += (off_t)length;
    return take_lines(r, at, bytes + JOURNAL_HEAD, head.length);
}

static int read_all(struct window *w)
{
    struct recovery *r = w->recovery;
    char header[JOURNAL_HEAD];
    if (r->size < JOURNAL_HEAD)
        return damaged(r, 0, "the file ends within its header: it has been cut");
    const char *bytes = look(w, 0, JOURNAL_HEAD);
    if (!bytes)
        return DAMAGED;
    journal_header(header);
    if (memcmp(bytes, header, JOURNAL_HEAD))
        return damaged(r, 0, "the header is not that of a journal of version %d",
                       JOURNAL_VERSION);
    r->filled = find_filled(w);
    if (r->filled < 0)
        return DAMAGED;
    int group = WHOLE;
    for (r->end = JOURNAL_HEAD; group == WHOLE;)
        group = read_group(w);
    return group;
}

bool recovery_read(struct recovery *r, int fd)
{
    struct window w = {.recovery = r, .fd = fd};
    struct stat about;
    int result;
    *r->error = '\0';
    r->lines = 0;
    r->last = 0;
    r->size = 0;
    if (!fstat(fd, &about))
        r->size = about.st_size;
    w.room = WINDOW;
    if (r->size < WINDOW)
        w.room = (size_t)r->size;
    w.bytes = malloc(w.room + 1);
    if (w.bytes)
        result = read_all(&w);
    else
        result = damaged(r, 0, "no memory to read it");
    free(w.bytes);
    return result == END;
}
