// journal.h: an append-only file that survives a crash. When journal_commit() has returned
// true, the lines of the group are on the disk, whatever happens next.
//
//     header    "charges\n", version, checksum                       16 bytes
//     group     length, checksum of the lines, 0, checksum           16 bytes
//               of these three and of the group's place
//               lines, each with its '\n'; zeros up to the next multiple of 16
//     group     ...
//     zeros     up to the end of the file: at least 16 bytes
//
// Many lines share one group, one pwrite() and one fdatasync(): group commit. A sync takes 0.1
// to 10 ms, which depends on the disk, and hardly on the number of lines.
//
// The zeros are written, and synced, before a group takes their place. So a group changes
// neither the file's size nor its blocks: fdatasync() has no metadata to bring to the disk
// (test/bench.sh shows the difference). And recovery can tell a group that a crash has cut from
// a file that is damaged: see recovery.h.
#ifndef JOURNAL_H
#define JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOURNAL_VERSION 1
#define JOURNAL_GROUP   (4 << 20) // bytes of a group, at most
#define JOURNAL_AHEAD   (1 << 20) // bytes of zeros that are made at a time
#define JOURNAL_HEAD    16        // bytes of the header, and of a group's

struct journal {
    int fd, directory_fd;
    char path[PATH_MAX]; // of the file, not of a link to it
    off_t end;           // behind the last group that is on the disk
    off_t size;          // of the file: from `end` to here are zeros
    char *group;         // the present group, with room for its head
    size_t length;       // of the present group's lines
    bool suspect;        // a write has failed: what is behind `end` is not known
    bool renamed;        // the name leads to a new file: the folder has to be synced first
    bool folder_suspect; // a sync of the folder has failed: whether the name is on the disk is
                         // not known
    uint64_t syncs;
    uint64_t recovered, cut; // lines that were read at the start; bytes of a torn group
    void (*crossed)(const char *point); // called at each point of --crash-at; NULL: none
    char error[300];
};

// Opens a journal for this process alone and reads it, or makes one; calls take() for each
// line, which answers false if it cannot read it. False: see `error`; nothing has to be closed.
bool journal_open(struct journal *journal, const char *path,
                  bool (*take)(void *context, const char *line, size_t length), void *context);
void journal_close(struct journal *journal);

// Adds a line, which has its '\n', to the present group. False: the group is full.
bool journal_append(struct journal *journal, const char *line, size_t length);

// Brings the present group to the disk, and begins the next one. False: nothing of it is in the
// journal (if what was written could be cleared), and `error` says why: a write or a sync has
// failed, or the file was removed or replaced while it was open. The next one may succeed:
// there may be room again.
bool journal_commit(struct journal *journal);

// Compaction: begins a journal beside this one, into which what is to stay is appended; then
// puts it in the place of this one, whose group has to be empty. Until journal_replace() has
// renamed it, nothing has changed. False: the compaction is over, `fresh` is closed, and
// `journal->error` says why.
bool journal_begin_fresh(struct journal *journal, struct journal *fresh);
bool journal_append_fresh(struct journal *journal, struct journal *fresh, const char *line,
                          size_t length);
bool journal_replace(struct journal *journal, struct journal *fresh);

// ---- for recovery.c: how a group is written ------------------------------------------------

struct journal_head {
    uint32_t length;   // of the lines
    uint32_t checksum; // of the lines, and the zeros behind them
    uint32_t zero;
    uint32_t own; // checksum of the three above and of the place: a moved group is not valid
};

void journal_header(char *header); // of the file
uint32_t journal_head_checksum(const struct journal_head *head, off_t place);
size_t journal_padded(size_t length); // the next multiple of 16

#endif
