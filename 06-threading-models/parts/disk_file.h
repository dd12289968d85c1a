// disk_file.h: the file of /write. A record of so many KB is written into it, and is kept by
// the disk when fdatasync() returns.
#ifndef DISK_FILE_H
#define DISK_FILE_H

#include <stdbool.h>

#define DISK_KB_MAX (256 * 1024)

struct disk_file {
    int fd;             // it has no name: it goes when the server ends
    const char *record; // DISK_KB_MAX KB of zeros
};

// Says in which folder the file will be (--disk). Before the first call of disk_file().
void disk_choose(const char *folder);

// The file of this process; the first call makes it. NULL: that fails, errno may say why.
const struct disk_file *disk_file(void);

// Writes a record to the beginning of the file. The calling thread sleeps until the disk has
// it. False: the disk does not take it.
bool disk_write(int kb);

#endif
