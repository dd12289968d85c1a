// model.h: what a threading model is: one way to serve many clients with the one handler of
// handler.h. There are seven, each in a file of its own that reads from top to bottom. They
// differ only in this:
//
//                  who accepts          who waits for a request     who runs the handler
//     single       the process          the process                 the process
//     fork         the parent           a process per connection    that process
//     thread       the main thread      a thread per connection     that thread
//     prefork      each of N processes  the same process            the same process
//     pool         the loop (epoll)     the loop                    one of N workers
//     readers      the main thread      one of N loops (epoll)      the same loop
//     loop         the loop (epoll)     the loop                    the loop
//
// In single and prefork a worker belongs to one connection until that is closed. Further
// clients wait in the kernel's queue, and no worker is free to answer them 503.
#ifndef MODEL_H
#define MODEL_H

#include "workers.h"

// The table of all models. A new model is one new file, model_NAME.c, and one new line here:
// the server, the scenes, the tests and the scripts read this table (./server --list-models).
//
// How many workers are there: one, as many as --workers says, or one for each connection? How
// many connections are served at once? Is a worker a thread or a process?
#define MODELS(row)                                                                            \
    row(single, ONE_WORKER, SERVES_ONE, THREADS, "one process, one connection at a time") row( \
        fork, ONE_FOR_EACH, SERVES_ALL, PROCESSES, "a process for each connection")            \
        row(thread, ONE_FOR_EACH, SERVES_ALL, THREADS, "a thread for each connection") row(    \
            prefork, N_WORKERS, SERVES_N, PROCESSES, "N processes, each accepts for itself")   \
            row(pool, N_WORKERS, SERVES_ALL, THREADS,                                          \
                "a loop, a queue, and N workers in threads")                                   \
                row(readers, N_WORKERS, SERVES_ALL, THREADS,                                   \
                    "an acceptor, and N event loops in threads")                               \
                    row(loop, ONE_WORKER, SERVES_ALL, THREADS, "one thread, an event loop")

// Serves the clients of `listener` until `stop_fd` can be read; then finishes the requests that
// are under way, for STOP_MS at most, and leaves no process behind. A second signal ends it at
// once (in loop: when the request that computes is done, because that has the only thread).
// Closes the listener.
typedef void model_run(struct workers *workers, int listener, int stop_fd);

struct model {
    const char *name; // for --model
    model_run *run;   // run_NAME() in model_NAME.c
    enum { ONE_WORKER, N_WORKERS, ONE_FOR_EACH } workers;
    enum { SERVES_ONE, SERVES_N, SERVES_ALL } serves;
    enum { THREADS, PROCESSES } kind; // if a process crashes, the server goes on
    const char *about;                // one line for --list-models
};

// Each row declares its function.
#define DECLARE(name, workers, serves, kind, about) model_run run_##name;
MODELS(DECLARE)

extern const struct model models[];
extern const int model_count;

// Returns the model's place in models[]; -1: there is none of this name.
int model_find(const char *name);

// Serves with an epoll loop, in this thread (model_loop.c). `accept` is called when `source`
// can be read: it returns the next connection, a socket that does not block; -1: there is none
// now, errno says why; LOOP_STOP: there will be no more. `stop_fd` is as in model_run; -1:
// none.
enum { LOOP_STOP = -2 };
void event_loop(struct worker *worker, int source, int (*accept_from)(int source), int stop_fd);

#endif
