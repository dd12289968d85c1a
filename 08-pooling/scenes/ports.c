// ports.c: every connection takes a port of the client's machine, and keeps it for a minute
// longer than it lives.
//
// A network of one's own (network_namespaces(7)) has a range of ports of its own: 50 of them
// are soon used up, and no other program on this machine notices.
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define FIRST_PORT  "40000"
#define LAST_PORT   "40049"
#define PORTS       50
#define TRIES       60 // that would be too many
#define CALLERS     8  // threads that share a pool
#define CONNECTED   4  // its connections
#define QUERIES     400
#define QUERY_MS    10000
#define PATIENCE_MS 3000

// States as /proc/net/tcp shows them (enum in the kernel's include/net/tcp_states.h).
#define ESTABLISHED 1
#define TIME_WAIT   6

// What came of one experiment, or why there was none.
struct result {
    bool refused;
    char why[160]; // it was refused, or a connection failed
    int error;     // errno of the first connection that failed
    int queries;   // answered
    int ports;     // in use afterwards, in the state that matters
};

// ---- a network of one's own ----------------------------------------------------------------

static bool refuse(struct result *result, const char *step)
{
    result->refused = true;
    snprintf(result->why, sizeof result->why, "%s: %s", step, strerror(errno));
    return false;
}

static bool set_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return written;
}

static bool enter_own_network(struct result *result)
{
    char map[32], group_map[32];
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    snprintf(map, sizeof map, "0 %u 1", geteuid());
    snprintf(group_map, sizeof group_map, "0 %u 1", getegid());
    if (unshare(CLONE_NEWNET)) { // without the right: as root of a new user namespace
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
            return refuse(result, "unshare(CLONE_NEWUSER | CLONE_NEWNET)");
        if (!set_file("/proc/self/setgroups", "deny") || !set_file("/proc/self/uid_map", map) ||
            !set_file("/proc/self/gid_map", group_map))
            return refuse(result, "/proc/self/uid_map");
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback))
        return refuse(result, "ioctl(SIOCSIFFLAGS, lo)");
    close(fd);
    if (!set_file("/proc/sys/net/ipv4/ip_local_port_range", FIRST_PORT " " LAST_PORT))
        return refuse(result, "/proc/sys/net/ipv4/ip_local_port_range");
    // On loopback, and only there, the kernel may take a port out of TIME_WAIT after a second.
    return set_file("/proc/sys/net/ipv4/tcp_tw_reuse", "0") ||
           refuse(result, "/proc/sys/net/ipv4/tcp_tw_reuse");
}

// Sockets of this network that are connected to the server's port, from here, in this state.
static int count_sockets(int state)
{
    char line[300];
    int count = 0;
    FILE *file = fopen("/proc/net/tcp", "r");
    while (file && fgets(line, sizeof line, file)) {
        unsigned to, is;
        if (sscanf(line, " %*d: %*x:%*x %*x:%x %x", &to, &is) == 2)
            count += to == 8008 && (int)is == state;
    }
    if (file)
        fclose(file);
    return count;
}

// ---- three experiments ---------------------------------------------------------------------

// Opens one connection after the other, until it is refused.
static void open_many(struct db_config *server, struct result *result, bool keep)
{
    struct db *open[TRIES] = {NULL};
    struct db_error error;
    int count = 0;
    for (; count < TRIES; count++) {
        open[count] = db_open(server, QUERY_MS, &error);
        if (!open[count])
            break;
        if (!db_query(open[count], "get user 7", QUERY_MS))
            die("get user 7: %s", open[count]->error.text);
        result->queries++;
        if (keep)
            continue;
        shutdown(open[count]->fd, SHUT_WR); // the end that closes first has the TIME_WAIT
        db_close(open[count]);
        open[count] = NULL;
    }
    result->why[0] = '\0';
    result->error = 0;
    if (count < TRIES) {
        snprintf(result->why, sizeof result->why, "%s", error.text);
        result->error = error.system;
    }
    int state = TIME_WAIT; // the last connections need a moment to reach this state
    if (keep)
        state = ESTABLISHED;
    int64_t start_ns = now_ns();
    while ((result->ports = count_sockets(state)) < count && ms_since(start_ns) < PATIENCE_MS)
        sleep_ms(10);
    for (int i = 0; i < count; i++)
        db_close(open[i]);
}

