// programs.c: see programs.h.
#include "programs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "guard.h"
#include "net.h"
#include "options.h"
#include "spawn.h"
#include "environment.h"

struct program programs[PROGRAMS_MAX];
int program_count;

static int signal_fd;   // SIGCHLD, and the signals that ask wire to stop
static int stop_signal; // the signal that asked; 0: none has

static bool is_client(const struct program *program)
{
    return program == &programs[program_count - 1];
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "wire: usage: wire [options] -- ./server [...] -- ./client [...]\n");
    exit(2);
}

// Notes the program that `command` begins with, and on which node it is.
static void add_program(char **command)
{
    struct program *program = &programs[program_count];
    if (program_count == PROGRAMS_MAX)
        options_reject("at most %d programs", PROGRAMS_MAX);
    *program = (struct program){.name = "the server", .command = command};
    if (program_count++ > 0)
        program->name = "the client";
    if (node_count == 0)
        return;
    char *colon = NULL;
    if (*command)
        colon = strchr(*command, ':');
    if (!colon || colon[1])
        options_reject("each program begins with its node, as in -- %s: ./program",
                       nodes[0].name);
    *colon = '\0';
    program->node = node_named(*command);
    if (!program->node)
        options_reject("there is no --node '%s'", *command);
    program->name = *command;
    program->command++;
}

void programs_find(char **arguments)
{
    while (*arguments) {
        add_program(arguments);
        while (*arguments && strcmp(*arguments, "--"))
            arguments++;
        if (*arguments)
            *arguments++ = NULL;
    }
    for (int i = 0; i < program_count; i++)
        if (!*programs[i].command)
            usage();
    if (program_count < 2 || (node_count == 0 && program_count != 2))
        usage();
}

int programs_watch(void)
{
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGHUP);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
    return signal_fd;
}

void programs_note_signals(void)
{
    struct signalfd_siginfo info;
    int status;
    while (read(signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            stop_signal = (int)info.ssi_signo;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < program_count; i++)
            if (programs[i].pid == pid) { // else a child of the process that became wire
                programs[i].ended = true;
                programs[i].status = status;
            }
    }
}

// Starts a program. The kernel ends it when wire ends, for whatever reason. The program gets
// `ready_fd`, if it is not -1, as $READY_FD.
static void start(struct program *program, int ready_fd)
{
    pid_t wire = getpid();
    bool client = is_client(program);
    int control_fd = control_new();
    if (program->node) {
        network_enter(program->node->network.space);
        environment_program(program->node, !client);
    }
    program->pid = fork();
    if (program->pid < 0)
        die("cannot start %s: %s", program->command[0], strerror(errno));
    if (program->pid) {
        close(control_fd);
        guard_add(program->pid);
        return;
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // Each program has a process group of its own: ctrl-C is for wire, which stops the programs
    // in the right order. But at a terminal the client stays in the foreground, where it may
    // read what is typed.
    if (!client || !isatty(STDIN_FILENO))
        setpgid(0, 0);
    if (!client)
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != wire)
        _exit(1);
    if (ready_fd >= 0)
        spawn_hand_over(ready_fd);
    control_hand_over(control_fd);
    execvp(program->command[0], program->command);
    fprintf(stderr, "wire: cannot run %s: %s\n", program->command[0], strerror(errno));
    _exit(127);
}

static int64_t in_ms(int64_t ms)
{
    return now_ns() + ms * 1000000;
}

// Ends a program: by SIGTERM, and after STOP_TIMEOUT_MS by SIGKILL. Packets travel meanwhile,
// so that the program can close its connections. Children that it leaves behind are ended too.
static void stop(struct program *program)
{
    if (!program->pid)
        return;
    int64_t deadline = in_ms(STOP_TIMEOUT_MS);
    if (!program->ended)
        kill(program->pid, SIGTERM);
    while (!program->ended && now_ns() < deadline)
        shovel(-1, deadline);
    if (!program->ended)
        fprintf(stderr, "wire: %s ignored SIGTERM for %d s: killed\n", program->name,
                STOP_TIMEOUT_MS / 1000);
    if (!program->ended)
        kill(program->pid, SIGKILL);
    kill(-program->pid, SIGKILL); // its process group
    while (!program->ended)
        shovel(-1, in_ms(STOP_TIMEOUT_MS));
}

