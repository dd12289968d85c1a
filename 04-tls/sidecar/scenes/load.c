// load.c: see load.h.
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fetch.h"
#include "measure.h"
#include "net.h"
#include "spawn.h"

static struct shared {
    atomic_int asked, failed;
    _Atomic double slowest_ms;
    atomic_bool over;
} * shared;
static pid_t process;

// Asks on one connection, as long as it is kept.
static void ask_on(struct fetch *f, const struct sockaddr_storage *address, const char *service)
{
    char host[100];
    int64_t began_ns = now_ns();
    enum fetch_result result = FETCH_OK;
    if (f->fd < 0)
        result = fetch_open(f, address, 0);
    snprintf(host, sizeof host, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", service);
    if (result == FETCH_OK)
        result = fetch_send_bytes(f, host, strlen(host));
    if (result == FETCH_OK)
        result = fetch_answer(f);
    bool good = result == FETCH_OK && f->head.status == 200;
    if (!good || !f->head.keep_alive)
        fetch_close(f);
    if (!good)
        atomic_fetch_add(&shared->failed, 1);
    atomic_fetch_add(&shared->asked, 1);
    if (ms_since(began_ns) > atomic_load(&shared->slowest_ms))
        atomic_store(&shared->slowest_ms, ms_since(began_ns));
}

void load_start(const struct pod *pod, const char *service)
{
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("cannot share memory: %s", strerror(errno));
    fflush(stdout);
    process = fork();
    if (process != 0)
        return;
    static struct fetch f;
    struct sockaddr_storage address;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    net_address(pod->address, MESH_PORT, SOCK_STREAM, &address);
    f.fd = -1;
    while (!atomic_load(&shared->over))
        ask_on(&f, &address, service);
    _exit(0);
}

void load_await(int questions)
{
    int until = atomic_load(&shared->asked) + questions;
    int64_t end_ns = now_ns() + MESH_AWAIT_MS * INT64_C(1000000);
    while (atomic_load(&shared->asked) < until) {
        if (now_ns() > end_ns)
            die("%d questions are not answered within %d s", questions, MESH_AWAIT_MS / 1000);
        sleep_ms(1);
    }
}

struct load_result load_stop(void)
{
    atomic_store(&shared->over, true);
    spawn_wait(process);
    struct load_result result = {atomic_load(&shared->asked), atomic_load(&shared->failed),
                                 atomic_load(&shared->slowest_ms)};
    munmap(shared, sizeof *shared);
    return result;
}
