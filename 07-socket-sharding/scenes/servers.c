// servers.c: see servers.h.
#include "servers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "spawn.h"

#define ARGUMENTS_MAX 30
#define OPTIONS_BYTES 300
#define QUESTIONS     20  // how often the supervisor is asked: a datagram may be lost
#define QUESTION_MS   500 // an answer of the supervisor may take so long
#define PACKET_BYTES  1200
#define LOOK_AGAIN_MS 0.1

// The servers of peer_begin_on_own_port() have ports from here on. The kernel gives no such
// port to a client.
#define FIRST_PORT 20000
#define PORTS      6000
#define TRIES      20 // ports to try

// ---- servers -------------------------------------------------------------------------------

bool peer_try(struct peer *peer, const char *options)
{
    char words[OPTIONS_BYTES], *rest = words;
    const char *argv[ARGUMENTS_MAX] = {"./server", "--port", "0"};
    int count = 3;
    snprintf(words, sizeof words, "%s", options);
    for (char *word; (word = strsep(&rest, " ")) && count < ARGUMENTS_MAX - 1;)
        if (*word)
            argv[count++] = word;
    peer->host = "127.0.0.1";
    peer->port = spawn_server(&peer->pid, argv);
    return peer->port > 0;
}

struct peer peer_begin(const char *options)
{
    struct peer peer;
    if (!peer_try(&peer, options))
        die("cannot start ./server %s (run ./play in its own folder)", options);
    return peer;
}

struct peer peer_begin_on_own_port(const char *options)
{
    static int next;
    struct peer peer;
    char all[OPTIONS_BYTES];
    for (int i = 0; i < TRIES; i++) {
        int port = FIRST_PORT + (getpid() * 7 + next++) % PORTS;
        snprintf(all, sizeof all, "--port %d %s", port, options);
        if (peer_try(&peer, all))
            return peer;
    }
    die("cannot start ./server %s", options);
}

void peer_end(const struct peer *peer)
{
    int status = spawn_stop(peer->pid);
    if (status)
        die("a server of this scene has ended with status %d", status);
}

// ---- connections ---------------------------------------------------------------------------

int socket_to_connect(const struct peer *peer)
{
    struct timeval patience = {PATIENCE_S, 0};
    struct linger reset = {1, 0};
    struct sockaddr_storage address;
    net_address(peer->host, peer->port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        die("cannot make a socket: %s", strerror(errno));
    return fd;
}

static int connect_socket(int fd, const struct peer *peer)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(peer->host, peer->port, SOCK_STREAM, &address);
    return connect(fd, (struct sockaddr *)&address, length);
}

int start_connecting(int fd, const struct peer *peer)
{
    net_set_nonblocking(fd);
    int result = connect_socket(fd, peer), saved_errno = errno;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    errno = saved_errno;
    return result;
}

int connect_to(const struct peer *peer)
{
    int fd = socket_to_connect(peer);
    if (connect_socket(fd, peer) == 0)
        return fd;
    return net_give_up(fd);
}

bool send_request(int fd, const char *request)
{
    return fd >= 0 &&
           send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request);
}

struct answer read_answer(int fd)
{
    char text[1000];
    size_t length = 0;
    ssize_t got;
    struct answer answer = {0};
    while (fd >= 0 && length < sizeof text - 1 && !answer.pid &&
           (got = recv(fd, text + length, sizeof text - 1 - length, 0)) > 0) {
        length += (size_t)got;
        text[length] = '\0';
        const char *body = strstr(text, "\r\n\r\nworker ");
        if (!body || !strchr(body + 4, '\n') ||
            sscanf(body, " worker %d pid %d", &answer.worker, &answer.pid) != 2)
            answer = (struct answer){0};
    }
    if (fd >= 0)
        close(fd);
    return answer;
}

struct answer ask(const struct peer *peer)
{
    int fd = connect_to(peer);
    send_request(fd, GET_ROOT);
    return read_answer(fd);
}

// ---- stats ---------------------------------------------------------------------------------

static int parse_stats(const char *text, struct seen seen[WORKERS_MAX])
{
    int workers = 0;
    for (const char *line = strchr(text, '\n'); line && workers < WORKERS_MAX;
         line = strchr(line + 1, '\n')) {
        struct seen *s = &seen[workers];
        workers += sscanf(line, "%d %d %d %ld %ld %ld %ld %ld %u %u", &s->number, &s->pid,
                          &s->tid, &s->accepted, &s->wakeups, &s->vain, &s->answered,
                          &s->switches, &s->queue, &s->backlog) == 10;
    }
    return workers;
}

int read_stats(const struct peer *peer, struct seen seen[WORKERS_MAX])
{
    static char text[STATS_BYTES]; // first the question, which has to be as long as the answer
    size_t length_asked = PACKET_BYTES; // for a few workers one packet is long enough
    struct timeval patience = {0, QUESTION_MS * 1000};
    struct sockaddr_storage address;
    socklen_t length = net_address(peer->host, peer->port, SOCK_DGRAM, &address);
    int workers = 0, fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        connect(fd, (struct sockaddr *)&address, length))
        die("cannot make a UDP socket: %s", strerror(errno));
    for (int i = 0; i < QUESTIONS && !workers; i++) {
        memset(text, 0, sizeof text);
        ssize_t got = send(fd, text, length_asked, 0);
        if (got > 0)
            got = recv(fd, text, sizeof text - 1, 0);
        if (got > 0)
            workers = parse_stats(text, seen);
        else if (errno == ECONNREFUSED)
            break;
        length_asked = sizeof text;
    }
    close(fd);
    if (!workers)
        die("cannot read the stats of %s:%d (is the server running?)", peer->host, peer->port);
    return workers;
}

struct seen sum_stats(const struct peer *peer)
{
    struct seen seen[WORKERS_MAX], sum = {0};
    int workers = read_stats(peer, seen);
    for (int i = 0; i < workers; i++) {
        sum.accepted += seen[i].accepted;
        sum.wakeups += seen[i].wakeups;
        sum.vain += seen[i].vain;
        sum.answered += seen[i].answered;
        sum.switches += seen[i].switches;
        sum.queue += seen[i].queue;
    }
    return sum;
}

static bool is_asleep(int pid, int tid)
{
    char path[64], state = 'S'; // a worker that has ended counts as asleep
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'S';
    if (file)
        fclose(file);
    return state == 'S';
}

void await_sleep(const struct seen *seen, int workers)
{
    for (int i = 0; i < workers; i++)
        while (!is_asleep(seen[i].pid, seen[i].tid))
            sleep_ms(LOOK_AGAIN_MS);
}
