// model_single.c: one process, one connection at a time. The process blocks in accept() until a
// client comes, and then in read() until that client has closed. All other clients wait,
// however short their requests are. There is nothing to share and nothing to lock, but a second
// core is of no use.
#include <unistd.h>

#include "blocking.h"
#include "model.h"
#include "stop_signal.h"

void run_single(struct workers *workers, int listener, int stop_fd)
{
    // A process that blocks in accept() or read() cannot watch stop_fd at the same time: a
    // signal handler has to interrupt it.
    close(stop_fd);
    stop_signal_begin(listener, &workers->stopping);
    while (!stop_signal_came()) {
        int fd = accept_blocking(listener);
        if (fd < 0)
            continue;
        workers_admit(workers); // counts it; one at a time is never one too many
        stop_signal_watch(fd);
        serve_blocking(fd, &workers->worker[0]);
        stop_signal_watch(-1);
        workers_release(workers);
        close(fd);
    }
    close(listener);
}
