// lab.h: servers that a scene starts and compares, and the processor time of their threads.
#ifndef LAB_H
#define LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "load.h"
#include "model.h"

#define LAB_PATIENCE_S 5 // within this time a server has to have its threads
#define LAB_WARM_UP_MS 20
#define LAB_MODELS_MAX 32 // a table has room for so many models

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

// Stops the server. Dies if it does not stop as it should.
void lab_stop(struct lab *lab);

// The scheduler's figures of a thread (schedstat: Documentation/scheduler/sched-stats.rst).
struct task {
    pid_t tid;
    int64_t ran_ns;    // how long it ran on a processor
    int64_t waited_ns; // how long it could have run, but waited for a processor
};

// Reads the figures of all threads of a server's main process, at most `max`, in the order in
// which they were made. Returns how many; 0: this kernel does not have them.
int lab_tasks(const struct lab *lab, struct task *tasks, int max);

// Runs a load until the server has so many threads, for LAB_WARM_UP_MS at least. Then reads
// their figures into tasks[]. Dies if the server does not have them in time.
void lab_warm_up(const struct lab *lab, struct load *load, struct task *tasks, int threads);

// What the cores that this program may use did since the machine was started, all together.
// Zeros: this kernel does not say it.
struct cores_use {
    int64_t idle_ns, busy_ns;
};

struct cores_use lab_cores_use(void);

#endif
