// lab.h: servers that a scene starts beside the one it was started with, to compare them; and
// what their threads have had of the processors.
#ifndef LAB_H
#define LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "load.h"
#include "model.h"

#define LAB_PATIENCE_S 5 // that a server may take until it has its threads
#define LAB_WARM_UP_MS 20
#define LAB_MODELS_MAX 32 // that a table has room for

struct lab {
    const char *model;
    pid_t pid;
    int port;
};

// The place of a model in models[]. Dies if there is none of this name.
int lab_model(const char *name);

// Starts "./server --model MODEL" with further options, one space between two. Dies if it does
// not start.
void lab_start(struct lab *lab, const char *model, const char *options, ...)
    __attribute__((format(printf, 3, 4)));

// Stops it. Dies if it does not stop as it should.
void lab_stop(struct lab *lab);

// What a thread has had of the processors, and how long it could have run but had to wait for
// one (schedstat: Documentation/scheduler/sched-stats.rst).
struct task {
    pid_t tid;
    int64_t ran_ns, waited_ns;
};

// All threads of a server's own process, at most `max`, in the order in which they were made.
// Returns how many; 0 where this kernel does not say.
int lab_tasks(const struct lab *lab, struct task *tasks, int max);

// Runs a load until the server has all of its `threads`, for LAB_WARM_UP_MS at least, and takes
// stock of them: tasks[] has room for so many. Dies if they do not appear.
void lab_warm_up(const struct lab *lab, struct load *load, struct task *tasks, int threads);

// How long all processors of this machine together have had nothing to do, since it was
// started.
int64_t lab_idle_ns(void);

#endif
