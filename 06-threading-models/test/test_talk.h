// test_talk.h: how the tests speak with the server, and how one test is run against several
// models.
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "model.h"
#include "net.h"
#include "test_server.h"

#define ANSWERS_BYTES (40 << 20)

// Sets of models: bit i stands for models[i].
static inline unsigned all_models(void)
{
    return (1U << model_count()) - 1;
}

static inline unsigned in_processes(void)
{
    unsigned set = 0;
    for (int i = 0; i < model_count(); i++)
        if (models[i].kind == PROCESSES)
            set |= 1U << i;
    return set;
}

// The models in which a connection does not keep its worker. There can be a second client,
// whatever --workers says.
static inline unsigned serving_all(void)
{
    unsigned set = 0;
    for (int i = 0; i < model_count(); i++)
        if (models[i].serves == SERVES_ALL)
            set |= 1U << i;
    return set;
}

static inline unsigned serving_one(void)
{
    unsigned set = 0;
    for (int i = 0; i < model_count(); i++)
        if (models[i].serves == SERVES_ONE)
            set |= 1U << i;
    return set;
}

static inline unsigned named(const char *name)
{
    int model = model_find(name);
    CHECK(model >= 0);
    return 1U << model;
}

static char answers[ANSWERS_BYTES]; // the answers that were read last

static int file_limit = 1000; // descriptors that a server may have

// ---- servers -------------------------------------------------------------------------------

// Starts a server. If it ends before its children, they become children of this process.
static inline int serve(pid_t *pid, const char *model, const char *options)
{
    char command[300];
    signal(SIGPIPE, SIG_IGN); // a server may close while we are sending
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    snprintf(command, sizeof command,
             "sh -c 'ulimit -n %d; exec ./server --port 0 --model %s %s'", file_limit, model,
             options);
    int port = test_start(pid, command);
    CHECK(port > 0);
    return port;
}

// The server has ended and left no child and no zombie.
static inline void expect_nobody(void)
{
    pid_t left = waitpid(-1, NULL, WNOHANG);
    CHECK_AT_MOST(left, -1);
    CHECK_INT(errno, ECHILD);
}

// Runs something for each of these models, all at the same time, in processes of their own.
static inline void for_models(unsigned set, void (*run)(const char *model))
{
    pid_t pids[32] = {0};
    fflush(stdout);
    for (int i = 0; i < model_count(); i++) {
        if (!(set & 1U << i))
            continue;
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        test_failures = 0;
        run(models[i].name);
        if (test_failures)
            printf("    that was model %s\n", models[i].name);
        fflush(stdout);
        _exit(test_failures > 0);
    }
    for (int i = 0; i < model_count(); i++) {
        int status;
        if (pids[i] && (waitpid(pids[i], &status, 0) < 0 || status))
            FAIL("model %s failed", models[i].name);
    }
}

static const char *each_options;
static void (*each_check)(int port, pid_t pid);

static inline void run_check(const char *model)
{
    pid_t pid;
    int port = serve(&pid, model, each_options);
    each_check(port, pid);
    CHECK_INT(test_stop(pid), 0);
    expect_nobody();
}

// Runs a check against a server of each of these models.
static inline void each(unsigned set, const char *options, void (*check)(int port, pid_t pid))
{
    each_options = options;
    each_check = check;
    for_models(set, run_check);
}

// ---- talking -------------------------------------------------------------------------------

#define GET(target)      "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_LAST(target) "GET " target " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

// Connects and sends.
static inline int say(int port, const char *text)
{
    int fd = net_connect_or_die("127.0.0.1", port), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(write_all(fd, text, strlen(text)));
    return fd;
}

// Reads until `part` has come, into `answers`; false if the connection ends before.
static inline bool read_until(int fd, const char *part)
{
    size_t length = 0, part_length = strlen(part);
    while (length < part_length || memcmp(answers + length - part_length, part, part_length)) {
        if (length == sizeof answers - 1 || read(fd, answers + length, 1) != 1) {
            answers[length] = '\0';
            return false;
        }
        length++;
    }
    answers[length] = '\0';
    return true;
}

// Reads what the server says before it closes. A reset ends it like a close.
static inline const char *last_words(int fd)
{
    answers[read_to_end(fd, answers, sizeof answers - 1)] = '\0';
    close(fd);
    return answers;
}

// The answer to one request on a connection of its own.
static inline const char *get(int port, const char *target)
{
    char request[500];
    snprintf(request, sizeof request, GET_LAST("%s"), target);
    return last_words(say(port, request));
}

static inline bool is_cheap(const char *answer)
{
    size_t length = strlen(answer);
    return !strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) && length > 10 &&
           !strcmp(answer + length - 10, "\r\n\r\ncheap\n");
}

// Asks on a connection that stays open.
static inline bool ask_cheap(int fd)
{
    static const char request[] = GET("/cheap");
    return write_all(fd, request, sizeof request - 1) && read_until(fd, "cheap\n");
}

// One number of /stats.
static inline long figure(int port, const char *name)
{
    char line[50];
    snprintf(line, sizeof line, "\n%s: ", name);
    const char *found = strstr(get(port, "/stats"), line);
    return found ? atol(found + strlen(line)) : -1;
}

// Not with strstr(): sanitizers look at the whole text at each call, and it may be long.
static inline int count_in(const char *text, const char *part)
{
    size_t length = strlen(part);
    const char *end = text + strlen(text);
    int count = 0;
    while ((text = memchr(text, part[0], (size_t)(end - text)))) {
        bool found = !strncmp(text, part, length);
        count += found;
        text += found ? length : 1;
    }
    return count;
}

#endif
