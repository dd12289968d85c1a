// journal.c: see journal.h. Read journal_append(), journal_commit() and write_group() first:
// they are the path of a charge.
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "crc32c.h"
#include "journal_place.h"
#include "recovery.h"
#include "smaller.h"

#define OPEN_TRIES 100

static bool put_copy_in_place(struct journal *journal);

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

static void close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

static bool write_at(int fd, const char *bytes, size_t length, off_t at)
{
    while (length) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return true;
}

static bool write_zeros(int fd, off_t from, off_t to)
{
    static const char zeros[JOURNAL_AHEAD];
    for (size_t part; from < to; from += (off_t)part) {
        part = smaller((size_t)(to - from), JOURNAL_AHEAD);
        if (!write_at(fd, zeros, part, from))
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

// Sees to it that there are zeros for a group of this length, and for the zeros that stand
// behind each group. In a commit the file grows only here: if the disk is full, this fails, and
// no byte of the group has been written.
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
    journal_fail(journal, "make room in", journal->path);
    if (ftruncate(journal->fd, journal->size)) // zeros that stay there would do no harm
        journal->suspect = true;
    return false;
}

// The work has come to this point of --crash-at: see crashpoint.h.
static void crossed(const struct journal *journal, const char *point)
{
    if (journal->crossed)
        journal->crossed(point);
}

// The name of a journal is a part of its folder, which is a file, too: before the folder is
// synced a crash may bring the old journal back. After a sync that has failed, one that
// succeeds says nothing about the name (see make_known()); only one that comes after the name
// was written anew does.
static bool make_name_known(struct journal *journal)
{
    if (!journal->renamed)
        return true;
    if (!journal->folder_suspect || put_copy_in_place(journal)) {
        journal->folder_suspect = fsync(journal->directory_fd) != 0;
        if (!journal->folder_suspect) {
            journal->renamed = false;
            return true;
        }
        journal_fail(journal, "sync the folder of", journal->path);
    }
    close_file(journal_open_beside(journal, ".new", O_WRONLY | O_CREAT)); // see recover()
    return false;
}

// After a failed write it is not known what is on the disk: the kernel may have given up pages
// and called them clean, so that a second fdatasync() succeeds without having written anything
// (fsync(2), "errors"; PostgreSQL was changed for it in 2018). So it does not help to call
// fdatasync() again. No client was told of what is behind `end`: zeros are written there again,
// and when they are on the disk, all of the file is known.
static bool make_known(struct journal *journal)
{
    if (!make_name_known(journal))
        return false;
    if (journal->suspect &&
        (!write_zeros(journal->fd, journal->end, journal->size) || fdatasync(journal->fd)))
        return journal_fail(journal, "clear the end of", journal->path);
    journal->suspect = false;
    return true;
}

// Writes the present group behind the last one, and syncs it. True: the group is on the disk.
// First the three conditions: the name still leads to this file, what an earlier failure has
// left is cleared, and there are zeros for the group.
static bool write_group(struct journal *journal, size_t length)
{
    if (!journal_is_in_place(journal) || !make_known(journal) || !make_room(journal, length))
        return false;
    journal->suspect = true;
    if (!write_at(journal->fd, journal->group, length, journal->end))
        return journal_fail(journal, "write", journal->path);
    crossed(journal, "after-journal");
    // The loop stands still during the sync: requests that come now wait in the kernel's
    // sockets, and become the next group. A second thread could read them earlier, but no
    // charge would be durable earlier, since the next sync cannot begin before this one has
    // ended.
    if (fdatasync(journal->fd))
        return journal_fail(journal, "sync", journal->path);
    journal->suspect = false;
    journal->end += (off_t)length;
    journal->syncs++;
    crossed(journal, "after-sync");
    return true;
}

bool journal_commit(struct journal *journal)
{
    bool written = write_group(journal, close_group(journal));
    journal->length = 0; // a group that has failed is not written again: its clients get 503
    if (!written && journal->suspect)
        make_known(journal); // if this fails too, the next commit begins with it
    return written;
}

// ---- opening -------------------------------------------------------------------------------

// Removes a journal that does not take the other one's place; `doing` is what has failed.
static bool give_up(struct journal *journal, struct journal *fresh, const char *doing)
{
    char path[PATH_MAX + 8];
    journal_fail(journal, doing, journal->path);
    snprintf(path, sizeof path, "%s.new", journal->path);
    unlink(path);
    close_file(fresh->fd);
    free(fresh->group);
    return false;
}

// An empty journal in path.new, locked.
static bool create(struct journal *journal, struct journal *fresh)
{
    char header[JOURNAL_HEAD];
    *fresh = (struct journal){.directory_fd = -1, .end = JOURNAL_HEAD, .size = JOURNAL_HEAD};
    memcpy(fresh->path, journal->path, sizeof fresh->path);
    fresh->fd = journal_open_beside(journal, ".new", O_RDWR | O_CREAT);
    if (fresh->fd < 0 || !journal_lock(fresh, fresh->fd)) {
        journal_fail(journal, "open and lock a file beside", journal->path);
        close_file(fresh->fd);
        return false;
    }
    fresh->group = malloc(2 * JOURNAL_HEAD + JOURNAL_GROUP);
    journal_header(header);
    if (fresh->group && !ftruncate(fresh->fd, 0) &&
        write_at(fresh->fd, header, sizeof header, 0) && make_room(fresh, 0))
        return true;
    return give_up(journal, fresh, "create a journal beside");
}

// The first journal at this place. While the folder is locked, no other server makes one; if
// one was made meanwhile, journal->fd stays -1.
static bool create_first(struct journal *journal)
{
    struct journal fresh;
    if (flock(journal->directory_fd, LOCK_EX))
        return journal_fail(journal, "lock the folder of", journal->path);
    bool good = !access(journal->path, F_OK) ||
                (create(journal, &fresh) && journal_replace(journal, &fresh));
    flock(journal->directory_fd, LOCK_UN);
    return good;
}

// Opens the file and locks it. A server that has just ended may have replaced the file between
// the two; then the journal is the file that has the name now.
static bool open_file(struct journal *journal)
{
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        journal->fd = journal_open_beside(journal, "", O_RDWR);
        if (journal->fd < 0 && errno != ENOENT)
            return journal_fail(journal, "open", journal->path);
        if (journal->fd < 0 && !create_first(journal))
            return false;
        if (journal->fd < 0)
            continue;
        if (!journal_lock(journal, journal->fd))
            return false;
        if (journal_is_in_place(journal))
            return journal_has_one_name(journal);
        close_file(journal->fd);
    }
    return false;
}

