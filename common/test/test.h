// test.h: the test harness. A test program is one file:
//
//     #include "test.h"
//     TEST(addition) { CHECK_INT(1 + 1, 2); }
//
// ./test runs all tests, ./test addition that one. Each runs in a process of its own, with a
// time limit; whatever it started is killed after it. Last line: "N passed, N failed".
// What starts servers is in test_server.h.
#ifndef TEST_H
#define TEST_H

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TESTS_MAX   400
#define SKIP_SIGNAL SIGUSR2 // a test that it ends is skipped: see skip_if_alone()

#ifndef TEST_SECONDS
#define TEST_SECONDS 120 // of one test; an emulator gets more, see tools/cross.sh
#endif

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
        if (test_count == TESTS_MAX)                                                           \
            abort();                                                                           \
        tests[test_count].name = #title;                                                       \
        tests[test_count++].run = test_##title;                                                \
    }                                                                                          \
    static void test_##title(void)

#define FAIL(...)                                                                              \
    (test_failures++, printf("    %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__),          \
     putchar('\n'))
// One check, one condition. The checks of numbers and texts print the value that they found.
#define CHECK(condition)            ((condition) ? 0 : FAIL("not true: %s", #condition))
#define CHECK_INT(actual, expected) test_int(actual, expected, #actual, __LINE__)
#define CHECK_BETWEEN(actual, low, high)                                                       \
    test_between((double)(actual), (double)(low), (double)(high), #actual, __LINE__)
#define CHECK_AT_LEAST(actual, low)  CHECK_BETWEEN(actual, low, INFINITY)
#define CHECK_AT_MOST(actual, high)  CHECK_BETWEEN(actual, -INFINITY, high)
#define CHECK_TEXT(actual, expected) test_text(actual, expected, #actual, __LINE__)
#define CHECK_HAS(text, part)        test_has(text, part, __LINE__)

// Ends a test that cannot be tried here: skipped, or failed if a check has, or with STRICT=1.
static inline _Noreturn void SKIP(const char *why)
{
    const char *strict = getenv("STRICT");
    printf("    skipped: %s\n", why);
    if (test_failures || (strict && *strict))
        exit(1);
    exit(77);
}

static inline void test_int(long long actual, long long expected, const char *text, int line)
{
    if (actual != expected) {
        test_failures++;
        printf("    line %d: %s: expected %lld, got %lld\n", line, text, expected, actual);
    }
}

// Both ends are allowed.
static inline void test_between(double actual, double low, double high, const char *text,
                                int line)
{
    if (!(actual >= low && actual <= high)) {
        test_failures++;
        printf("    line %d: %s: expected %.10g to %.10g, got %.10g\n", line, text, low, high,
               actual);
    }
}

static inline void test_text(const char *actual, const char *expected, const char *text,
                             int line)
{
    if (strcmp(actual, expected)) {
        test_failures++;
        printf("    line %d: %s: expected \"%s\", got \"%s\"\n", line, text, expected, actual);
    }
}

static inline void test_has(const char *text, const char *part, int line)
{
    if (!strstr(text, part)) {
        test_failures++;
        printf("    line %d: expected a text with \"%s\", got:\n%s\n", line, part, text);
    }
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
        exit(test_failures > 0);
    }
    waitpid(pid, &status, 0);
    kill(-pid, SIGKILL);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SKIP_SIGNAL)
        return 77;
    if (WIFSIGNALED(status))
        printf("    ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (!WIFEXITED(status))
        return 1;
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); // what a check has found is not lost if a signal comes
    unsetenv("COLUMNS");              // a pipe has 100 columns, whatever the shell has exported
    for (int i = 0; i < test_count; i++) {
        if (argc > 1 && strcmp(argv[1], tests[i].name))
            continue;
        int status = test_one(i);
        passed += status == 0;
        skipped += status == 77;
        failed += status != 0 && status != 77;
        const char *word = "FAILED ";
        if (status == 0)
            word = "ok     ";
        else if (status == 77)
            word = "skipped";
        printf("%s %s\n", word, tests[i].name);
        if (status && status != 77)
            printf("    to see it again: (cd %s && %s %s)\n", getenv("PWD"), argv[0],
                   tests[i].name);
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed || passed + skipped == 0;
}

#endif
