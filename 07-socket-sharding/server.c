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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker_pool.h"
#include "net.h"
#include "options.h"
#include "shard.h"
#include "supervisor.h"
#include "handover.h"

#define FILES_MAX    65536 // descriptors that a process asks for
#define PORTS_TO_TRY 10    // when the kernel may choose

static const char *host = "127.0.0.1", *mode = "sharded", *way = "epoll", *as = "processes",
                  *steer = "hash";
static int port = 8007, backlog = 4096, workers, stuck;
static bool takeover, joins;

static bool sharded;
static enum wait wait_in;
static struct handover_fds sockets; // our sockets, as a successor would get them
static int old_server = -1;         // a connection to the server that we replace
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

// A TCP socket that has the port, and does not listen yet.
static int bound_socket(bool reuse_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    // The port may be used although connections in TIME_WAIT still hold it.
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        net_die_listening(host, port);
    // THE line: several sockets may have the port if each of them has said so before bind(),
    // and all are of one user. (Or else any program could join, and get some of the
    // connections.)
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

// With SO_REUSEPORT no error says that the port is taken: a second server would simply get half
// of the connections. So the server looks first, without it.
static void expect_no_other_server(void)
{
    close(bound_socket(false));
}

// Opens the first listening socket, the one for questions, and the one for successors. A port
// that the kernel finds free for TCP may be taken for UDP: then again.
static void open_first(void)
{
    bool any = port == 0;
    if (sharded && !joins && !any)
        expect_no_other_server();
    for (int tries = 0; tries < (any ? PORTS_TO_TRY : 1); tries++) {
        port = any ? 0 : port;
        sockets.listener[0] = open_listener(sharded || joins);
        sockets.listeners = 1;
        port = shard_port(sockets.listener[0]);
        if (old_server >= 0)
            return; // we have the other two from the old server
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
    if (!joins && (sockets.sharded != sharded || (sharded && sockets.listeners != workers)))
        die("the old server is %s with %d listening sockets: take over with --mode %s%s",
            sockets.sharded ? "sharded" : "shared", sockets.listeners,
            sockets.sharded ? "sharded" : "shared",
            sockets.sharded ? " and as many --workers" : "");
    for (int i = 0; i < sockets.listeners; i++)
        if (joins)
            close(sockets.listener[i]);                // we open our own beside them
        else if (listen(sockets.listener[i], backlog)) // which only sets the backlog now
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

static int signal_descriptor(void)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    int fd = sigprocmask(SIG_BLOCK, &wanted, NULL)
                 ? -1
                 : signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
    return fd;
}

// Which of two or three words was chosen.
static int choice(const char *option, const char *value, const char *const words[])
{
    char accepted[80] = "";
    for (int i = 0; words[i]; i++) {
        if (!strcmp(value, words[i]))
            return i;
        strcat(strcat(accepted, i ? " or " : ""), words[i]);
    }
    options_reject("--%s takes %s, not '%s'", option, accepted, value);
}

static void parse(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"mode", OPTION_TEXT, &mode, .help = "listening sockets: shared (one), sharded (each)"},
        {"wait", OPTION_TEXT, &way, .help = "workers sleep in: accept, epoll, epoll-exclusive"},
        {"workers", OPTION_INT, &workers, 0, WORKERS_MAX, "how many; 0: one for each core"},
        {"as", OPTION_TEXT, &as, .help = "processes or threads"},
        {"backlog", OPTION_INT, &backlog, 0, 65535, "of each listening socket, for listen()"},
        {"stuck", OPTION_INT, &stuck, 0, WORKERS_MAX,
         "the worker that takes no connection; 0: none"},
        {"steer", OPTION_TEXT, &steer, .help = "who gets it, sharded: hash, cpu (BPF)"},
        {"join", OPTION_FLAG, &joins, .help = "share the port with a server that is there"},
        {"takeover", OPTION_FLAG, &takeover,
         .help = "replace it: take its sockets, or with --join drain it"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 07: several workers on one port.", options});
    sharded = choice("mode", mode, (const char *const[]){"shared", "sharded", NULL});
    wait_in = (enum wait)choice(
        "wait", way, (const char *const[]){"accept", "epoll", "epoll-exclusive", NULL});
    choice("as", as, (const char *const[]){"processes", "threads", NULL});
    choice("steer", steer, (const char *const[]){"hash", "cpu", NULL});
    if (!workers)
        workers = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    if (stuck > workers)
        options_reject("--stuck takes a worker from 1 to %d, not %d", workers, stuck);
    if (!sharded && !strcmp(steer, "cpu"))
        options_reject("--steer takes cpu with --mode sharded only");
}

static void allow_many_files(void)
{
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FILES_MAX) {
        files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    allow_many_files();
    int signals = signal_descriptor();
    open_sockets();
    worker_pool_begin(&pool, workers, !strcmp(as, "threads"));
    for (int i = 0; i < workers; i++) {
        struct worker *worker = &pool.worker[i];
        worker->wait = wait_in;
        worker->listener = sockets.listener[sharded ? i : 0];
        worker->stuck = stuck == i + 1;
        worker->pinned = !strcmp(steer, "cpu");
        pool.stats->line[i].listener = worker->listener;
    }
    worker_pool_start(&pool);
    net_ready(sockets.listener[0]);
    if (old_server >= 0)
        handover_finish(old_server, joins ? DRAINING : HANDED_OVER);

    enum ending how = supervise(&pool, &sockets, signals);
    worker_pool_end(&pool, how, signals);
    close_sockets();
    printf("%s: workers %d, connections %ld, requests %ld, wake-ups %ld, in vain %ld\n",
           how == HANDED_OVER ? "handed over" : "stopped", workers,
           stats_sum(pool.stats, ACCEPTED), stats_sum(pool.stats, ANSWERED),
           stats_sum(pool.stats, WAKEUPS), stats_sum(pool.stats, VAIN));
    stats_end(pool.stats);
    close(signals);
    return 0;
}
