// model_single.c: one process, one connection at a time. It blocks in accept() until a client
// comes, and then in read() until that client has closed: all others wait, however short what
// they want is. Nothing is shared, nothing can go wrong, and nothing scales.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conversation.h"
#include "interrupt.h"
#include "model.h"
#include "net.h"

#define PAUSE_MS 100 // after accept() found no free descriptor

static void run(struct crew *crew, int listener, int stop_fd)
{
    close(stop_fd); // it waits in calls that know nothing of it: a handler has to do
    interrupt_begin(listener, &crew->stopping);
    while (!interrupt_came()) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EINVAL) // EINVAL: shut down
                sleep_ms(PAUSE_MS);
            continue;
        }
        crew_join(crew);
        interrupt_watch(fd);
        converse(fd, &crew->workers[0]);
        interrupt_watch(-1);
        crew_leave(crew);
        close(fd);
    }
    close(listener);
}

const struct model model_single = {"single", "one process, one connection at a time", ONE, run};
