// server.c: several workers, one port: they share one listening socket, or each has its own.
//
// Run:    ./server --mode sharded        then, in another terminal: ./client, or
//         curl localhost:8007            which worker answers?
//         curl localhost:8007/stats      what has each of them done?
//         ss -ltn sport = 8007           how many sockets listen, and who waits in them?
//         ./server --takeover            a new server in the place of this one
// Watch:  who gets a connection is decided before any program runs: with one queue for all, by
//         who is woken and is first; with a queue for each (SO_REUSEPORT), by a hash of the two
//         addresses and ports, whether that worker has time or not.
//
// Read shard_open() in shard.c first, then open_sockets() here. How a worker waits is in
// worker.c, what it says in session.c; processes and threads are in crew.c, the handing over in
// takeover.c.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crew.h"
#include "net.h"
#include "options.h"
#include "shard.h"
#include "takeover.h"
#include "timers.h"

#define FILES_MAX      65536 // descriptors that a process asks for
#define PORTS_TO_TRY   10    // when the kernel may choose
#define QUESTION_BYTES 65536
#define SUCCESSOR_MS   7000 // for a successor to start its workers; then the next one may try

static struct address address = {"127.0.0.1", 8007, 4096};
static const char *mode = "sharded", *way = "epoll", *as = "processes", *steer = "hash";
static int workers, stuck;
static bool takeover, joins;

static bool sharded;
static enum wait wait_in;
static struct estate estate; // our sockets, as a successor would get them
static int old_server = -1;  // a connection to the server that we replace
static struct crew crew;

// ---- the sockets ---------------------------------------------------------------------------

static void close_sockets(void)
{
    for (int i = 0; i < estate.listeners; i++)
        close(estate.listener[i]);
    if (estate.control >= 0)
        close(estate.control);
    if (estate.questions >= 0)
        close(estate.questions);
}

// Opens the first listening socket, the one for questions, and the one for successors. A port
// that the kernel finds free for TCP may be taken for UDP: then again.
static void open_first(void)
{
    bool any = address.port == 0;
    if (sharded && !joins && !any)
        shard_expect_none(&address);
    for (int tries = 0; tries < (any ? PORTS_TO_TRY : 1); tries++) {
        address.port = any ? 0 : address.port;
        estate.listener[0] = shard_open(&address, sharded || joins);
        estate.listeners = 1;
        address.port = shard_port(estate.listener[0]);
        if (old_server >= 0)
            return; // we have the other two from the old server
        estate.questions = shard_udp(&address);
        estate.control = takeover_listen(address.host, address.port);
        if (joins || (estate.questions >= 0 && estate.control >= 0))
            return;
        close_sockets();
    }
    errno = EADDRINUSE;
    net_die_listening(address.host, address.port);
}

static void take_over(void)
{
    old_server = takeover_ask(address.host, address.port, &estate);
    if (!joins && (estate.sharded != sharded || (sharded && estate.listeners != workers)))
        die("the old server is %s with %d listening sockets: take over with --mode %s%s",
            estate.sharded ? "sharded" : "shared", estate.listeners,
            estate.sharded ? "sharded" : "shared",
            estate.sharded ? " and as many --workers" : "");
    for (int i = 0; i < estate.listeners; i++)
        if (joins)
            close(estate.listener[i]);                        // we open our own beside them
        else if (listen(estate.listener[i], address.backlog)) // which only sets the backlog now
            net_die_listening(address.host, address.port);
    if (joins) {
        estate.sharded = sharded;
        open_first();
    }
}

static void open_sockets(void)
{
    estate = (struct estate){.sharded = sharded, .control = -1, .questions = -1};
    if (takeover)
        take_over();
    else
        open_first();
    while (sharded && estate.listeners < workers)
        estate.listener[estate.listeners++] = shard_open(&address, true);
    if (!strcmp(steer, "cpu"))
        shard_steer_by_cpu(estate.listener[0], workers);
    else if (takeover && sharded)
        shard_steer_by_hash(estate.listener[0]);
}

// ---- the supervisor takes no connection itself ---------------------------------------------

// A datagram on the port's UDP twin is answered with the workers' figures: without a connection
// that one of them would have to take, and so also when all of them are stuck. The answer is
// never longer than the question, so that nobody can flood others through us.
static void answer_question(void)
{
    static char question[QUESTION_BYTES];
    char text[FIGURES_BYTES];
    struct sockaddr_storage from = {0};
    socklen_t from_length = sizeof from;
    ssize_t asked = recvfrom(estate.questions, question, sizeof question, 0,
                             (struct sockaddr *)&from, &from_length);
    size_t length = figures_text(crew.figures, text, sizeof text);
    if (asked >= (ssize_t)length)
        sendto(estate.questions, text, length, 0, (struct sockaddr *)&from, from_length);
}

