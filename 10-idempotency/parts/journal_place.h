// journal_place.h: the journal's place in the file system, and that it belongs to one server.
// For journal.c.
//
// What is locked is the file, not its name: a symbolic link, or a second name, leads to the
// same lock. Compaction puts another file in the journal's place; that one is locked before it
// has the name. So a server that opens the journal locks it, and then looks whether the name
// still leads there.
#ifndef JOURNAL_PLACE_H
#define JOURNAL_PLACE_H

#include "journal.h"

// Keeps what could not be done, and errno, in journal->error. Returns false.
bool journal_fail(struct journal *journal, const char *what, const char *path);

// Finds the file that `path` means (a symbolic link is followed, so that it stays when the file
// is replaced), and opens its folder. False: see error.
bool journal_find(struct journal *journal, const char *path);

// Opens the path with a suffix, as open(2); -1 and errno if that fails.
int journal_open_beside(const struct journal *journal, const char *suffix, int flags);

// Locks the file until it is closed. False: another server has it, or see error.
bool journal_lock(struct journal *journal, int fd);

// Whether the journal's name leads to the file that is open. False: see error. (SQLite checks
// the same before it writes: SQLITE_READONLY_DBMOVED.)
bool journal_is_in_place(struct journal *journal);

// Whether the file has this one name. It must, where it is to be replaced: the other name would
// keep what was there before. False: see error.
bool journal_has_one_name(struct journal *journal);

#endif
