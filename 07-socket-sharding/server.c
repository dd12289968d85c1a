// server.c: several workers, one port: they share one listening socket, or each has its own.
//
// Run:    ./server --mode sharded        then, in another terminal: ./client, or
//         curl localhost:8007            which worker answers?
//         curl localhost:8007/stats      what has each of them done?
//         ss -ltn sport = 8007           how many sockets listen, how many clients wait?
//         ./server --takeover            a new server in the place of this one
// Watch:  which worker gets a connection. With one queue for all it is the first worker that
//         the kernel wakes. With a queue for each (SO_REUSEPORT), a hash of the two addresses
//         and ports decides, before any program runs, whether that worker has time or not.
//
// Read bound_socket() first, then open_sockets() and main(). How a worker waits for connections
// is in worker.c. In parts/: what a worker answers (connection.c), processes and threads
// (worker_pool.c), and what the server does while they work (supervisor.c). How a new server
// gets the sockets of this one is in handover.c.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker_pool.h"
#include "log.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "shard.h"
#include "supervisor.h"
#include "handover.h"

#define FILES_MAX    65536 // descriptors that the server asks the system for
#define PORTS_TO_TRY 10    // ports to try when the kernel chooses

static const char *host = "127.0.0.1", *mode = "sharded", *way = "epoll", *as = "processes",
                  *steer = "hash";
static int port = 8007, backlog = 4096, workers, stuck;
static bool takeover, joins, quiet;

static bool sharded;
static enum wait wait_in;
static struct handover_fds sockets; // the server's sockets, as a successor would get them
static int old_server = -1;         // a connection to the server that this one replaces
static struct worker_pool pool;

// ---- the sockets ---------------------------------------------------------------------------

static void close_sockets(void)
{
    for (int i = 0; i < sockets.listeners; i++)
        close(sockets.listener[i]);
    if (sockets.control >= 0)
        close(sockets.control);
    if (sockets.questions >= 0)
        close(sockets.questions);
}

// Returns a TCP socket that has the port, and does not listen yet.
static int bound_socket(bool reuse_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    // With this option bind() succeeds although connections in TIME_WAIT still have the port.
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        net_die_listening(host, port);
    // THE line: several sockets may have one port, if each of them sets this option before
    // bind(), and all belong to one user. (Else any program on the machine could join the port,
    // and get some of the connections.)
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        net_die_listening(host, port);
    if (bind(fd, (struct sockaddr *)&address, length))
        net_die_listening(host, port);
    return fd;
}

// From listen() on the kernel connects clients and keeps them in a queue, for accept(). Each
// listening socket has a queue of its own; among the sockets of a port it is number 0, 1, 2,
// ... in the order of these calls.
static int open_listener(bool reuse_port)
{
    int fd = bound_socket(reuse_port);
    if (listen(fd, backlog))
        net_die_listening(host, port);
    return fd;
}

// With SO_REUSEPORT bind() does not fail if another server has the port: the two would share
// the connections. So the server first tries bind() without the option.
static void expect_no_other_server(void)
{
    close(bound_socket(false));
}

// Opens the first listening socket, the UDP socket for questions, and the one for successors.
// If the kernel chooses a port that is free for TCP but not for UDP, the server tries another
// one.
static void open_first(void)
{
    bool any = port == 0;
    if (sharded && !joins && !any)
        expect_no_other_server();
    int tries = 1;
    if (any)
        tries = PORTS_TO_TRY;
    for (int i = 0; i < tries; i++) {
        if (any)
            port = 0;
        sockets.listener[0] = open_listener(sharded || joins);
        sockets.listeners = 1;
        port = shard_port(sockets.listener[0]);
        if (old_server >= 0)
            return; // the other two have come from the old server
        sockets.questions = shard_udp(host, port);
        sockets.control = handover_listen(host, port);
        if (joins || (sockets.questions >= 0 && sockets.control >= 0))
            return;
        close_sockets();
    }
    errno = EADDRINUSE;
    net_die_listening(host, port);
}