static void kept(struct db_config *server, struct result *result)
{
    open_many(server, result, true);
}

static void closed(struct db_config *server, struct result *result)
{
    open_many(server, result, false);
}

static struct pool *pool;

static void *ask(void *argument)
{
    char value[POOL_ERROR];
    long *answered = argument;
    for (int i = 0; i < QUERIES / CALLERS; i++)
        *answered += pool_query(pool, "caller", "get user 7", value, sizeof value);
    return NULL;
}

static void pooled(struct db_config *server, struct result *result)
{
    pthread_t threads[CALLERS];
    long answered[CALLERS] = {0};
    struct pool_config config = session_pool(server);
    config.max = CONNECTED;
    config.acquire_ms = QUERY_MS;
    pool = new_pool(config);
    for (int i = 0; i < CALLERS; i++)
        if (pthread_create(&threads[i], NULL, ask, &answered[i]))
            die("cannot start a thread");
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        result->queries += (int)answered[i];
    }
    result->ports = count_sockets(ESTABLISHED) + count_sockets(TIME_WAIT);
    end_pool(pool);
}

// Each in a process and a network of its own: nothing is left of it afterwards.
static struct result try(void (*experiment)(struct db_config *, struct result *))
{
    static const char *const options[] = {"--port", "8008", NULL};
    struct result result = {0};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        die("pipe2(): %s", strerror(errno));
    fflush(stdout);
    pid_t child = fork(), pid;
    if (child < 0)
        die("cannot start a process: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (enter_own_network(&result)) {
            struct db_config server = start_server(&pid, options);
            experiment(&server, &result);
            spawn_stop(pid);
        }
        _exit(!write_all(ends[1], &result, sizeof result));
    }
    close(ends[1]);
    if (!read_exactly(ends[0], &result, sizeof result))
        die("the experiment ended without a result");
    close(ends[0]);
    waitpid(child, NULL, 0);
    return result;
}

static const struct claim run_out = {
    "8.4", "guide §7", "ports run out: \"Cannot assign requested address\"", HOLDS, NULL};

void scene_ports(void)
{
    story_say("A network with %d ports for clients, %s to %s.", PORTS, FIRST_PORT, LAST_PORT);
    struct result keep = try(kept);
    if (keep.refused) {
        claim_report(&run_out, SKIPPED, "no network of our own: %s", keep.why);
        return;
    }
    struct result close_each = try(closed), with_pool = try(pooled);
    story_head("a connection for each query|answers|ports|");
    story_row("and it stays open|%d|%d|in use", keep.queries, keep.ports);
    story_row("and it is closed|%d|%d|TIME_WAIT", close_each.queries, close_each.ports);
    story_row("a pool of %d, %d threads|%d|%d|in use", CONNECTED, CALLERS, with_pool.queries,
              with_pool.ports);
    story_say("");
    story_say("Number %d: %s", keep.queries + 1, keep.why);
    claim_report(&run_out,
                 holds_if(keep.queries == PORTS && keep.error == EADDRNOTAVAIL &&
                          keep.ports == PORTS && close_each.queries == PORTS &&
                          close_each.error == EADDRNOTAVAIL && close_each.ports == PORTS &&
                          with_pool.ports > 0 &&
                          with_pool.ports <= CONNECTED && // fewer, if the threads take turns
                          with_pool.queries == QUERIES / CALLERS * CALLERS),
                 "at connection %d; closing does not help: %d ports in TIME_WAIT; %d queries "
                 "of a pool take %d",
                 keep.queries + 1, close_each.ports, with_pool.queries, with_pool.ports);
}
