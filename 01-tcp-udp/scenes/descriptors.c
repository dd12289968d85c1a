// descriptors.c: scene descriptors: a server that may have 16 descriptors, and 20 clients.
// Which of them notices?
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "host.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define LIMIT       "16"
#define LIMIT_FILES 16
#define CLIENTS     20
#define UDP_CLIENTS 500   // each has a socket of its own
#define SPARE_FILES 50    // descriptors of this scene beside them
#define SILENT_MS   300   // after which a client has no answer for now
#define LONG_MS     20000 // an answer that takes longer does not come

static const struct claim run_out = {
    "1.48", "guide §7, load balancing",
    "each connection is a descriptor; at the limit: \"Too many open files\"", HOLDS, NULL};

static const struct claim no_state = {"1.52", "guide §2.1",
                                      "UDP scales well (no state to maintain)", HOLDS, NULL};

// How many of the numbers below the limit are taken. (The limit is on numbers: a descriptor
// that the process was started with may have a larger one.)
static int descriptors_of(pid_t pid)
{
    char path[40];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        die("cannot read %s", path);
    for (struct dirent *entry; (entry = readdir(folder));) // "." and ".." are no numbers
        count += entry->d_name[0] != '.' && atoi(entry->d_name) < LIMIT_FILES;
    closedir(folder);
    return count;
}

static bool has_answer(int fd, int patience_ms)
{
    char answer[ANSWER_BYTES];
    struct pollfd readable = {fd, POLLIN, 0};
    return poll(&readable, 1, patience_ms) == 1 && read(fd, answer, sizeof answer) > 0;
}

// So many clients ask the server, and stay. Returns how many of them get their answer.
static int ask_over_udp(int port, int clients)
{
    char answer[ANSWER_BYTES];
    int fds[UDP_CLIENTS], answered = 0, opened = 0;
    struct sockaddr_storage address;
    socklen_t length = net_address("127.0.0.1", port, SOCK_DGRAM, &address);
    while (opened < clients && answered == opened) {
        int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, length))
            die("cannot make UDP socket %d: %s", opened + 1, strerror(errno));
        fds[opened++] = fd;
        send_all(fd, "hello", 5);
        answered += await_udp(fd, answer, now_ns() + LONG_MS * INT64_C(1000000)) &&
                    !strcmp(answer, "hello");
    }
    for (int i = 0; i < opened; i++)
        close(fds[i]);
    return answered;
}

void scene_descriptors(void)
{
    static const char *const argv[] = {
        "/bin/sh", "-c", "ulimit -n " LIMIT " && exec ./server --port 0 >/dev/null", NULL};
    int fds[CLIENTS], connected = 0, answered = 0, later = 0;
    pid_t pid;
    int port = spawn_server(&pid, argv), udp_clients = UDP_CLIENTS;
    if (!port)
        die("cannot start ./server");
    if (!host_files(UDP_CLIENTS + SPARE_FILES))
        udp_clients = 1;
    ask_over_udp(port, 1); // once it answers it has begun, with all its descriptors
    int own = descriptors_of(pid), by_udp_alone = ask_over_udp(port, udp_clients);
    int more_alone = descriptors_of(pid) - own;
    story_say("A server with ulimit -n " LIMIT ", and %d clients that ask it something.",
              CLIENTS);
    for (; connected < CLIENTS; connected++) {
        fds[connected] = net_connect("127.0.0.1", port);
        if (fds[connected] < 0)
            break;
        send_all(fds[connected], "hello\n", 6);
    }
    // The server accepts the clients in their order.
    while (answered < connected && has_answer(fds[answered], answered ? SILENT_MS : LONG_MS))
        answered++;
    int open = descriptors_of(pid);
    int by_udp = ask_over_udp(port, udp_clients), open_then = descriptors_of(pid);
    for (int i = 0; i < answered; i++)
        close(fds[i]);
    for (int i = answered; i < connected; i++) { // each one that leaves makes room for one
        if (i == answered + later)
            later += has_answer(fds[i], LONG_MS);
        close(fds[i]);
    }
    spawn_stop(pid);
    story_head("clients over TCP|");
    story_row("connect() has succeeded|%d", connected);
    story_row("accepted, and answered|%d", answered);
    story_row("answered when those had closed|%d", later);
    story_head("clients over UDP|before|meanwhile");
    story_row("answered|%d|%d", by_udp_alone, by_udp);
    story_row("descriptors more for them|%d|%d", more_alone, open_then - open);
    claim_report(&run_out,
                 holds_if(connected == CLIENTS && open == LIMIT_FILES && answered > 0 &&
                          answered < LIMIT_FILES && later == CLIENTS - answered),
                 "%d of %d descriptors are open: accept() fails after %d clients (EMFILE). The "
                 "%d others are connected, by the kernel, and are told nothing",
                 open, LIMIT_FILES, answered, connected - answered);
    if (udp_clients < UDP_CLIENTS) {
        claim_report(&no_state, SKIPPED, "ulimit -Hn allows too few descriptors");
        return;
    }
    claim_report(
        &no_state,
        holds_if(by_udp_alone == UDP_CLIENTS && more_alone == 0 && by_udp == UDP_CLIENTS &&
                 open == LIMIT_FILES && open_then == open),
        "%d of %d UDP clients are answered, with %d descriptors more; and by the server "
        "that has no descriptor left %d of %d, with %d more",
        by_udp_alone, UDP_CLIENTS, more_alone, by_udp, UDP_CLIENTS, open_then - open);
}
