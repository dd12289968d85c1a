// client.c: makes 1,000 connections, and shows which worker answered how many of them.
//
// Run:    ./client             against ./server --workers 4 in another terminal; then against
//                              ./server --workers 4 --mode shared, or with --stuck 2
// Watch:  with a queue for each worker (--mode sharded) all have about the same share; clients
//         in the queue of a worker that is stuck get no answer. With one queue for all (--mode
//         shared) the shares differ, and all clients get their answer.
//
// Read main() first. It works with any server whose answer to GET / begins with a line that
// names the worker: connections are counted by that line.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "text.h"

#define CONNECTIONS_MAX 10000
#define ANSWERS_MAX     64    // different answers
#define ANSWER_BYTES    4096  // of one answer, with its head
#define CONNECT_MS      60000 // within this time all connections have to be made
#define ANSWER_MS       3000  // after that, within this time all answers have to come
#define LINE_COLUMNS    30
#define BAR_COLUMNS     32

struct answer {
    char line[LINE_COLUMNS + 1]; // "worker 1 pid 4711 tid 4711"
    int count;
};
static struct answer answers[ANSWERS_MAX];
static int answer_count, failed;
static char failure[200];

static void fail(int number, const char *doing, const char *why)
{
    if (failed++ == 0)
        snprintf(failure, sizeof failure, "connection %d: %s: %s", number, doing, why);
}

// Sets how long the next call on the socket may wait. False: the time is over.
static bool limit_wait(int fd, int option, int64_t deadline_ns)
{
    int64_t left_us = (deadline_ns - now_ns()) / 1000;
    struct timeval wait = {left_us / 1000000, left_us % 1000000};
    return left_us > 0 && setsockopt(fd, SOL_SOCKET, option, &wait, sizeof wait) == 0;
}

// Connects and asks. Returns the socket, or -1.
static int ask(int number, const struct sockaddr_storage *server, const char *server_name,
               int64_t deadline_ns)
{
    char request[200];
    int length =
        snprintf(request, sizeof request,
                 "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", server_name);
    int fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("cannot make socket %d: %s", number, strerror(errno));
    errno = ETIMEDOUT;
    if (!limit_wait(fd, SO_SNDTIMEO, deadline_ns) ||
        connect(fd, (const struct sockaddr *)server, sizeof *server)) {
        if (number == 1)
            die("cannot connect to %s: %s (is the server running?)", server_name,
                strerror(errno));
        fail(number, "cannot connect", strerror(errno == EINPROGRESS ? ETIMEDOUT : errno));
    } else if (send(fd, request, (size_t)length, 0) != length) {
        fail(number, "cannot send", strerror(errno));
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

// Sets *content to what the answer says. Returns NULL, or why it is no good answer.
static const char *read_answer(const char *bytes, size_t length, const char **content)
{
    struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (length == 0)
        return "closed without an answer";
    if (result < 0)
        return "the answer is not HTTP/1.1";
    if (result == 0)
        return "closed in the middle of the answer's head";
    if (head.status != 200)
        return "the status is not 200";
    if (head.chunked)
        return "the answer comes in chunks, which this client does not read";
    int64_t come = (int64_t)(length - head.length);
    if (head.content_length >= 0 && come < head.content_length)
        return "closed in the middle of the answer";
    if (head.content_length >= 0 && come > head.content_length)
        return "more has come than the answer's length says";
    *content = bytes + head.length;
    return NULL;
}

static void count_answer(const char *content)
{
    char line[LINE_COLUMNS + 1];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(content, "\r\n"), content);
    make_printable(line);
    int place = 0; // the lines are sorted by the worker's number
    while (place < answer_count && strverscmp(answers[place].line, line) < 0)
        place++;
    if (place == answer_count || strcmp(answers[place].line, line)) {
        if (answer_count == ANSWERS_MAX)
            die("more than %d different answers, the last is \"%s\"", ANSWERS_MAX, line);
        memmove(&answers[place + 1], &answers[place],
                (size_t)(answer_count++ - place) * sizeof *answers);
        strcpy(answers[place].line, line);
        answers[place].count = 0;
    }
    answers[place].count++;
}

// Receives until the server closes, as it was asked to, counts the answer, and closes too.
static void receive_answer(int number, int fd, int64_t deadline_ns)
{
    char bytes[ANSWER_BYTES + 1];
    size_t length = 0;
    const char *content = "", *why;
    ssize_t got = 1;
    while (got > 0 && length < ANSWER_BYTES) {
        int flags = 0;
        if (!limit_wait(fd, SO_RCVTIMEO, deadline_ns))
            flags = MSG_DONTWAIT; // the time is over: reads only what has come already
        got = recv(fd, bytes + length, ANSWER_BYTES - length, flags);
        if (got > 0)
            length += (size_t)got;
    }
    bytes[length] = '\0';
    if (got < 0 && errno == EAGAIN)
        why = "nothing has come in time";
    else if (got < 0)
        why = strerror(errno);
    else if (got > 0)
        why = "it is too long";
    else
        why = read_answer(bytes, length, &content);
    close(fd);
    if (why)
        fail(number, "no answer", why);
    else
        count_answer(content);
}

static void print_bars(int connections)
{
    for (int i = 0; i < answer_count; i++) {
        int count = answers[i].count;
        printf("%-*s %6d %5.1f %% ", LINE_COLUMNS, answers[i].line, count,
               100.0 * count / connections);
        repeat("█", (count * BAR_COLUMNS + connections / 2) / connections);
        putchar('\n');
    }
    output_flush();
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8007, connections = 1000;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"connections", OPTION_INT, &connections, 1, CONNECTIONS_MAX, "how many to make"},
        {0}};
    static const struct command command = {
        "", "Makes connections, and shows which worker answered how many.", options};
    static int fds[CONNECTIONS_MAX];
    struct sockaddr_storage server;
    char name[NET_NAME];
    options_parse(argc, argv, &command);
    output_begin();
    raise_file_limit(CONNECTIONS_MAX + 10); // each connection needs a descriptor
    net_address(host, port, SOCK_STREAM, &server);
    net_name(&server, name);

    // First all connections ask; then the answers are read. So the client waits only once for a
    // worker that is stuck, and not once for each connection in that worker's queue.
    int64_t connect_by_ns = now_ns() + CONNECT_MS * INT64_C(1000000);
    for (int i = 0; i < connections; i++)
        fds[i] = ask(i + 1, &server, name, connect_by_ns);
    printf("%d connections to %s\n", connections, name);
    int64_t answer_by_ns = now_ns() + ANSWER_MS * INT64_C(1000000);
    for (int i = 0; i < connections; i++)
        if (fds[i] >= 0)
            receive_answer(i + 1, fds[i], answer_by_ns);
    print_bars(connections);
    if (failed)
        die("%d of %d have no answer; the first: %s", failed, connections, failure);
    return 0;
}
