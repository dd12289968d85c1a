// client.c: several workers, one port: who gets the connection?
//
// Run:    ./client             against ./server in another terminal, or, with packets to see:
//         make run             or one scene: make run SCENE=backlog ARGS="--rtt 100"
// Watch:  who is chosen: the one whom the kernel's hash names, whether it has time or not; or
//         the one who wakes first.
//
// Most scenes start servers of their own, because they compare some: talk.h. The longer scenes
// are in the files that scenes.h names. Read bind_twice() first.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "nginx.h"
#include "options.h"
#include "scenes.h"
#include "story.h"

#define JOINED        200 // connections to a port that two sockets have
#define STUCK_CLIENTS 200
#define STUCK_WORKERS 4
#define STUCK         2     // the one of them that is
#define STUCK_WAIT_MS 10000 // until all who are served have been
#define LOOK_EVERY_MS 5
#define NGINX_WORKERS 3

static struct peer server = {"127.0.0.1", 8007, 0};

// ---- bind ----------------------------------------------------------------------------------

static const struct claim bind_claim = {
    "7.1", "guide §8.2", "a second bind() fails; with SO_REUSEPORT both succeed", HOLDS, NULL};

static const struct claim nginx_claim = {
    "7.9", "guide §8.2", "nginx uses socket sharding by default", NOT_HERE,
    "All its workers inherit one socket, unless the configuration says \"listen ... "
    "reuseport\" (nginx documentation, ngx_http_core_module, listen)."};

// A listening socket on this port of 127.0.0.1 (0: the kernel chooses). -1, errno set, if it
// cannot be had. These are the calls that the lesson is about.
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

// Two sockets, one port. Returns the second one, or -1 with errno set.
static int bind_twice(bool first_reuses, bool second_reuses, int *first)
{
    *first = listening_socket(0, first_reuses);
    if (*first < 0)
        die("cannot listen: %s", strerror(errno));
    return listening_socket(port_of(*first), second_reuses);
}

// Connects to the port of both; what waits in the queue of each.
static void count_joined(const int both[2], int waiting[2])
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

static void report_nginx(void)
{
    int plain = nginx_sockets(NGINX_WORKERS, ""),
        sharded = nginx_sockets(NGINX_WORKERS, "reuseport");
    if (plain < 0 || sharded < 0)
        claim_report(&nginx_claim, SKIPPED,
                     "there is no nginx here that runs: apt-get install nginx-light");
    else
        claim_report(&nginx_claim,
                     plain == 1 && sharded == NGINX_WORKERS ? NOT_HERE
                     : plain == NGINX_WORKERS               ? HOLDS
                                                            : UNCLEAR,
                     "%d workers: %d listening socket; with \"listen ... reuseport\": %d",
                     NGINX_WORKERS, plain, sharded);
}

static void scene_bind(void)
{
    int waiting[2] = {0, 0};
    bool as_said = true;
    close(net_connect_or_die(server.host, server.port)); // is it there?
    story_head("two sockets, one port|the first|the second|its bind()");
    for (int i = 0; i < 4; i++) {
        int both[2];
        both[1] = bind_twice(i & 1, i & 2, &both[0]);
        bool failed = both[1] < 0, in_use = failed && errno == EADDRINUSE;
        as_said = as_said && (i == 3 ? !failed : in_use);
        story_row("%s|%s|%s|%s", i == 3 ? "both have said it before bind()" : "",
                  i & 1 ? "SO_REUSEPORT" : "-", i & 2 ? "SO_REUSEPORT" : "-",
                  in_use   ? "EADDRINUSE"
                  : failed ? strerror(errno)
                           : "succeeds");
        if (!failed) {
            count_joined(both, waiting);
            close(both[1]);
        }
        close(both[0]);
    }
    story_say("");
    story_say("%d connections to the port that both have, and nobody has accepted any yet:",
              waiting[0] + waiting[1]);
    for (int i = 0; i < 2; i++)
        story_bar(i ? "in the second one's queue" : "in the first one's queue", waiting[i],
                  JOINED, "%d", waiting[i]);
    bool both_get = waiting[0] > 0 && waiting[1] > 0 && waiting[0] + waiting[1] == JOINED;
    claim_report(
        &bind_claim, as_said && both_get ? HOLDS : UNCLEAR,
        "EADDRINUSE unless both sockets have the option; then each has a queue of its own");
    report_nginx();
}

