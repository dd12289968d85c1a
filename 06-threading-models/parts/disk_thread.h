// disk_thread.h: a thread that waits for the disk in place of its loop (--disk-thread). epoll
// cannot help here: a file on a disk counts as ready at all times, and epoll_ctl() refuses it
// (EPERM). So the loop puts a job into one queue, and finds it in another one when the disk has
// the record.
#ifndef DISK_THREAD_H
#define DISK_THREAD_H

#include "queue.h"

struct disk_job {
    void *client; // whose record it is; NULL: the client has gone. Only the loop uses this
    int kb;
    bool written; // the disk has it
};

struct disk_thread {
    pthread_t thread;
    struct queue waiting, done;
    int jobs, jobs_max; // that the loop has not taken back
    int done_fd;        // can be read when there may be a job in `done`
};

// Starts the thread, for so many jobs at once. False: there is no memory, or no thread.
bool disk_thread_start(struct disk_thread *disk, int jobs_max);

// Whether a further job may be put.
bool disk_thread_has_room(const struct disk_thread *disk);

// A record of so many KB is to be written. NULL: there is no room, or no memory.
struct disk_job *disk_thread_put(struct disk_thread *disk, void *client, int kb);

// The next job that is done; the caller frees it. NULL: there is none.
struct disk_job *disk_thread_take(struct disk_thread *disk);

// Finishes the jobs, ends the thread, and frees what it had.
void disk_thread_stop(struct disk_thread *disk);

#endif
