// supervisor.c: see supervisor.h. The supervisor itself accepts no connection.
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "timers.h"

#define QUESTION_BYTES 65536
#define SUCCESSOR_MS   7000 // a successor has to start its workers within this time

int supervisor_signals(void)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    int fd = -1;
    if (!sigprocmask(SIG_BLOCK, &wanted, NULL))
        fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
    return fd;
}

// Answers a datagram with the workers' stats. This needs no connection, so no worker has to
// accept one, and it works when all workers are stuck. The answer is never longer than the
// question: an attacker who forges the sender's address cannot use the server to flood others.
static void answer_question(const struct worker_pool *pool, int socket)
{
    static char question[QUESTION_BYTES];
    char text[STATS_BYTES];
    struct sockaddr_storage from = {0};
    socklen_t from_length = sizeof from;
    ssize_t asked =
        recvfrom(socket, question, sizeof question, 0, (struct sockaddr *)&from, &from_length);
    size_t length = stats_text(pool->stats, text, sizeof text);
    if (asked >= (ssize_t)length)
        sendto(socket, text, length, 0, (struct sockaddr *)&from, from_length);
}

// The shorter one of two waits, in milliseconds: `wait_ms` (-1: for ever), and the time until
// `until_ns` (NEVER: for ever).
static int sooner_ms(int wait_ms, int64_t until_ns)
{
    int left_ms = timers_sleep_ms(until_ns, now_ns());
    if (wait_ms >= 0 && (left_ms < 0 || wait_ms < left_ms))
        return wait_ms;
    return left_ms;
}

// The server was told to end, but a successor may have its sockets already. If the server
// drained them, they would be closed for both. So the server waits for what the successor says,
// unless a second signal comes.
static enum ending ask_successor(int successor, int64_t give_up_ns, int signals)
{
    struct pollfd polls[] = {{successor, POLLIN, 0}, {signals, POLLIN, 0}};
    enum ending how = RUNNING;
    if (successor < 0)
        return DRAINING;
    if (poll(polls, 2, sooner_ms(-1, give_up_ns)) > 0 && polls[0].revents)
        how = handover_verdict(successor);
    close(successor);
    if (how == RUNNING)
        return DRAINING;
    return how;
}

// The supervisor serves one successor at a time. The next one waits: the server that has
// replaced this one serves it.
enum ending supervise(struct worker_pool *pool, const struct handover_fds *sockets, int signals)
{
    struct signalfd_siginfo signal;
    int successor = -1, mend_ms = -1;
    int64_t give_up_ns = NEVER;
    for (;;) {
        struct pollfd polls[] = {{signals, POLLIN, 0},
                                 {sockets->questions, POLLIN, 0},
                                 {sockets->control, POLLIN, 0},
                                 {successor, POLLIN, 0}}; // poll() ignores a -1
        if (successor >= 0)
            polls[2].fd = -1; // the next one waits
        if (poll(polls, sizeof polls / sizeof *polls, sooner_ms(mend_ms, give_up_ns)) < 0 &&
            errno != EINTR)
            die("cannot wait in poll(): %s", strerror(errno));
        if (polls[0].revents && read(signals, &signal, sizeof signal) > 0 &&
            signal.ssi_signo != SIGCHLD)
            return ask_successor(successor, give_up_ns, signals);
        mend_ms = worker_pool_mend(pool);
        if (polls[1].revents)
            answer_question(pool, sockets->questions);
        if (polls[3].revents || now_ns() >= give_up_ns) {
            enum ending how = handover_verdict(successor);
            close(successor);
            successor = -1;
            give_up_ns = NEVER;
            if (how != RUNNING)
                return how;
        }
        if (polls[2].revents) {
            successor = handover_offer(sockets);
            if (successor >= 0)
                give_up_ns = now_ns() + SUCCESSOR_MS * INT64_C(1000000);
        }
    }
}