// ---- stuck ---------------------------------------------------------------------------------

static const struct claim uneven_claim = {
    "7.8", "guide §8.2", "hash-based distribution can lead to uneven load", HOLDS, NULL};

// All clients ask at once; one of the workers is stuck. Returns how many have no answer when
// everybody has been served whom another worker could serve; draws who is where.
static int ask_the_stuck(bool sharded)
{
    struct seen seen[WORKERS_MAX];
    int fds[STUCK_CLIENTS], hanging = 0;
    char byte;
    struct peer peer =
        peer_begin(sharded ? "--workers 4 --stuck 2 --wait accept --mode sharded"
                           : "--workers 4 --stuck 2 --wait accept --mode shared");
    for (int i = 0; i < STUCK_CLIENTS; i++)
        if (!say_on(fds[i] = connect_to(&peer), GET_ROOT))
            die("cannot ask: %s", strerror(errno));
    long served = 0, behind = 0;
    for (int waited_ms = 0; waited_ms < STUCK_WAIT_MS; waited_ms += LOOK_EVERY_MS) {
        read_figures(&peer, seen);
        behind = sharded ? seen[STUCK - 1].queue : 0; // else the queue is everybody's
        served = sum_figures(&peer).answered;
        if (served + behind == STUCK_CLIENTS)
            break;
        sleep_ms(LOOK_EVERY_MS);
    }
    read_figures(&peer, seen);
    for (int i = 0; i < STUCK_WORKERS; i++) {
        char label[40];
        bool waits = i + 1 == STUCK && sharded;
        snprintf(label, sizeof label, "worker %d%s", i + 1, i + 1 == STUCK ? ", stuck" : "");
        story_bar(label, waits ? (double)behind : (double)seen[i].answered, STUCK_CLIENTS,
                  waits ? "%ld wait in its queue" : "%ld answered",
                  waits ? behind : seen[i].answered);
    }
    for (int i = 0; i < STUCK_CLIENTS; i++) {
        hanging += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
        close(fds[i]);
    }
    peer_end(&peer);
    return hanging;
}

static void scene_stuck(void)
{
    story_say(
        "%d clients, %d workers; worker %d is stuck, as in a long computation, and takes no "
        "connection.",
        STUCK_CLIENTS, STUCK_WORKERS, STUCK);
    story_say("");
    story_say("One queue for all:");
    int shared = ask_the_stuck(false);
    story_say("");
    story_say("A queue for each:");
    int sharded = ask_the_stuck(true);
    bool one_share = sharded > STUCK_CLIENTS / 10 && sharded < STUCK_CLIENTS / 2;
    claim_report(
        &uneven_claim, one_share && shared == 0 ? HOLDS : UNCLEAR,
        "%d of %d clients hang behind one worker while three are idle; with one queue for "
        "all: %d",
        sharded, STUCK_CLIENTS, shared);
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static int connections = 10000, workers = 4;
    static const struct scene scenes[] = {
        {"bind", "two sockets on one port", scene_bind},
        {"spread", "thousands of connections, four ways to share them out", scene_spread},
        {"order", "who waits longest?", scene_order},
        {"herd", "how many wake up for one connection", scene_herd},
        {"backlog", "nobody accepts, and the queue is full", scene_backlog},
        {"stuck", "one of the workers does not answer", scene_stuck},
        {"takeover", "a new server in the place of the old one", scene_takeover},
        {"sticky", "the same port, the same worker, until one joins", scene_sticky},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &server.host, .help = "address of the server"},
        {"port", OPTION_INT, &server.port, 1, 65535, "its port"},
        {"connections", OPTION_INT, &connections, 100, 100000, "in each way, in scene spread"},
        {"workers", OPTION_INT, &workers, 3, 16, "in the scenes order and herd"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){
            "[SCENE]",
            "Lesson 07: who gets the connection. Without SCENE all of them: bind, "
            "spread,\norder, herd, backlog, stuck, takeover, sticky.",
            options});
    backlog_of(&server);
    spread_over(connections);
    workers_of(workers);
    story_begin();
    return story_tell(scenes, argv[first]);
}