// Clients will be told of the lines that were read, so these lines must be on the disk. But the
// process before this one may have been killed before its sync, or after a sync that failed:
// then the last group may be only in the kernel's memory, and marked as clean. So the last
// group is written again, and synced. The folder is synced too, since that process may have
// been killed between rename() and the sync of the folder.
static bool confirm(struct journal *journal, off_t last)
{
    size_t length = 0;
    if (last)
        length = (size_t)(journal->end - last);
    journal->renamed = true;
    if (pread(journal->fd, journal->group, length, last) == (ssize_t)length &&
        write_at(journal->fd, journal->group, length, last) && !fdatasync(journal->fd))
        return make_known(journal);
    return journal_fail(journal, "sync", journal->path);
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
    // The process before this one has left a path.new: perhaps it could not sync the folder.
    int left_over = journal_open_beside(journal, ".new", O_RDONLY);
    journal->folder_suspect = left_over >= 0;
    close_file(left_over);
    return confirm(journal, recovery->last);
}

bool journal_open(struct journal *journal, const char *path,
                  bool (*take)(void *context, const char *line, size_t length), void *context)
{
    struct recovery recovery = {.take = take, .context = context};
    *journal = (struct journal){.fd = -1, .directory_fd = -1};
    journal->group = malloc(2 * JOURNAL_HEAD + JOURNAL_GROUP);
    if (!journal->group)
        return journal_fail(journal, "find memory for", path);
    if (journal_find(journal, path) && open_file(journal) && recover(journal, &recovery))
        return true;
    journal_close(journal);
    return false;
}

void journal_close(struct journal *journal)
{
    close_file(journal->fd); // this also ends the lock
    close_file(journal->directory_fd);
    free(journal->group);
}

// ---- compaction ----------------------------------------------------------------------------

bool journal_begin_fresh(struct journal *journal, struct journal *fresh)
{
    return journal_is_in_place(journal) && journal_has_one_name(journal) &&
           create(journal, fresh);
}

// The new file is not read before all of it is on the disk, so its groups are written without a
// sync.
static bool write_fresh(struct journal *journal, struct journal *fresh)
{
    size_t length = close_group(fresh);
    fresh->length = 0;
    if (!write_at(fresh->fd, fresh->group, length, fresh->end))
        return give_up(journal, fresh, "write beside");
    fresh->end += (off_t)length;
    if (fresh->size < fresh->end)
        fresh->size = fresh->end;
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
    if (!make_room(fresh, 0) || fdatasync(fresh->fd))
        return give_up(journal, fresh, "sync the journal beside");
    crossed(journal, "compact-synced");
    if (rename(path, journal->path)) // atomic: the name leads to the old file or the new
        return give_up(journal, fresh, "rename the journal beside");
    crossed(journal, "compact-renamed");
    journal->renamed = true; // nothing is committed before the folder is synced
    close_file(journal->fd);
    free(fresh->group);
    journal->fd = fresh->fd;
    journal->end = fresh->end;
    journal->size = fresh->size;
    journal->suspect = fresh->suspect;
    return true;
}

static bool put_copy_in_place(struct journal *journal)
{
    struct journal fresh;
    if (!journal_begin_fresh(journal, &fresh))
        return false;
    while (fresh.end < journal->end) {
        size_t part = smaller((size_t)(journal->end - fresh.end), JOURNAL_GROUP);
        if (pread(journal->fd, fresh.group, part, fresh.end) != (ssize_t)part ||
            !write_at(fresh.fd, fresh.group, part, fresh.end))
            return give_up(journal, &fresh, "copy");
        fresh.end += (off_t)part;
    }
    if (fresh.size < fresh.end)
        fresh.size = fresh.end;
    return journal_replace(journal, &fresh);
}
