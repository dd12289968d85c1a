// jobs.c: see jobs.h. One lock for all: it is held for a few instructions.
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *done;
static int bell[2] = {-1, -1};

int jobs_socket(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, bell))
        die("cannot make a pair of sockets: %s", strerror(errno));
    return bell[0];
}

// Moves a list of jobs to those that are done, and tells the loop. If the socket is full, the
// loop has been told already.
static void finish(struct job *list)
{
    struct job *last = list;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&lock);
    last->next = done;
    done = list;
    pthread_mutex_unlock(&lock);
    send(bell[1], "", 1, MSG_NOSIGNAL);
}

// Waits for the next job, or for all that wait. NULL: the program stops.
static struct job *next_list(struct jobs *jobs)
{
    struct job *list = NULL;
    pthread_mutex_lock(&lock);
    while (!jobs->first && !jobs->stopping)
        pthread_cond_wait(&jobs->more, &lock);
    if (!jobs->stopping) {
        list = jobs->first;
        jobs->first = list->next;
        jobs->count--;
        if (jobs->all) {
            jobs->first = NULL;
            jobs->count = 0;
        } else {
            list->next = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return list;
}

static void *run(void *argument)
{
    struct jobs *jobs = argument;
    struct job *list;
    while ((list = next_list(jobs))) {
        jobs->work(list);
        finish(list);
    }
    return NULL;
}

void jobs_begin(struct jobs *jobs)
{
    pthread_cond_init(&jobs->more, NULL);
    for (int i = 0; i < jobs->threads; i++)
        if (pthread_create(&jobs->thread[i], NULL, run, jobs))
            die("cannot start a thread");
}

void jobs_end(struct jobs *jobs)
{
    pthread_mutex_lock(&lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->more);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < jobs->threads; i++)
        pthread_join(jobs->thread[i], NULL);
    pthread_cond_destroy(&jobs->more);
    // What still waits is done by no one: it counts as done, so that its owner can free it.
    if (jobs->first)
        finish(jobs->first);
    jobs->first = NULL;
}

bool jobs_add(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&lock);
    bool room = jobs->count < jobs->max && !jobs->stopping;
    if (room) {
        job->next = NULL;
        if (jobs->first)
            jobs->last->next = job;
        else
            jobs->first = job;
        jobs->last = job;
        jobs->count++;
        pthread_cond_signal(&jobs->more);
    }
    pthread_mutex_unlock(&lock);
    return room;
}

struct job *jobs_take_done(void)
{
    pthread_mutex_lock(&lock);
    struct job *list = done;
    done = NULL;
    pthread_mutex_unlock(&lock);
    return list;
}