static void take_over(void)
{
    old_server = handover_ask(host, port, &sockets);
    if (!joins && !sharded && sockets.sharded)
        die("the old server is sharded: take over with --mode sharded and as many --workers");
    if (!joins && sharded && !sockets.sharded)
        die("the old server has one listening socket: take over with --mode shared");
    if (!joins && sharded && sockets.listeners != workers)
        die("the old server has %d listening sockets: take over with --mode sharded and as "
            "many --workers",
            sockets.listeners);
    for (int i = 0; i < sockets.listeners; i++)
        if (joins)
            close(sockets.listener[i]); // this server opens sockets of its own beside them
        else if (listen(sockets.listener[i], backlog)) // it listens already: sets the backlog
            net_die_listening(host, port);
    if (joins) {
        sockets.sharded = sharded;
        open_first();
    }
}

static void open_sockets(void)
{
    sockets = (struct handover_fds){.sharded = sharded, .control = -1, .questions = -1};
    if (takeover)
        take_over();
    else
        open_first();
    while (sharded && sockets.listeners < workers)
        sockets.listener[sockets.listeners++] = open_listener(true);
    if (!strcmp(steer, "cpu"))
        shard_steer_by_cpu(sockets.listener[0], workers);
    else if (takeover && sharded)
        shard_steer_by_hash(sockets.listener[0]);
}

// ---- the program ---------------------------------------------------------------------------

static void parse(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"mode", OPTION_TEXT, &mode, .help = "listening sockets: shared (one), sharded (each)"},
        {"wait", OPTION_TEXT, &way, .help = "workers wait in: accept, epoll, epoll-exclusive"},
        {"workers", OPTION_INT, &workers, 0, WORKERS_MAX, "how many; 0: one for each core"},
        {"as", OPTION_TEXT, &as, .help = "workers are: processes, threads"},
        {"backlog", OPTION_INT, &backlog, 0, 65535, "what listen() is told"},
        {"stuck", OPTION_INT, &stuck, 0, WORKERS_MAX,
         "the worker that takes no connection; 0: none"},
        {"steer", OPTION_TEXT, &steer, .help = "how a shard is chosen: hash, cpu (BPF)"},
        {"join", OPTION_FLAG, &joins, .help = "share the port with a server that runs"},
        {"takeover", OPTION_FLAG, &takeover,
         .help = "replace a server that runs (with --join: drain it)"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each answer"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 07: several workers on one port.", options});
    sharded = options_choice("mode", mode, (const char *const[]){"shared", "sharded", NULL});
    wait_in = (enum wait)options_choice(
        "wait", way, (const char *const[]){"accept", "epoll", "epoll-exclusive", NULL});
    options_choice("as", as, (const char *const[]){"processes", "threads", NULL});
    options_choice("steer", steer, (const char *const[]){"hash", "cpu", NULL});
    if (!workers)
        workers = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    if (stuck > workers)
        options_reject("--stuck takes a worker from 1 to %d, not %d", workers, stuck);
    if (!sharded && !strcmp(steer, "cpu"))
        options_reject("--steer takes cpu with --mode sharded only");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    log_begin(quiet);
    raise_file_limit(FILES_MAX);
    int signals = supervisor_signals();
    open_sockets();
    worker_pool_begin(&pool, workers, !strcmp(as, "threads"));
    for (int i = 0; i < workers; i++) {
        struct worker *worker = &pool.worker[i];
        worker->wait = wait_in;
        worker->listener = sockets.listener[0];
        if (sharded)
            worker->listener = sockets.listener[i];
        worker->stuck = stuck == i + 1;
        worker->pinned = !strcmp(steer, "cpu");
        pool.stats->line[i].listener = worker->listener;
    }
    worker_pool_start(&pool);
    net_ready(sockets.listener[0]);
    if (old_server >= 0 && joins)
        handover_finish(old_server, DRAINING);
    else if (old_server >= 0)
        handover_finish(old_server, HANDED_OVER);

    enum ending how = supervise(&pool, &sockets, signals);
    worker_pool_end(&pool, how, signals);
    close_sockets();
    const char *end = "stopped";
    if (how == HANDED_OVER)
        end = "handed over";
    log_end();
    printf("%s: workers %d, connections %ld, requests %ld, wake-ups %ld, in vain %ld\n", end,
           workers, stats_sum(pool.stats, ACCEPTED), stats_sum(pool.stats, ANSWERED),
           stats_sum(pool.stats, WAKEUPS), stats_sum(pool.stats, VAIN));
    stats_end(pool.stats);
    close(signals);
    return 0;
}
