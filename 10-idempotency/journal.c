// journal.c: see journal.h. Read write_group() first: it is all that a request waits for.
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "crc32c.h"
#include "recovery.h"

// ---- bytes ---------------------------------------------------------------------------------

void journal_header(char *header)
{
    uint32_t words[2] = {JOURNAL_VERSION, 0};
    memcpy(header, "charges\n", 8);
    words[1] = crc32c(crc32c(0, header, 8), words, 4);
    memcpy(header + 8, words, sizeof words);
}

uint32_t journal_head_checksum(const struct journal_head *head, off_t place)
{
    int64_t bytes = place;
    return crc32c(crc32c(0, &bytes, sizeof bytes), head, offsetof(struct journal_head, own));
}

size_t journal_padded(size_t length)
{
    return (length + 15) & ~(size_t)15;
}

// Keeps errno and what was being done.
static bool fail(struct journal *journal, const char *what, const char *path)
{
    snprintf(journal->error, sizeof journal->error, "cannot %s %.200s: %s", what, path,
             strerror(errno));
    return false;
}

static bool write_at(int fd, const char *bytes, size_t length, off_t at)
{
    while (length) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written ? errno : ENOSPC;
            return false;
        }
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return true;
}

static bool write_zeros(int fd, off_t from, off_t to)
{
    static const char zeros[JOURNAL_AHEAD];
    for (off_t part; from < to; from += part) {
        part = to - from < JOURNAL_AHEAD ? to - from : JOURNAL_AHEAD;
        if (!write_at(fd, zeros, (size_t)part, from))
            return false;
    }
    return true;
}

// ---- one group -----------------------------------------------------------------------------

bool journal_append(struct journal *journal, const char *line, size_t length)
{
    if (length > JOURNAL_GROUP - journal->length)
        return false;
    memcpy(journal->group + JOURNAL_HEAD + journal->length, line, length);
    journal->length += length;
    return true;
}

// Writes the head and the zeros around the lines; returns how long the group is with them.
static size_t close_group(struct journal *journal)
{
    size_t padded = journal_padded(journal->length);
    char *lines = journal->group + JOURNAL_HEAD;
    memset(lines + journal->length, 0, padded - journal->length);
    struct journal_head head = {(uint32_t)journal->length, crc32c(0, lines, padded), 0, 0};
    head.own = journal_head_checksum(&head, journal->end);
    memcpy(journal->group, &head, sizeof head);
    return JOURNAL_HEAD + padded;
}

// Makes zeros for a group of this length, and for the zeros that stand behind each group. Here,
// and only here, the file takes room on the disk: where there is none, nothing has begun.
static bool make_room(struct journal *journal, size_t length)
{
    off_t needed = journal->end + (off_t)length + JOURNAL_HEAD, size = journal->size;
    while (size < needed)
        size += JOURNAL_AHEAD - size % JOURNAL_AHEAD;
    if (size == journal->size)
        return true;
    if (write_zeros(journal->fd, journal->size, size) && !fdatasync(journal->fd)) {
        journal->size = size;
        return true;
    }
    fail(journal, "make room in", journal->path);
    if (ftruncate(journal->fd, journal->size)) // zeros that stay there would do no harm
        journal->suspect = true;
    return false;
}

static void crossed(const struct journal *journal, const char *point)
{
    if (journal->crossed)
        journal->crossed(point);
}

// After a failed write nobody knows what is on the disk: the kernel may have given up pages and
// called them clean, so that a second fdatasync() succeeds without having written anything
// (fsync(2), "errors"; PostgreSQL learned it in 2018). So it is not called again in the hope
// that it works now. What is behind `end` was never told of: it is made zeros again, by writing
// them, and when that is on the disk, all is known.
static bool make_known(struct journal *journal)
{
    if (journal->renamed && fsync(journal->directory_fd))
        return fail(journal, "sync the folder of", journal->path);
    journal->renamed = false;
    if (journal->suspect &&
        (!write_zeros(journal->fd, journal->end, journal->size) || fdatasync(journal->fd)))
        return fail(journal, "clear the end of", journal->path);
    journal->suspect = false;
    return true;
}

