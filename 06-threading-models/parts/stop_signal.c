// stop_signal.c: see stop_signal.h. All that is called in a handler is async-signal-safe:
// signal-safety(7).
#include "stop_signal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers.h"
#include "net.h"

static volatile sig_atomic_t listening = -1, serving = -1, came;
static atomic_bool *stop;

static _Noreturn void end_at_once(int signal_number)
{
    static const char text[] = "stopped: at once, a request was cut off\n";
    (void)signal_number;
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) < 0);
}

static void handle_signal(int signal_number)
{
    int saved_errno = errno;
    came = true;
    if (stop && atomic_exchange(stop, true))
        end_at_once(signal_number);
    if (stop)
        alarm(STOP_MS / 1000);
    if (listening >= 0)
        shutdown(listening, SHUT_RD);
    if (serving >= 0)
        shutdown(serving, SHUT_RD);
    errno = saved_errno;
}

void stop_signal_begin(int listener, atomic_bool *stopping)
{
    struct sigaction action = {.sa_handler = handle_signal};
    sigset_t signals;
    stop = stopping;
    listening = listener;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL) ||
        signal(SIGALRM, end_at_once) == SIG_ERR || sigprocmask(SIG_UNBLOCK, &signals, NULL))
        die("cannot prepare to be stopped by a signal");
}

void stop_signal_watch(int fd)
{
    serving = fd;
    if (came && fd >= 0) // between accept() and here
        shutdown(fd, SHUT_RD);
}

bool stop_signal_came(void)
{
    return came;
}
