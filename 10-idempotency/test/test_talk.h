// test_talk.h: how the tests speak with the server: bytes out, bytes in, and a reader of
// answers that shares nothing with the code under test.
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "net.h"
#include "test_server.h"

#define ANSWER_BYTES (4 << 20)
#define A_CHARGE     "{\"amount\":500,\"currency\":\"eur\",\"source\":\"tok_visa\"}"

static char answer[ANSWER_BYTES]; // the last one
static char journal_path[200];    // of the server that serve() starts, in a folder of its own
static const char *journal_root = "build"; // where that is

// A folder that is gone when the test is: its name, with "/journal" behind it. The files in it
// may be removed while they are open: so it is removed by a process that waits for this one.
static inline const char *journal_of_its_own(void)
{
    char folder[100];
    if (*journal_path)
        return journal_path;
    int alive[2];
    snprintf(folder, sizeof folder, "%s/journal.XXXXXX", journal_root);
    if (!mkdtemp(folder) || pipe(alive)) {
        perror("cannot make a folder for the journal");
        exit(1);
    }
    if (fork() == 0) {
        char end, command[200];
        setpgid(0, 0); // not to be killed with the test
        alarm(0);
        close(alive[1]);
        while (read(alive[0], &end, 1) < 0 && errno == EINTR)
            ;
        snprintf(command, sizeof command, "rm -rf %s", folder);
        _exit(system(command) ? 1 : 0);
    }
    close(alive[0]);
    fcntl(alive[1], F_SETFD, FD_CLOEXEC); // a server must not keep it open
    snprintf(journal_path, sizeof journal_path, "%s/journal", folder);
    return journal_path;
}

static inline int serve(pid_t *pid, const char *options)
{
    char command[600];
    signal(SIGPIPE, SIG_IGN); // a server may close while we are sending
    snprintf(command, sizeof command,
             "./server --quiet --port 0 --process-ms 0 --lookup-ms 0 --journal %s %s",
             journal_of_its_own(), options);
    return test_start(pid, command);
}

// Reads until the server closes. A reset ends it like a close.
static inline char *last_words(int fd)
{
    answer[read_to_end(fd, answer, sizeof answer - 1)] = '\0';
    close(fd);
    return answer;
}

static inline int say(int port, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline int say(int port, const char *format, ...)
{
    static char text[1 << 18];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int fd = net_connect("127.0.0.1", port);
    if (fd >= 0 && !write_all(fd, text, (size_t)length) && errno != EPIPE &&
        errno != ECONNRESET)
        FAIL("cannot send: %s", strerror(errno));
    return fd;
}

// Sends a request, on a connection of its own, and returns the socket. `fields` end with CRLF.
static inline int begin(int port, const char *method, const char *target, const char *fields,
                        const char *content)
{
    return say(port,
               "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%sContent-Length: %zu\r\n"
               "\r\n%s",
               method, target, fields, strlen(content), content);
}

// The status of the answer, which is in `answer`; 0 if there is none.
static inline int status_of(int fd)
{
    last_words(fd);
    if (strncmp(answer, "HTTP/1.1 ", 9))
        return 0;
    return atoi(answer + 9);
}

static inline int ask(int port, const char *method, const char *target, const char *fields,
                      const char *content)
{
    return status_of(begin(port, method, target, fields, content));
}

static inline int begin_charge(int port, const char *target, const char *key,
                               const char *content)
{
    char fields[500];
    snprintf(fields, sizeof fields, "Idempotency-Key: %s\r\n", key);
    return begin(port, "POST", target, fields, content);
}

static inline int charge(int port, const char *key, const char *content)
{
    return status_of(begin_charge(port, "/charges", key, content));
}

static inline bool was_replayed(void)
{
    return strstr(answer, "\r\nIdempotent-Replayed: true\r\n");
}

static inline const char *content_of_answer(void)
{
    const char *at = strstr(answer, "\r\n\r\n");
    if (!at)
        return "";
    return at + 4;
}

// The number behind a name in the answer to GET.
static inline long figure(int port, const char *target, const char *name)
{
    char quoted[60];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    ask(port, "GET", target, "", "");
    const char *at = strstr(answer, quoted);
    if (!at)
        return -1;
    return atol(at + strlen(quoted));
}

static inline void expect_balance(int port, long count, long sum)
{
    CHECK_INT(figure(port, "/balance", "count"), count);
    CHECK_INT(figure(port, "/balance", "sum"), sum);
}

#endif
