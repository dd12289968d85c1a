// jobs.h: work that would stop the loop, in threads of its own: hashing a password takes a
// fifth of a second, a question to a distant store a round trip. The loop adds a job, and goes
// on; when the job is done, a byte arrives on a socket that the loop reads as it reads its
// clients'.
#ifndef JOBS_H
#define JOBS_H

#include <pthread.h>
#include <stdbool.h>

struct job {
    struct job *next;
    void *owner; // who waits for it; NULL: no one any more. For the loop's thread only
};

#define JOBS_THREADS 4

// One kind of jobs, and its threads. The caller sets the first four members.
struct jobs {
    void (*work)(struct job *list); // does the jobs of a list
    int threads;
    int max;  // jobs that may wait
    bool all; // a thread takes all jobs that wait, in one list; false: one
    pthread_t thread[JOBS_THREADS];
    pthread_cond_t more;
    struct job *first, *last;
    int count;
    bool stopping;
};

// Makes the socket by which the loop learns of jobs that are done; returns the loop's end.
int jobs_socket(void);

void jobs_begin(struct jobs *jobs);
void jobs_end(struct jobs *jobs); // waits for the job that is being done

// False: too many wait already.
bool jobs_add(struct jobs *jobs, struct job *job);

// The jobs that are done and were not taken before; NULL: none.
struct job *jobs_take_done(void);

#endif