static bool write_group(struct journal *journal, size_t length)
{
    if (!make_known(journal) || !make_room(journal, length))
        return false;
    journal->suspect = true;
    if (!write_at(journal->fd, journal->group, length, journal->end))
        return fail(journal, "write", journal->path);
    crossed(journal, "after-journal");
    // The loop stands still meanwhile: what comes now waits in the kernel's sockets, and is the
    // next group. A second thread could read requests during the sync; it would make nobody's
    // charge durable earlier, since the next sync cannot begin before this one has ended.
    if (fdatasync(journal->fd))
        return fail(journal, "sync", journal->path);
    journal->suspect = false;
    journal->end += (off_t)length;
    journal->syncs++;
    crossed(journal, "after-sync");
    return true;
}

bool journal_commit(struct journal *journal)
{
    bool written = write_group(journal, close_group(journal));
    journal->length = 0; // whatever has come of it: these lines have had their turn
    if (!written && journal->suspect)
        make_known(journal); // if this fails too, the next commit begins with it
    return written;
}

// ---- opening -------------------------------------------------------------------------------

// Opens path + suffix.
static int open_beside(const struct journal *journal, const char *suffix, int flags)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s%s", journal->path, suffix);
    return open(path, flags | O_CLOEXEC, 0666);
}

static int open_directory(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// An empty journal, in path.new.
static bool create(struct journal *journal, struct journal *fresh)
{
    char header[JOURNAL_HEAD];
    memcpy(fresh->path, journal->path, sizeof fresh->path);
    fresh->directory_fd = fresh->lock_fd = -1;
    fresh->end = fresh->size = JOURNAL_HEAD;
    fresh->group = malloc(2 * JOURNAL_HEAD + JOURNAL_GROUP);
    fresh->fd = open_beside(journal, ".new", O_RDWR | O_CREAT | O_TRUNC);
    journal_header(header);
    if (!fresh->group || fresh->fd < 0 || !write_at(fresh->fd, header, sizeof header, 0) ||
        !make_room(fresh, 0)) {
        fail(journal, "create a journal beside", journal->path);
        journal_give_up(fresh);
        return false;
    }
    return true;
}

// One server for one journal. The lock is a file of its own, since the journal itself is
// replaced.
static bool lock(struct journal *journal)
{
    journal->lock_fd = open_beside(journal, ".lock", O_RDWR | O_CREAT);
    if (journal->lock_fd < 0)
        return fail(journal, "open the lock of", journal->path);
    if (!flock(journal->lock_fd, LOCK_EX | LOCK_NB))
        return true;
    if (errno != EWOULDBLOCK)
        return fail(journal, "lock", journal->path);
    snprintf(journal->error, sizeof journal->error,
             "another server has %.200s (--journal FILE names another one)", journal->path);
    return false;
}

// What was read is about to be told of, but is it on the disk? The process before this one may
// have been killed before its sync, or after one that failed: then the kernel has the last
// group in memory, and may call it clean. So it is written again, and synced; and the folder,
// for it may have been killed between rename() and that.
static bool confirm(struct journal *journal, off_t last)
{
    size_t length = last ? (size_t)(journal->end - last) : 0;
    journal->renamed = true;
    if (pread(journal->fd, journal->group, length, last) == (ssize_t)length &&
        write_at(journal->fd, journal->group, length, last) && !fdatasync(journal->fd))
        return make_known(journal);
    return fail(journal, "sync", journal->path);
}

static bool recover(struct journal *journal, struct recovery *recovery)
{
    if (!recovery_read(recovery, journal->fd)) {
        snprintf(journal->error, sizeof journal->error, "%.100s, at byte %lld: %.180s",
                 journal->path, (long long)recovery->error_at, recovery->error);
        return false;
    }
    journal->end = recovery->end;
    journal->size = recovery->size;
    journal->recovered = recovery->lines;
    if (recovery->filled > recovery->end)
        journal->cut = (uint64_t)(recovery->filled - recovery->end);
    journal->suspect = journal->cut > 0;
    return confirm(journal, recovery->last);
}

static bool open_file(struct journal *journal, struct recovery *recovery)
{
    struct journal fresh = {0};
    if (!lock(journal))
        return false;
    journal->fd = open(journal->path, O_RDWR | O_CLOEXEC);
    if (journal->fd < 0 && errno == ENOENT)
        return create(journal, &fresh) && journal_replace(journal, &fresh) &&
               make_known(journal);
    journal->group = malloc(2 * JOURNAL_HEAD + JOURNAL_GROUP);
    if (journal->fd < 0 || !journal->group)
        return fail(journal, "open", journal->path);
    return recover(journal, recovery);
}

bool journal_open(struct journal *journal, const char *path,
                  bool (*take)(void *context, const char *line, size_t length), void *context)
{
    struct recovery recovery = {.take = take, .context = context};
    *journal = (struct journal){.fd = -1, .lock_fd = -1};
    snprintf(journal->path, sizeof journal->path, "%s", path);
    journal->directory_fd = strlen(path) < PATH_MAX ? open_directory(path) : -1;
    bool good = journal->directory_fd < 0 ? fail(journal, "open the folder of", path)
                                          : open_file(journal, &recovery);
    if (!good)
        journal_close(journal);
    return good;
}

static void close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

void journal_close(struct journal *journal)
{
    close_file(journal->fd);
    close_file(journal->directory_fd);
    close_file(journal->lock_fd); // and nobody has the lock any more
    free(journal->group);
}

// ---- compaction ----------------------------------------------------------------------------

void journal_give_up(struct journal *fresh)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.new", fresh->path);
    unlink(path);
    close_file(fresh->fd);
    free(fresh->group);
}

