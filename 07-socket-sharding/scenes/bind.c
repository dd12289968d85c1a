// bind.c: scene bind: two sockets on one port. Read bind_twice() first.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    return net_give_up(fd);
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

// Makes JOINED connections to this port.
static void connect_all(int port, int fds[JOINED])
{
    struct peer peer = {"127.0.0.1", port, 0};
    for (int i = 0; i < JOINED; i++)
        if ((fds[i] = connect_to(&peer)) < 0)
            die("cannot connect to a port of our own: %s", strerror(errno));
}

static void close_all(const int fds[JOINED])
{
    for (int i = 0; i < JOINED; i++)
        close(fds[i]);
}

// Empties the queue of a socket. Returns how many connections were in it.
static int take_all(int listener)
{
    int count = 0;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; count++)
        close(fd);
    return count;
}

static const char *in_words(int error)
{
    if (error == EADDRINUSE)
        return "EADDRINUSE";
    if (error)
        return strerror(error);
    return "succeeds";
}

// ---- who may join ---------------------------------------------------------------------------

#define OTHER_USER 65534 // a user id that no program here has: "nobody" on Linux
#define NOT_TRIED  255   // no errno is as large

static const struct claim key_claim = {
    "7.40", "guide §8.2", "kernels use a secret key, so that no program can hijack the port",
    NOT_HERE,
    "They compare the users: all sockets of the port need the same effective user id, that of "
    "the first one (socket(7), SO_REUSEPORT). A program of the same user may join."};

// Another program, started with nothing but the port's number, joins the port. Returns how many
// of JOINED connections it gets; -1: it cannot join.
static int lose_connections_to(int port, int ours)
{
    char options[60];
    struct peer joining;
    int fds[JOINED];
    snprintf(options, sizeof options, "--workers 1 --mode sharded --join --port %d", port);
    if (!peer_try(&joining, options))
        return -1;
    connect_all(port, fds);
    int kept = take_all(ours);
    close_all(fds);
    peer_end(&joining);
    return JOINED - kept;
}

// A process of another user makes a socket for the same port. Returns errno of its bind(); 0:
// it is bound; NOT_TRIED: this program may not become another user.
static int join_as_other_user(int port)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (seteuid(OTHER_USER))
            _exit(NOT_TRIED);
        if (listening_socket(port, true) < 0)
            _exit(errno);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        die("cannot try it as another user");
    return WEXITSTATUS(status);
}

static void who_may_join(void)
{
    int ours = listening_socket(0, true);
    if (ours < 0)
        die("cannot listen: %s", strerror(errno));
    int lost = lose_connections_to(port_of(ours), ours),
        other = join_as_other_user(port_of(ours));
    close(ours);
    const char *others = "(only root can try)", *tried = "another user was not tried";
    if (other != NOT_TRIED)
        others = in_words(other);
    if (other == EADDRINUSE)
        tried = "another user's cannot join";
    else if (other != NOT_TRIED)
        tried = "so it is with another user's";
    story_say("");
    story_say("A port whose socket has SO_REUSEPORT. Another program knows its number:");
    story_head("the other program is of|its bind()|its share");
    if (lost >= 0)
        story_row("the same user|succeeds|%d of %d connections", lost, JOINED);
    else
        story_row("the same user|fails|");
    story_row("another user|%s|", others);
    enum verdict verdict = UNCLEAR;
    if (lost > 0 && lost < JOINED && (other == EADDRINUSE || other == NOT_TRIED))
        verdict = NOT_HERE;
    else if (lost < 0 && other == EADDRINUSE)
        verdict = HOLDS;
    claim_report(&key_claim, verdict,
                 "a program of the same user needs no key, and gets %d of %d connections; %s",
                 lost, JOINED, tried);
}

// ---- a restart ------------------------------------------------------------------------------

static const struct claim restart_claim = {
    "7.14", "guide §8.1", "socket(), bind(), listen(), accept() make a server", NOT_HERE,
    "It starts once. If it closed a connection first, its end waits in TIME_WAIT for a minute, "
    "and then bind() needs SO_REUSEADDR, set by both, the old server and the new (socket(7))."};

// Returns a socket that is bound to this port of 127.0.0.1. -1, with errno set: bind() has
// failed.
static int bound(int port, bool reuse_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || (reuse_address && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)))
        die("cannot make a socket: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    return net_give_up(fd);
}

// A server that accepts one connection, closes it first, and ends: its end of the connection is
// left in TIME_WAIT. Then binds a socket to the same port. Returns errno; 0: it is bound.
static int bind_after_the_end(bool reuse_address)
{
    char byte;
    int listener = bound(0, reuse_address);
    if (listener < 0 || listen(listener, 1))
        die("cannot listen: %s", strerror(errno));
    int port = port_of(listener), client = net_connect_or_die("127.0.0.1", port);
    close(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); // the first FIN
    while (read(client, &byte, 1) > 0)
        ; // the client sees the end, and closes too
    close(client);
    close(listener);
    int again = bound(port, reuse_address);
    if (again < 0)
        return errno;
    close(again);
    return 0;
}

// Asks the server. It closes first, and the client after it.
static bool ask_and_let_close(const struct peer *peer)
{
    char bytes[1000];
    ssize_t got;
    size_t all = 0;
    int fd = net_connect_or_die(peer->host, peer->port);
    bool sent = send_request(fd, GET_ROOT);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        all += (size_t)got;
    close(fd);
    return sent && all > 0;
}

// The same for ./server: it has closed a connection first, is ended, and is started again.
static bool server_starts_again(void)
{
    char options[60];
    struct peer first = peer_begin_on_own_port("--workers 1 --mode shared"), second;
    bool answered = ask_and_let_close(&first);
    peer_end(&first);
    snprintf(options, sizeof options, "--workers 1 --mode shared --port %d", first.port);
    if (!peer_try(&second, options))
        return false;
    peer_end(&second);
    return answered;
}

static void restart(void)
{
    int plain = bind_after_the_end(false);
    int reused = bind_after_the_end(true);
    static const char *const again[] = {"in vain", "it listens again"};
    bool starts = server_starts_again();
    story_say("");
    story_say("A server closes its connection first, and ends. Another one takes its port:");
    story_head("both servers set|the second bind()");
    story_row("no option|%s", in_words(plain));
    story_row("SO_REUSEADDR|%s", in_words(reused));
    enum verdict verdict = UNCLEAR;
    if (plain == EADDRINUSE && !reused && starts)
        verdict = NOT_HERE;
    else if (!plain)
        verdict = HOLDS;
    claim_report(&restart_claim, verdict,
                 "a second start: %s, though no socket listens; with SO_REUSEADDR it %s. "
                 "./server was started twice: %s",
                 in_words(plain), in_words(reused), again[starts]);
}

void scene_bind(void)
{
    int waiting[2] = {0, 0}, fds[JOINED];
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
            connect_all(port_of(both[0]), fds);
            for (int k = 0; k < 2; k++)
                waiting[k] = take_all(both[k]);
            close_all(fds);
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
    who_may_join();
    restart();
}
