// model.h: what a threading model is: a way to have many clients served by the one handler of
// handler.h. The seven of them, each in a file of its own that reads from top to bottom, differ
// only in who waits where:
//
//                  who accepts          who waits for a request     who runs the handler
//     single       the process          the process                 the process
//     fork         the parent           a process per connection    that process
//     thread       the main thread      a thread per connection     that thread
//     prefork      each of N processes  the same process            the same process
//     pool         the reader (epoll)   the reader                  one of N workers
//     readers      the main thread      one of N loops (epoll)      the same loop
//     loop         the loop (epoll)     the loop                    the loop
//
// In single and prefork a worker belongs to one connection until that is closed: further
// clients wait in the kernel's queue, and nobody is there to answer them 503.
#ifndef MODEL_H
#define MODEL_H

#include "crew.h"

struct model {
    const char *name, *about;
    enum { ONE, MANY, ONE_FOR_EACH_CONNECTION } workers; // MANY: --workers
    // Serves the clients of `listener` until `stop_fd` has something to read; then finishes the
    // requests under way, for CREW_STOP_MS at most, and leaves no process and no thread behind.
    // A second signal ends it at once (in loop: when the request that computes is done, as that
    // has the only thread). Closes the listener.
    void (*run)(struct crew *crew, int listener, int stop_fd);
};

extern const struct model model_single, model_fork, model_thread, model_prefork, model_pool,
    model_readers, model_loop;

#endif