bool journal_begin_fresh(struct journal *journal, struct journal *fresh)
{
    *fresh = (struct journal){.fd = -1};
    return create(journal, fresh);
}

// Nobody reads the new file before all of it is on the disk: its groups are written without a
// sync.
static bool write_fresh(struct journal *journal, struct journal *fresh)
{
    size_t length = close_group(fresh);
    fresh->length = 0;
    if (!write_at(fresh->fd, fresh->group, length, fresh->end)) {
        fail(journal, "write beside", journal->path);
        journal_give_up(fresh);
        return false;
    }
    fresh->end += (off_t)length;
    fresh->size = fresh->end > fresh->size ? fresh->end : fresh->size;
    return true;
}

bool journal_append_fresh(struct journal *journal, struct journal *fresh, const char *line,
                          size_t length)
{
    return journal_append(fresh, line, length) ||
           (write_fresh(journal, fresh) && journal_append(fresh, line, length));
}

bool journal_replace(struct journal *journal, struct journal *fresh)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.new", journal->path);
    if (fresh->length && !write_fresh(journal, fresh))
        return false;
    crossed(journal, "compact-written");
    if (!make_room(fresh, 0) || fdatasync(fresh->fd)) {
        fail(journal, "sync the journal beside", journal->path);
        journal_give_up(fresh);
        return false;
    }
    crossed(journal, "compact-synced");
    if (rename(path, journal->path)) { // either name has either file, at any moment
        fail(journal, "rename the journal beside", journal->path);
        journal_give_up(fresh);
        return false;
    }
    crossed(journal, "compact-renamed");
    // The name is in the directory, which is a file, too: not before it is synced does the new
    // journal survive. Nothing is committed before that: see make_known().
    journal->renamed = true;
    close_file(journal->fd);
    free(journal->group);
    journal->fd = fresh->fd;
    journal->group = fresh->group;
    journal->end = fresh->end;
    journal->size = fresh->size;
    journal->suspect = fresh->suspect;
    return true;
}
