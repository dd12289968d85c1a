// bind.c: scene bind: two sockets on one port. Read bind_twice() first.
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define JOINED 200 // connections to a port that belongs to two sockets

static const struct claim bind_claim = {
    "7.1", "guide §8.2", "a second bind() fails; with SO_REUSEPORT both succeed", HOLDS, NULL};

// Returns a listening socket on this port of 127.0.0.1 (0: the kernel chooses a port). -1, with
// errno set: bind() or listen() has failed. These are the calls that the lesson is about.
static int listening_socket(int port, bool reuse_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on)))
        die("cannot make a socket: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, JOINED) == 0)
        return fd;
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length))
        die("getsockname: %s", strerror(errno));
    return ntohs(address.sin_port);
}

// Makes two sockets for one port. Returns the second one; -1, with errno set: it has failed.
static int bind_twice(bool first_reuses, bool second_reuses, int *first)
{
    *first = listening_socket(0, first_reuses);
    if (*first < 0)
        die("cannot listen: %s", strerror(errno));
    return listening_socket(port_of(*first), second_reuses);
}

// Connects to the port of both sockets. Adds to waiting[] how many connections each socket has
// in its queue.
static void count_waiting(const int both[2], int waiting[2])
{
    struct peer peer = {"127.0.0.1", port_of(both[0]), 0};
    int fds[JOINED];
    for (int i = 0; i < JOINED; i++)
        if ((fds[i] = connect_to(&peer)) < 0)
            die("cannot connect to a port of our own: %s", strerror(errno));
    for (int i = 0; i < 2; i++)
        for (int fd; (fd = accept4(both[i], NULL, NULL, SOCK_CLOEXEC)) >= 0; waiting[i]++)
            close(fd);
    for (int i = 0; i < JOINED; i++)
        close(fds[i]);
}

void scene_bind(void)
{
    int waiting[2] = {0, 0};
    bool as_said = true;
    static const struct {
        bool first, second; // this socket sets SO_REUSEPORT
        const char *label, *options;
    } ways[] = {{false, false, "", "-|-"},
                {true, false, "", "SO_REUSEPORT|-"},
                {false, true, "", "-|SO_REUSEPORT"},
                {true, true, "both set it before bind()", "SO_REUSEPORT|SO_REUSEPORT"}};
    close(net_connect_or_die(server.host, server.port)); // is the server there?
    story_head("two sockets, one port|the first|the second|its bind()");
    for (int i = 0; i < 4; i++) {
        int both[2];
        both[1] = bind_twice(ways[i].first, ways[i].second, &both[0]);
        bool failed = both[1] < 0, in_use = failed && errno == EADDRINUSE;
        const char *result = "succeeds";
        if (in_use)
            result = "EADDRINUSE";
        else if (failed)
            result = strerror(errno);
        bool both_set_it = ways[i].first && ways[i].second;
        as_said = as_said && in_use == !both_set_it && failed == !both_set_it;
        story_row("%s|%s|%s", ways[i].label, ways[i].options, result);
        if (!failed) {
            count_waiting(both, waiting);
            close(both[1]);
        }
        close(both[0]);
    }
    story_say("");
    story_say("%d connections to the port of both sockets. Before any accept():",
              waiting[0] + waiting[1]);
    story_bar("in the queue of the first", waiting[0], JOINED, "%d", waiting[0]);
    story_bar("in the queue of the second", waiting[1], JOINED, "%d", waiting[1]);
    bool both_get = waiting[0] > 0 && waiting[1] > 0 && waiting[0] + waiting[1] == JOINED;
    claim_report(
        &bind_claim, holds_if(as_said && both_get),
        "EADDRINUSE unless both sockets have the option; then each has a queue of its own");
}
