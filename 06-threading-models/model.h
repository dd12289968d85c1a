// model.h: what a threading model is: one way to serve many clients with the one handler of
// handler.h. There are eight, each in a file of its own that reads from top to bottom. They
// differ only in this:
//
//     model        accepts              waits for a request         runs the handler
//     single       the process          the process                 the process
//     fork         the parent           a process per connection    that process
//     thread       the main thread      a thread per connection     that thread
//     prefork      each of N processes  the same process            the same process
//     pool         the loop (epoll)     the loop                    one of N workers
//     readers      the main thread      one of N loops (epoll)      the same loop
//     loop         the loop (epoll)     the loop                    the loop
//     uring        the kernel           the loop (io_uring)         the loop
//
// In single and prefork a worker belongs to one connection until that is closed. Further
// clients wait in the kernel's queue, and no worker is free to answer them 503.
#ifndef MODEL_H
#define MODEL_H

#include "workers.h"

// The table of all models. A new model is one new file, model_NAME.c, and one new line here:
// the server, the scenes, the tests and the scripts read this table (./server --list-models).
//
// The columns are the fields of struct model, below: the name; how many workers there are (one,
// as many as --workers says, or one for each connection); how many connections are served at
// once; whether a worker is a thread or a process; one line for --list-models. X is the name of
// another macro (DECLARE, below, or ENTRY in parts/model.c), which is used once for each line:
// so the table is written once, and makes both the declarations and the array models[].
// The last line is the model that not every machine can run: see model_count().
// clang-format off
#define MODELS(X) \
  X(single,  ONE_WORKER,   SERVES_ONE, THREADS,   "one process, one connection at a time") \
  X(fork,    ONE_FOR_EACH, SERVES_ALL, PROCESSES, "a process for each connection") \
  X(thread,  ONE_FOR_EACH, SERVES_ALL, THREADS,   "a thread for each connection") \
  X(prefork, N_WORKERS,    SERVES_N,   PROCESSES, "N processes, each accepts for itself") \
  X(pool,    N_WORKERS,    SERVES_ALL, THREADS,   "a loop, a queue, and N workers in threads") \
  X(readers, N_WORKERS,    SERVES_ALL, THREADS,   "an acceptor, and N event loops in threads") \
  X(loop,    ONE_WORKER,   SERVES_ALL, THREADS,   "one thread, an event loop") \
  X(uring,   ONE_WORKER,   SERVES_ALL, THREADS,   "one thread, and io_uring") // the last one: see model_count()
// clang-format on

// Serves the clients of `listener` until `stop_fd` can be read; then finishes the requests that
// are under way, for STOP_MS at most, and leaves no process behind. A second signal ends the
// server at once. (In loop a request that computes is finished first: it has the only thread.)
// Closes the listener.
typedef void model_run(struct workers *workers, int listener, int stop_fd);

struct model {
    const char *name; // for --model
    model_run *run;   // run_NAME() in model_NAME.c
    enum { ONE_WORKER, N_WORKERS, ONE_FOR_EACH } workers;
    enum { SERVES_ONE, SERVES_N, SERVES_ALL } serves;
    enum { THREADS, PROCESSES } kind; // if a worker process crashes, the server goes on
    const char *about;                // one line for --list-models
};

// Declares the functions run_single(), run_fork() and so on.
#define DECLARE(name, workers, serves, kind, about) model_run run_##name;
MODELS(DECLARE)

extern const struct model models[];

// How many models this machine can run. The last one needs io_uring, which not every machine
// allows.
int model_count(void);

// Why the last model is left out, in a line of text; NULL: it is not.
const char *model_left_out(void);

// Returns the model's place in models[]; -1: there is none of this name.
int model_find(const char *name);

// Serves with an epoll loop, in this thread (model_loop.c). The loop calls accept_from() when
// `source` can be read. accept_from() returns the next connection, a socket that does not
// block; -1: there is none now, errno says why; LOOP_STOP: there will be no more. `stop_fd` is
// as in model_run; -1: none.
enum { LOOP_STOP = -2 };
void event_loop(struct worker *worker, int source, int (*accept_from)(int source), int stop_fd);

#endif
