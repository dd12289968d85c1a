// stats.c: see stats.h.
#include "stats.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "net.h"

struct stats *stats_begin(int workers)
{
    struct stats *stats =
        mmap(NULL, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stats == MAP_FAILED || sem_init(&stats->settled, 1, 0))
        die("no memory to share: %s", strerror(errno));
    stats->workers = workers;
    return stats;
}

void stats_end(struct stats *stats)
{
    sem_destroy(&stats->settled);
    munmap(stats, sizeof *stats);
}

void stats_count(_Atomic long *figure)
{
    atomic_fetch_add_explicit(figure, 1, memory_order_relaxed);
}

// Returns how often a thread has gone to sleep: proc(5), voluntary_ctxt_switches. -1: there is
// no such thread.
static long switches(int pid, int tid)
{
    char path[64], line[128];
    long count = -1;
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", pid, tid);
    FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
            break;
    if (status)
        fclose(status);
    return count;
}

// Reads the length of an accept queue, and its limit. For a socket in state LISTEN, TCP_INFO
// has them in two fields that mean something else in every other state: tcpi_unacked (how many
// connections wait) and tcpi_sacked (the backlog).
static void accept_queue(int listener, unsigned *depth, unsigned *backlog)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    *depth = *backlog = 0;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
        info.tcpi_state == TCP_LISTEN) {
        *depth = info.tcpi_unacked;
        *backlog = info.tcpi_sacked;
    }
}

size_t stats_text(const struct stats *stats, char *text, size_t size)
{
    size_t length =
        (size_t)snprintf(text, size,
                         "worker     pid     tid accepted  wakeups    vain answered switches "
                         "queue backlog\n");
    for (int i = 0; i < stats->workers && length < size; i++) {
        const struct worker_stats *line = &stats->line[i];
        unsigned depth, backlog;
        accept_queue(line->listener, &depth, &backlog);
        int more = snprintf(text + length, size - length,
                            "%6d %7d %7d %8ld %8ld %7ld %8ld %8ld %5u %7u\n", i + 1, line->pid,
                            line->tid, line->accepted, line->wakeups, line->vain,
                            line->answered, switches(line->pid, line->tid), depth, backlog);
        if (length + (size_t)more >= size)
            break;
        length += (size_t)more;
    }
    return length;
}

long stats_sum(const struct stats *stats, enum stats_field which)
{
    long sum = 0;
    for (int i = 0; i < stats->workers; i++) {
        const struct worker_stats *line = &stats->line[i];
        switch (which) {
        case ACCEPTED:
            sum += line->accepted;
            break;
        case WAKEUPS:
            sum += line->wakeups;
            break;
        case VAIN:
            sum += line->vain;
            break;
        case ANSWERED:
            sum += line->answered;
            break;
        }
    }
    return sum;
}
