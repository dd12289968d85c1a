// disk_thread.c: see disk_thread.h.
#include "disk_thread.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "disk_file.h"

static void *work(void *argument)
{
    struct disk_thread *disk = argument;
    struct disk_job *job;
    while ((job = queue_take(&disk->waiting))) {
        bool first;
        job->written = disk_write(job->kb); // this thread sleeps; the loop does not
        queue_put(&disk->done, job, &first);
        if (first)
            eventfd_write(disk->done_fd, 1);
    }
    return NULL;
}

bool disk_thread_start(struct disk_thread *disk, int jobs_max)
{
    disk->jobs = 0;
    disk->jobs_max = jobs_max;
    disk->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return disk->done_fd >= 0 && queue_open(&disk->waiting, jobs_max, 1) &&
           queue_open(&disk->done, jobs_max, 0) &&
           pthread_create(&disk->thread, NULL, work, disk) == 0;
}

bool disk_thread_has_room(const struct disk_thread *disk)
{
    return disk->jobs < disk->jobs_max; // each job needs a place in `done` later
}

struct disk_job *disk_thread_put(struct disk_thread *disk, void *client, int kb)
{
    bool first;
    struct disk_job *job = NULL;
    if (disk_thread_has_room(disk))
        job = malloc(sizeof *job);
    if (!job)
        return NULL;
    *job = (struct disk_job){client, kb, false};
    queue_put(&disk->waiting, job, &first);
    queue_wake(&disk->waiting);
    disk->jobs++;
    return job;
}

struct disk_job *disk_thread_take(struct disk_thread *disk)
{
    eventfd_t count;
    struct disk_job *job = queue_try(&disk->done);
    if (!job && eventfd_read(disk->done_fd, &count) == 0) // there may be one since then
        job = queue_try(&disk->done);
    if (job)
        disk->jobs--;
    return job;
}

void disk_thread_stop(struct disk_thread *disk)
{
    struct disk_job *job;
    queue_close(&disk->waiting);
    pthread_join(disk->thread, NULL);
    while ((job = queue_try(&disk->done)))
        free(job);
    queue_free(&disk->waiting);
    queue_free(&disk->done);
    close(disk->done_fd);
}
