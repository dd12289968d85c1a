// recovery.h: reads a journal after whatever has happened, and decides what it means.
//
// A crash can only hurt the last group, and only before its clients were answered: a group is
// written when the one before it is on the disk, and its clients are answered when it is on the
// disk itself. Any part of it can be missing, for a disk writes sectors of 512 bytes in any
// order. But where the group is, there were zeros before, and they were on the disk. So:
//
//     torn     the checksum is wrong, a sector's share of the group is all zeros as it was
//              before, and behind the group are only zeros: the group is cut off
//     damaged  everything else that is wrong, and above all a group that is wrong and has no
//              sector missing, or another one behind it: the server does not start
//
// Lines have no zeros in them, so the two cannot be confused, with one exception: a program
// that sets whole sectors of the last group to zero does what a crash does. If a disk
// loses sectors after the sync, one copy of the file cannot show it.
#ifndef RECOVERY_H
#define RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct recovery {
    bool (*take)(void *context, const char *line, size_t length);
    void *context;
    // What came out:
    off_t end;    // behind the last whole group,
    off_t last;   // which begins here; 0: there is none
    off_t filled; // behind the last byte that is not zero: more than `end` if a group was torn
    off_t size;   // of the file
    uint64_t lines;
    off_t error_at;
    char error[200]; // empty: all is well
};

// Reads the file, calling take() for each line. False: it is damaged, or cannot be read.
bool recovery_read(struct recovery *recovery, int fd);

#endif
