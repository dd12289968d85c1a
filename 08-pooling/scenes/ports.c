// ports.c: every connection takes a port of the client's machine, and keeps it for a minute
// longer than it lives.
//
// A network of one's own (network_namespaces(7)) has a range of ports of its own: 50 of them
// are soon used up, and no other program on this machine notices.
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
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
#define SERVERS     3    // A, B, C
#define FIRST_OWN   8101 // the port of A; B and C have the next ones

// States as /proc/net/tcp shows them (enum in the kernel's include/net/tcp_states.h).
#define ESTABLISHED 1
#define TIME_WAIT   6

// What came of one experiment, or why there was none.
struct result {
    bool refused;
    char why[160];       // it was refused, or a connection failed
    int error;           // errno of the first connection that failed
    int queries;         // answered
    int ports;           // in use afterwards, in the state that matters
    int opened[SERVERS]; // connections to A, to B, to C
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

// Connects to one server until that fails, then to the next one.
static void fill(struct result *result, bool bind_first)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int s = 0; s < SERVERS; s++) {
        struct sockaddr_in there = here;
        int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        there.sin_port = htons((in_port_t)(FIRST_OWN + s));
        if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
            bind(listener, (struct sockaddr *)&there, sizeof there) || listen(listener, TRIES))
            die("cannot listen on port %d: %s", FIRST_OWN + s, strerror(errno));
        for (int i = 0; i < TRIES; i++) { // each stays open until this process ends
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if ((bind_first && bind(fd, (struct sockaddr *)&here, sizeof here)) ||
                connect(fd, (struct sockaddr *)&there, sizeof there)) {
                result->error = errno;
                break;
            }
            result->opened[s]++;
        }
    }
}

static void to_three(struct db_config *server, struct result *result)
{
    (void)server;
    fill(result, false);
}

static void to_three_bound(struct db_config *server, struct result *result)
{
    (void)server;
    fill(result, true);
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

static const struct claim to_anything = {
    "8.54", "guide §7", "with all ports taken by one server, no connection to anything else",
    NOT_HERE,
    "A connection is four numbers: connect() gives the same port again for another server or "
    "another of its ports (ip(7)). It is true of a client that calls bind() first, without "
    "IP_BIND_ADDRESS_NO_PORT: its port is chosen before the server is known."};

static void other_servers(void)
{
    struct result free = try(to_three), bound = try(to_three_bound);
    story_say("");
    story_say("Connections to A until no port is left, then to B, then to C:");
    story_head("the client calls|to A|to B|to C");
    story_row("connect()|%d|%d|%d", free.opened[0], free.opened[1], free.opened[2]);
    story_row("bind(), then connect()|%d|%d|%d", bound.opened[0], bound.opened[1],
              bound.opened[2]);
    bool each = true, none = true;
    for (int s = 0; s < SERVERS; s++) {
        each = each && free.opened[s] == PORTS;
        none = none && (s == 0 || free.opened[s] == 0);
    }
    enum verdict verdict = holds_if(none && free.opened[0] == PORTS);
    if (each && bound.opened[0] == PORTS && bound.opened[1] + bound.opened[2] == 0)
        verdict = NOT_HERE;
    claim_report(
        &to_anything, verdict,
        "of %d ports: %d connections to A, then still %d to B and %d to C; with bind() "
        "first %d, %d and %d",
        PORTS, free.opened[0], free.opened[1], free.opened[2], bound.opened[0], bound.opened[1],
        bound.opened[2]);
}

void scene_ports(void)
{
    story_say("A network with %d ports for clients, %s to %s.", PORTS, FIRST_PORT, LAST_PORT);
    struct result keep = try(kept);
    if (keep.refused) {
        claim_report(&run_out, SKIPPED, "no network of our own: %s", keep.why);
        claim_report(&to_anything, SKIPPED, "no network of our own: %s", keep.why);
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
    other_servers();
}
