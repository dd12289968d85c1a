// control.c: see control.h. commands[] are the requests that there are.
#include "control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "node.h"
#include "setup.h"

#define LINE_MAX_BYTES 256

static int epoll_fd;

// Each takes a node, and what follows its name; returns NULL, or what is wrong.
static const char *mute(struct node *node, const char *rest)
{
    (void)rest;
    node->muted = true;
    return NULL;
}

static const char *unmute(struct node *node, const char *rest)
{
    (void)rest;
    node->muted = false;
    node->mute_ns = 0;
    return NULL;
}

static const char *block_udp(struct node *node, const char *rest)
{
    (void)rest;
    node->udp_blocked = true;
    return NULL;
}

static const char *unblock_udp(struct node *node, const char *rest)
{
    (void)rest;
    node->udp_blocked = false;
    return NULL;
}

static const char *drop(struct node *node, const char *rest)
{
    if (!node_parse_drop(rest, &node->drop))
        return "drop takes a node and tcp:PORT:N or udp:PORT:N";
    return NULL;
}

static const char *give(struct node *node, const char *rest)
{
    struct in_addr address;
    if (inet_pton(AF_INET, rest, &address) != 1)
        return "give takes a node and an address";
    return node_move_address(ntohl(address.s_addr), node);
}

static const struct {
    const char *name;
    const char *(*act)(struct node *, const char *rest);
} commands[] = {{"mute", mute},           {"unmute", unmute},
                {"block-udp", block_udp}, {"unblock-udp", unblock_udp},
                {"drop", drop},           {"give", give}};

static const char *obey(char *line)
{
    char *name = strtok(line, " "), *target = strtok(NULL, " "), *rest = strtok(NULL, "");
    if (!name || !target)
        return "a command, and the name it is about";
    if (!rest)
        rest = "";
    struct box *box = box_named(target);
    if (!strcmp(name, "backends") && box)
        return setup_backends(box, rest);
    struct node *node = node_named(target);
    if (!node)
        return "no node has this name";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name))
            return commands[i].act(node, rest);
    return "no such command";
}

// Answers what is in one connection: "ok", or "error: " and why.
static void answer(int fd)
{
    char line[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
    ssize_t length = recv(fd, line, sizeof line - 1, MSG_DONTWAIT);
    if (length <= 0) { // its program, and all that it has started, have closed it
        close(fd);
        return;
    }
    line[length] = '\0';
    for (char *rest = line, *one; (one = strsep(&rest, "\n")) && rest;) {
        const char *wrong = obey(one);
        if (wrong)
            snprintf(text, sizeof text, "error: %s\n", wrong);
        else
            snprintf(text, sizeof text, "ok\n");
        send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

int control_begin(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("cannot make an epoll descriptor: %s", strerror(errno));
    return epoll_fd;
}

void control_answer(void)
{
    struct epoll_event events[16];
    int count = epoll_wait(epoll_fd, events, 16, 0);
    for (int i = 0; i < count; i++)
        answer(events[i].data.fd);
}

int control_new(void)
{
    int ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        die("cannot make a pair of sockets: %s", strerror(errno));
    event.data.fd = ends[0];
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ends[0], &event))
        die("cannot watch a socket: %s", strerror(errno));
    return ends[1];
}

void control_hand_over(int fd)
{
    char number[16];
    int place = 3;
    // A number that a plain sh can use, if none of them is taken by what the program inherits.
    while (place <= 9 && place != fd && fcntl(place, F_GETFD) == 0)
        place++;
    if (place > 9)
        place = fd;
    if (place == fd)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, place);
    snprintf(number, sizeof number, "%d", place);
    setenv("WIRE_CONTROL", number, 1);
}
