// test_ends.h: how servers end, and what becomes of the requests under way: asked to, crashed,
// killed.
#ifndef TEST_ENDS_H
#define TEST_ENDS_H

#include "test_talk.h"

// ---- asked to ------------------------------------------------------------------------------

// A request under way gets its answer, silent connections are closed, new ones are refused.
static void expect_drain(const char *model)
{
    pid_t pid;
    bool alone = models[model_find(model)].serves == SERVES_ONE;
    int port = serve(&pid, model, "--workers 3");
    int silent = alone ? -1 : say(port, "");
    int half = alone ? -1 : say(port, "GET /cheap HT");
    int asking = say(port, GET("/cheap") GET("/io?ms=700"));
    CHECK(silent < 0 || ask_cheap(silent));
    CHECK(read_until(asking, "cheap\n")); // the other one has begun
    kill(pid, SIGTERM);
    await_refusal(port);
    CHECK(silent < 0 || !*last_words(silent));
    CHECK(half < 0 || !*last_words(half));
    CHECK_HAS(last_words(asking), "\r\nConnection: close\r\n");
    CHECK_HAS(answers, "\r\n\r\nwaited\n");
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    expect_nobody();
}

TEST(requests_under_way_are_finished)
{
    for_models(all_models(), expect_drain);
}

// Starts a server, and asks it to stop while a request of ten seconds is under way.
static int begin_to_stop(pid_t *pid, const char *model)
{
    int port = serve(pid, model, "--workers 2");
    int fd = say(port, GET("/cheap") GET("/io?ms=10000"));
    CHECK(read_until(fd, "cheap\n"));
    kill(*pid, SIGTERM);
    return port;
}

static void expect_end(pid_t pid, const char *model)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        FAIL("%s ends with status %x", model, (unsigned)status);
}

static void expect_cut(const char *model)
{
    pid_t pid;
    int64_t began_ns = now_ns();
    begin_to_stop(&pid, model);
    expect_end(pid, model);
    expect_nobody();
    CHECK(now_ns() - began_ns > 4000000000); // the server has waited for some time
}

TEST(a_request_that_takes_too_long_is_cut_off)
{
    for_models(all_models(), expect_cut);
}

static void expect_cut_at_once(const char *model)
{
    pid_t pid;
    int port = begin_to_stop(&pid, model);
    int64_t began_ns = now_ns();
    await_refusal(port); // the server has seen the first signal
    kill(pid, SIGTERM);
    expect_end(pid, model);
    expect_nobody();
    if (!THREAD_SANITIZED)
        CHECK(now_ns() - began_ns < 4000000000); // and not after five seconds
}

TEST(the_second_signal_ends_it_at_once)
{
    for_models(all_models(), expect_cut_at_once);
}

// ---- nothing is left -----------------------------------------------------------------------

static void check_leftovers(int port, pid_t pid)
{
    int threads = THREAD_SANITIZED ? 2 : 1; // the sanitizer has a thread of its own
    for (int i = 0; i < 100; i++)
        CHECK(is_cheap(get(port, "/cheap")));
    // Without anything that wakes the server: no thread and no child may wait for that.
    while (test_number("ls /proc/%d/task | wc -l", pid) > threads ||
           test_number("cat /proc/%d/task/%d/children | wc -w", pid, pid) > 0)
        ;
    CHECK_INT(test_number("ls /proc/%d/fd | grep -c .", pid) < 12, 1);
}

TEST(workers_that_are_done_are_gone)
{
    each(named("fork") | named("thread"), "", check_leftovers);
}

// ---- crashed -------------------------------------------------------------------------------

static void check_crash_alone(int port, pid_t pid)
{
    (void)pid;
    int other = say(port, "");
    CHECK(ask_cheap(other));
    for (int i = 0; i < 10; i++)
        CHECK(!*get(port, "/crash")); // no answer, only an end
    CHECK(ask_cheap(other));
    close(other);
    while (figure(port, "crashed") != 10 || figure(port, "open") != 1)
        ;
    CHECK(is_cheap(get(port, "/cheap")));
}

TEST(a_crash_of_a_process_is_its_own)
{
    each(in_processes(), "--workers 2 --allow-crash", check_crash_alone);
}

static void expect_end_of_all(const char *model)
{
    pid_t pid;
    int status, port = serve(&pid, model, "--allow-crash");
    int other = models[model_find(model)].serves != SERVES_ONE ? say(port, "") : -1;
    CHECK(other < 0 || ask_cheap(other));
    CHECK(!*get(port, "/crash"));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGSEGV);
    CHECK(other < 0 || !*last_words(other));
    expect_nobody();
}

TEST(a_crash_of_a_thread_is_the_end)
{
    for_models(all_models() & ~in_processes(), expect_end_of_all);
}

// ---- killed --------------------------------------------------------------------------------

static void expect_no_orphans(const char *model)
{
    pid_t pid;
    int port = serve(&pid, model, "--workers 2");
    int fd = say(port, "");
    CHECK(ask_cheap(fd));
    kill(pid, SIGKILL);
    while (waitpid(-1, NULL, 0) >
           0) // the server's children are children of this process now, and end too
        ;
    CHECK(!*last_words(fd));
}

TEST(children_die_with_their_parent)
{
    for_models(in_processes(), expect_no_orphans);
}

static void await_children(pid_t pid, int count)
{
    while (test_number("wc -w </proc/%d/task/%d/children", pid, pid) != count)
        ;
}

static void check_killed_child(int port, pid_t pid)
{
    for (int i = 0; i < 5; i++) {
        await_children(pid, 3);
        test_number("kill -9 $(cut -d' ' -f1 /proc/%d/task/%d/children)", pid, pid);
        while (figure(port, "crashed") != i + 1)
            ;
    }
    await_children(pid, 3);
    while (figure(port, "open") != 1) // a worker without a client has lost none
        ;
}

TEST(prefork_replaces_a_killed_worker)
{
    each(named("prefork"), "--workers 3", check_killed_child);
}

#endif
