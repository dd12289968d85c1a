// test_server.h: functions that run the programs under test, start and stop a server, measure
// it from outside, and read what it sends.
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "net.h"
#include "sanitized.h"
#include "test.h"

#define TEST_OUTPUT (1 << 20) // bytes that test_run() keeps

// Runs a program that tells of each leak, and of each byte that is not its own, by its status.
#define VALGRIND                                                                               \
    "valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect,possible "        \
    "--error-exitcode=9 "

static char test_output[TEST_OUTPUT];

// The exit status of a process, or 128 + the signal that ended it.
static inline int exit_status(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return 128 + WTERMSIG(status);
}

// With ALONE=1 the tests that start a program are skipped: in an emulator of another processor,
// what they start could not run.
static inline void skip_if_alone(void)
{
    if (getenv("ALONE"))
        kill(-getpgrp(), SKIP_SIGNAL); // the test, also where one of its processes asks
}

// Runs a shell command; returns its exit status, and its output in test_output.
static inline int test_run(const char *command)
{
    char line[4096];
    skip_if_alone();
    snprintf(line, sizeof line, "exec 2>&1; %s", command);
    FILE *pipe = popen(line, "r");
    if (!pipe) {
        perror("cannot run a command");
        exit(1);
    }
    size_t length = fread(test_output, 1, sizeof test_output - 1, pipe);
    test_output[length] = '\0';
    return exit_status(pclose(pipe));
}

// Columns of the longest line in test_output.
static inline int widest_line(void)
{
    int widest = 0, column = 0;
    for (const char *c = test_output; *c; c++) {
        if (*c == '\n')
            column = 0;
        else if (*c != '\r' && (*c & 0xc0) != 0x80) // bytes 10xxxxxx continue a character
            column++;
        if (column > widest)
            widest = column;
    }
    return widest;
}

// Runs a command at the other end of a terminal, so many columns wide (0: it does not say); its
// output is in test_output.
static inline void run_in_terminal(int wide, const char *command)
{
    struct winsize size = {.ws_row = 25, .ws_col = (unsigned short)wide};
    skip_if_alone();
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_AT_LEAST(terminal, 0);
    CHECK(!grantpt(terminal));
    CHECK(!unlockpt(terminal));
    ioctl(terminal, TIOCSWINSZ, &size);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(ptsname(terminal), O_RDWR);
        dup2(fd, 1);
        dup2(fd, 2);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    size_t length = 0; // until no program holds the terminal open any more
    for (ssize_t got;
         (got = read(terminal, test_output + length, sizeof test_output - 1 - length)) > 0;)
        length += (size_t)got;
    test_output[length] = '\0';
    waitpid(pid, NULL, 0);
    close(terminal);
}

// Starts "./server --port 0" with further options; returns its port when it is ready, 0 if it
// ends before. Its output goes to a file that is gone when the test is.
static inline int test_start(pid_t *pid, const char *command)
{
    int ready[2];
    char line[1024], port[16] = "";
    skip_if_alone();
    if (pipe(ready) || (*pid = fork()) < 0) {
        perror("cannot start a server");
        exit(1);
    }
    if (*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ready[1], 9);
        snprintf(line, sizeof line, "exec 9>&9 >/dev/null; READY_FD=9 exec %s", command);
        execl("/bin/sh", "sh", "-c", line, NULL);
        _exit(127);
    }
    close(ready[1]);
    if (read(ready[0], port, sizeof port - 1) <= 0)
        port[0] = '\0';
    close(ready[0]);
    return atoi(port);
}

// Ends a server; returns its exit status, which is 0 if it stopped as it should.
static inline int test_stop(pid_t pid)
{
    int status;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    return exit_status(status);
}

// Starts a server for tests of clients: when something has come on a connection, it sends these
// bytes, whatever they are; then it closes the connection, or, if `keep`, leaves it open.
// Returns its port. It ends with the test.
static inline int test_fake_server(const char *answer, size_t length, bool keep)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 10) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("cannot start a fake server");
        exit(1);
    }
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            char bytes[65536];
            int fd = accept(listener, NULL, NULL);
            bool more = read(fd, bytes, sizeof bytes) > 0 && write_all(fd, answer, length);
            if (keep)
                continue; // the descriptor stays
            if (more)
                shutdown(fd, SHUT_WR); // close() alone could send a reset
            while (more && read(fd, bytes, sizeof bytes) > 0)
                ;
            close(fd);
        }
    }
    close(listener);
    return ntohs(address.sin_port);
}

// The output of a shell command as a number.
static inline long test_number(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline long test_number(const char *format, ...)
{
    char command[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    test_run(command);
    return atol(test_output);
}

// What a process has used and uses: CPU time, in hundredths of a second as a rule; memory
// ("VmRSS", "VmHWM"); descriptors.
static inline long cpu_ticks(pid_t pid)
{
    return test_number("awk '{ print $14 + $15 }' /proc/%d/stat", pid);
}

static inline long memory_kb(pid_t pid, const char *name)
{
    return test_number("awk '/^%s:/ { print $2 }' /proc/%d/status", name, pid);
}

static inline long count_descriptors(pid_t pid)
{
    return test_number("ls /proc/%d/fd | wc -l", pid);
}

// False where VALGRIND makes no sense: a sanitizer looks already. Ends the test where there is
// none.
static inline bool has_valgrind(void)
{
    if (!SANITIZED && test_run("valgrind --version"))
        SKIP("valgrind is not there: apt-get install valgrind");
    return !SANITIZED;
}

static inline unsigned long next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 33;
}

// Reads until the server closes; returns how many bytes. A reset ends it like a close.
static inline size_t read_to_end(int fd, char *bytes, size_t size)
{
    size_t length = 0;
    for (ssize_t got; length < size && (got = read(fd, bytes + length, size - length)) > 0;)
        length += (size_t)got;
    return length;
}

// Waits until no program listens on the port.
static inline void await_refusal(int port)
{
    for (int fd = 0; fd >= 0 || errno == ECONNRESET;) { // reset: it was in the queue
        fd = net_connect("127.0.0.1", port);
        if (fd >= 0)
            close(fd);
    }
    CHECK_INT(errno, ECONNREFUSED);
}

#endif