// In how many milliseconds to look again: the sooner of both; -1 and NEVER: at no time.
static int sooner_ms(int wait_ms, int64_t until_ns)
{
    if (until_ns == NEVER)
        return wait_ms;
    int64_t now = now_ns(), left_ms = until_ns > now ? (until_ns - now) / 1000000 + 1 : 0;
    return wait_ms >= 0 && wait_ms < left_ms ? wait_ms : (int)left_ms;
}

// We are told to end, but a successor may have our sockets already: to drain would close them
// for both. So it may say first what it wants, unless we are told once more.
static enum ending last_word(int successor, int64_t give_up_ns, int signals)
{
    struct pollfd polls[] = {{successor, POLLIN, 0}, {signals, POLLIN, 0}};
    enum ending how = RUNNING;
    if (successor < 0)
        return DRAINING;
    if (poll(polls, 2, sooner_ms(-1, give_up_ns)) > 0 && polls[0].revents)
        how = takeover_verdict(successor);
    close(successor);
    return how == RUNNING ? DRAINING : how;
}

// Until somebody wants us to end; says in which way. One successor at a time: the next waits,
// and is then served by the one that has replaced us.
static enum ending supervise(int signals)
{
    struct signalfd_siginfo signal;
    int successor = -1, mend_ms = -1;
    int64_t give_up_ns = NEVER;
    for (;;) {
        struct pollfd polls[] = {{signals, POLLIN, 0},
                                 {estate.questions, POLLIN, 0},
                                 {successor < 0 ? estate.control : -1, POLLIN, 0},
                                 {successor, POLLIN, 0}};
        if (poll(polls, sizeof polls / sizeof *polls, sooner_ms(mend_ms, give_up_ns)) < 0 &&
            errno != EINTR)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents && read(signals, &signal, sizeof signal) > 0 &&
            signal.ssi_signo != SIGCHLD)
            return last_word(successor, give_up_ns, signals);
        mend_ms = crew_mend(&crew);
        if (polls[1].revents)
            answer_question();
        if (polls[3].revents || now_ns() >= give_up_ns) {
            enum ending how = takeover_verdict(successor);
            close(successor);
            successor = -1;
            give_up_ns = NEVER;
            if (how != RUNNING)
                return how;
        }
        if (polls[2].revents && (successor = takeover_offer(&estate)) >= 0)
            give_up_ns = now_ns() + SUCCESSOR_MS * INT64_C(1000000);
    }
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
        {"host", OPTION_TEXT, &address.host, .help = "address to listen on"},
        {"port", OPTION_INT, &address.port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"mode", OPTION_TEXT, &mode, .help = "listening sockets: shared (one), sharded (each)"},
        {"wait", OPTION_TEXT, &way, .help = "workers sleep in: accept, epoll, epoll-exclusive"},
        {"workers", OPTION_INT, &workers, 0, WORKERS_MAX, "how many; 0: one for each core"},
        {"as", OPTION_TEXT, &as, .help = "processes or threads"},
        {"backlog", OPTION_INT, &address.backlog, 0, 65535,
         "of each listening socket, for listen()"},
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
    workers = workers > WORKERS_MAX ? WORKERS_MAX : workers;
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
    crew_begin(&crew, workers, !strcmp(as, "threads"));
    for (int i = 0; i < workers; i++) {
        struct worker *worker = &crew.worker[i];
        worker->wait = wait_in;
        worker->listener = estate.listener[sharded ? i : 0];
        worker->stuck = stuck == i + 1;
        worker->pinned = !strcmp(steer, "cpu");
        crew.figures->line[i].listener = worker->listener;
    }
    crew_start(&crew);
    net_ready(estate.listener[0]);
    if (old_server >= 0)
        takeover_finish(old_server, joins ? DRAINING : HANDED_OVER);

    enum ending how = supervise(signals);
    crew_end(&crew, how, signals);
    close_sockets();
    printf("%s: workers %d, connections %ld, requests %ld, wake-ups %ld, in vain %ld\n",
           how == HANDED_OVER ? "handed over" : "stopped", workers,
           figures_sum(crew.figures, ACCEPTED), figures_sum(crew.figures, ANSWERED),
           figures_sum(crew.figures, WAKEUPS), figures_sum(crew.figures, VAIN));
    figures_end(crew.figures);
    close(signals);
    return 0;
}
