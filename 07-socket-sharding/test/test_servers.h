// test_servers.h: how the tests talk to the server, and to its supervisor.
#ifndef TEST_SERVERS_H
#define TEST_SERVERS_H

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "stats.h"
#include "net.h"
#include "test_server.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PATIENCE_S   20 // a test waits so long for an answer

// Every way to wait for connections, each with a queue for all and one for each, as processes
// and as threads.
static const char *const ways[] = {
    "--mode shared --wait accept --as processes",
    "--mode shared --wait accept --as threads",
    "--mode shared --wait epoll --as processes",
    "--mode shared --wait epoll --as threads",
    "--mode shared --wait epoll-exclusive --as processes",
    "--mode shared --wait epoll-exclusive --as threads",
    "--mode sharded --wait accept --as processes",
    "--mode sharded --wait accept --as threads",
    "--mode sharded --wait epoll --as processes",
    "--mode sharded --wait epoll --as threads",
    "--mode sharded --wait epoll-exclusive --as processes",
    "--mode sharded --wait epoll-exclusive --as threads",
};

// The two extremes, for tests that take their time.
static const char *const two_ways[] = {"--mode shared --wait accept --as processes",
                                       "--mode sharded --wait epoll --as threads"};

// Starts a server on a port that the kernel chooses.
static inline int serve(pid_t *pid, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline int serve(pid_t *pid, const char *format, ...)
{
    char options[300], command[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(options, sizeof options, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "./server --port 0 %s", options);
    int port = test_start(pid, command);
    if (!port)
        FAIL("no server: %s", command);
    return port;
}

// ---- HTTP ----------------------------------------------------------------------------------

// Makes a connection and sends this text on it. Returns -1, with errno set, if there is none.
// (The connection has a time limit: without an answer the test fails, and does not hang.)
static inline int say(int port, const char *text)
{
    struct timeval patience = {PATIENCE_S, 0};
    int fd = net_connect("127.0.0.1", port);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
                    send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

// Reads until the server closes, and closes too. Returns the number of bytes; -1, with errno
// set: an error came before the end.
static inline ssize_t listen_to(int fd, char *answer, size_t size)
{
    size_t length = 0;
    ssize_t got = -1;
    while (fd >= 0 && length < size - 1 &&
           (got = recv(fd, answer + length, size - 1 - length, 0)) > 0)
        length += (size_t)got;
    int saved_errno = errno;
    answer[length] = '\0';
    if (fd >= 0)
        close(fd);
    errno = saved_errno;
    return got < 0 ? -1 : (ssize_t)length;
}

static char answer[20000];

static inline const char *last_words(int fd)
{
    if (listen_to(fd, answer, sizeof answer) < 0)
        snprintf(answer, sizeof answer, "(%s)", strerror(errno));
    return answer;
}

// Asks for /. Returns the number of the worker that answers, and its process in *pid; 0: there
// was no answer.
static inline int ask(int port, int *pid)
{
    int worker = 0, tid;
    const char *text = strstr(last_words(say(port, GET("/"))), "\r\n\r\nworker ");
    if (!text || sscanf(text, " worker %d pid %d tid %d", &worker, pid, &tid) != 3)
        return 0;
    return worker;
}

static bool exchange(int port)
{
    int pid;
    return ask(port, &pid) > 0;
}

// ---- the stats -----------------------------------------------------------------------------

struct seen {
    int number, pid, tid;
    long accepted, wakeups, vain, answered, switches;
    unsigned queue, backlog;
};

// Reads the stats' text. Returns the number of workers.
static inline int read_stats(char *text, struct seen seen[WORKERS_MAX])
{
    int workers = 0;
    char *rest = strchr(text, '\n');
    for (char *line = rest; line && workers < WORKERS_MAX; line = strchr(line + 1, '\n')) {
        struct seen *s = &seen[workers];
        workers += sscanf(line, "%d %d %d %ld %ld %ld %ld %ld %u %u", &s->number, &s->pid,
                          &s->tid, &s->accepted, &s->wakeups, &s->vain, &s->answered,
                          &s->switches, &s->queue, &s->backlog) == 10;
    }
    return workers;
}

// Asks the supervisor, with a question of so many bytes. Returns the number of workers, 0 if no
// answer comes.
static inline int question(int port, size_t bytes, struct seen seen[WORKERS_MAX])
{
    static char text[STATS_BYTES];
    struct timeval patience = {1, 0};
    struct sockaddr_storage address;
    socklen_t length = net_address("127.0.0.1", port, SOCK_DGRAM, &address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    memset(text, 0, sizeof text);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = -1;
    if (connect(fd, (struct sockaddr *)&address, length) == 0 && send(fd, text, bytes, 0) > 0)
        got = recv(fd, text, sizeof text - 1, 0);
    close(fd);
    return got > 0 ? read_stats(text, seen) : 0;
}

static inline int stats(int port, struct seen seen[WORKERS_MAX])
{
    int workers = 0;
    for (int i = 0; i < 10 && !workers; i++)
        workers = question(port, STATS_BYTES, seen);
    return workers;
}

static inline struct seen sum_of(int port)
{
    struct seen seen[WORKERS_MAX], sum = {0};
    int workers = stats(port, seen);
    for (int i = 0; i < workers; i++) {
        sum.accepted += seen[i].accepted;
        sum.wakeups += seen[i].wakeups;
        sum.vain += seen[i].vain;
        sum.answered += seen[i].answered;
        sum.queue += seen[i].queue;
        sum.backlog += seen[i].backlog;
    }
    return sum;
}

// Waits until so many connections are in the accept queues, at most 5 s. Returns how many are.
static inline unsigned await_queue(int port, unsigned count)
{
    unsigned queue = 0;
    for (int i = 0; i < 500 && (queue = sum_of(port).queue) != count; i++)
        sleep_ms(10);
    return queue;
}

// Waits, at most 20 s, until `count` connections are answered or in the queue of this worker,
// which is stuck. Returns how many are in its queue. (The other workers empty their queues.)
static inline unsigned await_all_behind(int port, int stuck, long count)
{
    struct seen seen[WORKERS_MAX];
    for (int i = 0; i < 2000; i++, sleep_ms(10)) {
        int workers = stats(port, seen);
        long answered = 0;
        for (int j = 0; j < workers; j++)
            answered += seen[j].answered;
        if (workers >= stuck && answered + (long)seen[stuck - 1].queue == count)
            return seen[stuck - 1].queue;
    }
    FAIL("not all of %ld are answered or in a queue", count);
    return 0;
}

static inline bool is_asleep(int pid, int tid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    FILE *file = fopen(path, "r");
    bool known = file && fscanf(file, "%*d %*s %c", &state) == 1;
    if (file)
        fclose(file);
    return known && state == 'S';
}

// Waits until all workers sleep: each has come back to where it waits for connections. On a
// busy machine that takes a moment, and a worker that is still awake is not woken.
static inline void await_sleep(const struct seen *seen, int workers)
{
    for (int i = 0; i < workers; i++)
        while (!is_asleep(seen[i].pid, seen[i].tid))
            sleep_ms(0.1);
}

// The sums when all workers sleep: a worker that was woken in vain counts the wake-up first,
// and a moment later that it was in vain.
static inline struct seen sum_asleep(int port)
{
    struct seen seen[WORKERS_MAX];
    await_sleep(seen, stats(port, seen));
    return sum_of(port);
}

// Waits until a process has gone (or is a zombie of another process), at most 5 s.
static inline bool has_gone(int pid)
{
    char path[40];
    for (int i = 0; i < 500; i++, sleep_ms(10)) {
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        FILE *file = fopen(path, "r");
        bool there = file && fgetc(file) != EOF;
        if (file)
            fclose(file);
        if (!there)
            return true;
    }
    return false;
}

#endif
