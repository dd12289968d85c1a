// test.h: the test harness. A test program is one file:
//
//     #include "test.h"
//     TEST(addition) { CHECK_INT(1 + 1, 2); }
//
// ./test runs all tests, ./test addition that one. Each runs in a process of its own, with a
// time limit; whatever it started is killed after it. Last line: "N passed, N failed".
#ifndef TEST_H
#define TEST_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 60
#define TESTS_MAX    100
#define TEST_OUTPUT  (1 << 20) // bytes that test_run() keeps

static struct {
    const char *name;
    void (*run)(void);
} tests[TESTS_MAX];
static int test_count, test_failures;

// The macros are there for what a function cannot do: a name, the text of an expression, a
// line.
#define TEST(title)                                                                            \
    static void test_##title(void);                                                            \
    __attribute__((constructor)) static void add_##title(void)                                 \
    {                                                                                          \
        tests[test_count].name = #title;                                                       \
        tests[test_count++].run = test_##title;                                                \
    }                                                                                          \
    static void test_##title(void)

#define FAIL(...)                                                                              \
    (test_failures++, printf("    %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__),          \
     putchar('\n'))
#define CHECK(condition)            ((condition) ? 0 : FAIL("not true: %s", #condition))
#define CHECK_INT(actual, expected) test_int(actual, expected, #actual, __LINE__)
#define CHECK_HAS(text, part)       test_has(text, part, __LINE__)

// Ends a test that cannot be tried here: skipped, or failed if a check has, or with STRICT=1.
static inline _Noreturn void SKIP(const char *why)
{
    const char *strict = getenv("STRICT");
    printf("    skipped: %s\n", why);
    exit(test_failures || (strict && *strict) ? 1 : 77);
}

static inline void test_int(long actual, long expected, const char *text, int line)
{
    if (actual != expected) {
        test_failures++;
        printf("    line %d: %s: expected %ld, got %ld\n", line, text, expected, actual);
    }
}

static inline void test_has(const char *text, const char *part, int line)
{
    if (!strstr(text, part)) {
        test_failures++;
        printf("    line %d: expected a text with \"%s\", got:\n%s\n", line, part, text);
    }
}

// Runs a shell command; returns its exit status, and its output in test_output.
static char test_output[TEST_OUTPUT];

static inline int test_run(const char *command)
{
    char line[4096];
    snprintf(line, sizeof line, "exec 2>&1; %s", command);
    FILE *pipe = popen(line, "r");
    size_t length = pipe ? fread(test_output, 1, sizeof test_output - 1, pipe) : 0;
    test_output[length] = '\0';
    int status = pipe ? pclose(pipe) : -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Starts "./server --port 0" with further options; returns its port when it is ready, 0 if it
// ends before. Its output goes to a file that is gone when the test is.
static inline int test_start(pid_t *pid, const char *command)
{
    int ready[2];
    char line[1024], port[16] = "";
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
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int test_one(int index)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        alarm(TEST_SECONDS);
        tests[index].run();
        exit(test_failures ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    kill(-pid, SIGKILL);
    if (WIFSIGNALED(status))
        printf("    ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    for (int i = 0; i < test_count; i++) {
        if (argc > 1 && strcmp(argv[1], tests[i].name))
            continue;
        int status = test_one(i);
        passed += status == 0;
        skipped += status == 77;
        failed += status != 0 && status != 77;
        printf("%s %s\n",
               status == 0    ? "ok     "
               : status == 77 ? "skipped"
                              : "FAILED ",
               tests[i].name);
        if (status && status != 77)
            printf("    to see it again: (cd %s && %s %s)\n", getenv("PWD"), argv[0],
                   tests[i].name);
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed || passed + skipped == 0;
}

#endif
