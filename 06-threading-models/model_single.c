// model_single.c: one process, one connection at a time. The process blocks in accept() until a
// client comes, and then in read() until that client has closed. All other clients wait,
// however short their requests are. Nothing is shared, nothing can go wrong, and nothing
// scales.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blocking.h"
#include "model.h"
#include "net.h"
#include "stop_signal.h"

void run_single(struct workers *workers, int listener, int stop_fd)
{
    close(
        stop_fd); // accept() and read() do not watch it: a signal handler has to interrupt them
    stop_signal_begin(listener, &workers->stopping);
    while (!stop_signal_came()) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EINVAL) // EINVAL: shut down
                sleep_ms(RETRY_MS);
            continue;
        }
        workers_admit(workers);
        stop_signal_watch(fd);
        serve_blocking(fd, &workers->worker[0]);
        stop_signal_watch(-1);
        workers_release(workers);
        close(fd);
    }
    close(listener);
}
