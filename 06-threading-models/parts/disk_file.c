// disk_file.c: see disk_file.h.
#include "disk_file.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *disk_folder = ".";
static struct disk_file the_disk = {-1, NULL};
static pthread_once_t once = PTHREAD_ONCE_INIT;

void disk_choose(const char *folder)
{
    disk_folder = folder;
}

// The zeros are memory that is only read: the kernel shows the same page of zeros everywhere,
// so they take no memory.
static void open_disk(void)
{
    char path[PATH_MAX];
    void *zeros = mmap(NULL, (size_t)DISK_KB_MAX * 1024, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    snprintf(path, sizeof path, "%s/write.XXXXXX", disk_folder);
    if (zeros == MAP_FAILED)
        return;
    the_disk.record = zeros;
    the_disk.fd = mkostemp(path, O_CLOEXEC);
    if (the_disk.fd >= 0)
        unlink(path);
}

const struct disk_file *disk_file(void)
{
    pthread_once(&once, open_disk);
    if (the_disk.fd < 0)
        return NULL;
    return &the_disk;
}

bool disk_write(int kb)
{
    size_t written = 0, length = (size_t)kb * 1024;
    const struct disk_file *d = disk_file();
    if (!d)
        return false;
    while (written < length) {
        ssize_t part = pwrite(d->fd, d->record + written, length - written, (off_t)written);
        if (part <= 0)
            return false;
        written += (size_t)part;
    }
    return fdatasync(d->fd) == 0;
}