// "exit status 1", or "signal 11 (Segmentation fault)", in a buffer of this function.
static const char *status_text(int status)
{
    static char text[64];
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
    return text;
}

// Reads what a server has written to $READY_FD: "PORT\n", and a line "NAME PORT\n" for each
// further port, and puts them into the environment of the programs that start later. False
// after a message.
static bool read_ports(int ready_fd, struct program *server)
{
    char text[512] = "", *end = text;
    const char *name = server->command[0];
    ssize_t length = read(ready_fd, text, sizeof text - 1);
    long port = length > 0 ? strtol(text, &end, 10) : 0;
    if (port >= 1 && port <= 65535 && *end == '\n') {
        environment_ports(server->node, text);
        return true;
    }
    for (int64_t soon = in_ms(1000); length <= 0 && !server->ended && now_ns() < soon;)
        shovel(-1, soon); // it has closed the pipe, so it is probably about to end
    if (length > 0)
        fprintf(stderr,
                "wire: %s wrote '%.*s' to $READY_FD, where its port and a newline belong\n",
                name, (int)strcspn(text, "\n"), text);
    else if (server->ended)
        fprintf(stderr, "wire: %s ended before it was ready: %s\n", name,
                status_text(server->status));
    else
        fprintf(stderr, "wire: %s closed $READY_FD without writing its port there\n", name);
    return false;
}

// Starts a server and waits until it is ready. False after a message: the server ended first,
// or is not ready in time. False also if wire was asked to stop.
static bool start_server(struct program *server)
{
    int ready[2];
    bool ok = false;
    if (pipe2(ready, O_CLOEXEC) || fcntl(ready[0], F_SETFL, O_NONBLOCK))
        die("cannot make a pipe: %s", strerror(errno));
    unsetenv("READY_FD"); // wire's own: of the program that has started wire
    start(server, ready[1]);
    close(ready[1]);
    int64_t deadline = in_ms(READY_TIMEOUT_MS);
    bool spoke = false;
    while (!spoke && !server->ended && !stop_signal && now_ns() < deadline)
        spoke = shovel(ready[0], deadline);
    if (spoke || server->ended)
        ok = read_ports(ready[0], server);
    else if (!stop_signal)
        fprintf(stderr,
                "wire: %s was not ready within %d s (it writes its port to $READY_FD)\n",
                server->command[0], READY_TIMEOUT_MS / 1000);
    close(ready[0]);
    return ok;
}

// The exit status of all, when all have ended.
static int exit_status(const struct program *client)
{
    bool failed = false;
    if (WIFSIGNALED(client->status))
        fprintf(stderr, "wire: %s was ended by %s\n", client->name,
                status_text(client->status));
    for (int i = 0; i < program_count - 1; i++) {
        failed |= programs[i].status != 0;
        if (programs[i].status)
            fprintf(stderr, "wire: %s ended with %s\n", programs[i].name,
                    status_text(programs[i].status));
    }
    if (WIFSIGNALED(client->status))
        return 128 + WTERMSIG(client->status);
    if (client->status)
        return WEXITSTATUS(client->status);
    return failed;
}

int programs_run(void)
{
    struct program *client = &programs[program_count - 1];
    bool ready = true;
    guard_begin();
    for (int i = 0; ready && i < program_count - 1; i++)
        ready = start_server(&programs[i]);
    if (ready) {
        nodes_start_clocks();
        start(client, -1);
    }
    while (ready && !client->ended && !stop_signal)
        shovel(-1, INT64_MAX);
    bool finished = client->ended;
    for (int i = program_count - 1; i >= 0; i--)
        stop(&programs[i]);
    guard_end();
    if (stop_signal && !finished)
        return 128 + stop_signal;
    if (!ready)
        return 1;
    return exit_status(client);
}
