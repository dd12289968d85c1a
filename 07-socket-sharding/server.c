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
// Read listen_socket() first, then open_sockets(). How a worker waits is in worker.c, what it
// says in session.c; processes and threads are in crew.c, the handing over in takeover.c.
#include <errno.h>
#include <linux/filter.h>
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
#include "takeover.h"

#define FILES_MAX      65536 // descriptors that a process asks for
#define PORTS_TO_TRY   10    // when the kernel may choose
#define QUESTION_BYTES 65536

static const char *host = "127.0.0.1", *mode = "sharded", *way = "epoll", *as = "processes",
                  *steer = "hash";
static int port = 8007, workers, backlog = 4096, stuck;
static bool takeover, joins;

static bool sharded;
static enum wait wait_in;
static struct estate estate; // our sockets, as a successor would get them
static int old_server = -1;  // a connection to the server that we replace
static struct crew crew;

// ---- the sockets ---------------------------------------------------------------------------

// A TCP socket that is bound to our port. -1, errno set, if it cannot be had.
static int bound_socket(bool reuse_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    // What old connections in TIME_WAIT leave of the port may be used.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // The port may be used by several sockets, if all of them say so before bind(), and belong
    // to one user: or else anybody could join a port, and get some of its connections.
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        return -1;
    if (bind(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

// A listening socket: one more on this port, or the only one.
static int listen_socket(bool reuse_port)
{
    int fd = bound_socket(reuse_port);
    // From here on the kernel connects clients, and keeps at most backlog + 1 of them in this
    // socket's own accept queue. In its group it has the number of the listen() calls before.
    if (fd < 0 || listen(fd, backlog))
        net_die_listening(host, port);
    return fd;
}

// With SO_REUSEPORT nobody tells us that the port is taken: a second server would just get half
// of the connections. So look first, without it.
static void look_whether_it_is_free(void)
{
    int fd = bound_socket(false);
    if (fd < 0)
        net_die_listening(host, port);
    close(fd);
}

static int port_of(int fd)
{
    char name[NET_NAME];
    return atoi(strrchr(net_local_name(fd, name), ':') + 1);
}

// UDP with the same number: the supervisor answers questions there (see answer_question()).
static int question_socket(void)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// Opens the first listening socket, the one for questions, and the one for successors. A port
// that the kernel finds free for TCP may be taken for UDP: then again.
static void open_first(void)
{
    bool any = port == 0;
    if (sharded && !joins && !any)
        look_whether_it_is_free();
    for (int tries = 0; tries < PORTS_TO_TRY; tries++) {
        estate.listener[0] = listen_socket(sharded || joins);
        estate.listeners = 1;
        port = port_of(estate.listener[0]);
        if (old_server >= 0)
            return; // we have the other two from the old server
        estate.questions = question_socket();
        estate.control = takeover_listen(host, port);
        if (joins || (estate.questions >= 0 && estate.control >= 0))
            return;
        close(estate.listener[0]);
        if (!any)
            break;
        port = 0;
    }
    errno = EADDRINUSE;
    net_die_listening(host, port);
}

// A classic BPF program of three instructions, which the kernel runs for each connection in
// place of its hash: "the number of this CPU, modulo workers", which is a number in the group.
static void steer_by_cpu(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)workers),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program))
        die("cannot steer connections: %s", strerror(errno));
}

static void take_over(void)
{
    old_server = takeover_ask(host, port, &estate);
    if (joins) { // we only want the sockets that there can be no second one of
        for (int i = 0; i < estate.listeners; i++)
            close(estate.listener[i]);
        estate.sharded = sharded;
        open_first();
    } else if (estate.sharded != sharded || (sharded && estate.listeners != workers)) {
        die("the old server is %s with %d listening sockets: take over with --mode %s%s",
            estate.sharded ? "sharded" : "shared", estate.listeners,
            estate.sharded ? "sharded" : "shared",
            estate.sharded ? " and as many --workers" : "");
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
        estate.listener[estate.listeners++] = listen_socket(true);
    if (!strcmp(steer, "cpu"))
        steer_by_cpu(estate.listener[0]);
}

static void close_sockets(void)
{
    for (int i = 0; i < estate.listeners; i++)
        close(estate.listener[i]);
    if (estate.control >= 0)
        close(estate.control);
    if (estate.questions >= 0)
        close(estate.questions);
}

// ---- the supervisor: it takes no connection itself
// -------------------------------------------

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

// Until somebody wants us to end; says in which way.
static enum ending supervise(int signals)
{
    struct signalfd_siginfo signal;
    int successor = -1, mend_ms = -1;
    for (;;) {
        struct pollfd polls[] = {{signals, POLLIN, 0},
                                 {estate.questions, POLLIN, 0},
                                 {estate.control, POLLIN, 0},
                                 {successor, POLLIN, 0}};
        if (poll(polls, sizeof polls / sizeof *polls, mend_ms) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
        if (polls[0].revents && read(signals, &signal, sizeof signal) > 0 &&
            signal.ssi_signo != SIGCHLD)
            return DRAINING;
        mend_ms = crew_mend(&crew);
        if (polls[1].revents)
            answer_question();
        if (polls[3].revents) {
            enum ending how = takeover_verdict(successor);
            close(successor);
            successor = -1;
            if (how != RUNNING)
                return how;
        }
        if (polls[2].revents) {
            if (successor >= 0)
                close(successor); // the one before has not come to an end
            successor = takeover_offer(&estate);
        }
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

// Which of the words was chosen. Another one ends the program, as options.h says.
static int choice(const char *option, const char *text, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(text, words[i]))
            return i;
    fprintf(stderr, "server: --%s takes", option);
    for (int i = 0; words[i]; i++)
        fprintf(stderr, "%s %s", i ? " or" : "", words[i]);
    fprintf(stderr, ", not '%s'\n", text);
    exit(2);
}

static void parse(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"mode", OPTION_TEXT, &mode, .help = "listening sockets: shared (one), sharded (each)"},
        {"wait", OPTION_TEXT, &way, .help = "workers sleep in: accept, epoll, epoll-exclusive"},
        {"workers", OPTION_INT, &workers, 0, WORKERS_MAX, "how many; 0: one for each CPU"},
        {"as", OPTION_TEXT, &as, .help = "processes or threads"},
        {"backlog", OPTION_INT, &backlog, 0, 65535, "of each listening socket, for listen()"},
        {"stuck", OPTION_INT, &stuck, 0, WORKERS_MAX, "the worker that takes no connection"},
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
    printf("%s: %d workers, %ld connections, %ld requests, %ld of %ld wake-ups in vain\n",
           how == HANDED_OVER ? "handed over" : "stopped", workers,
           figures_sum(crew.figures, ACCEPTED), figures_sum(crew.figures, ANSWERED),
           figures_sum(crew.figures, VAIN), figures_sum(crew.figures, WAKEUPS));
    figures_end(crew.figures);
    close(signals);
    return 0;
}
