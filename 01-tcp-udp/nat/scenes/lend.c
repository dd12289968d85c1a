// lend.c: see lend.h. The programs on the nodes share the file system, so they talk over a
// socket with a name in it (unix(7), SCM_RIGHTS).
#include "lend.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net.h"
#include "packet_log.h"

#define REQUEST_BYTES 2048
#define ARGUMENTS_MAX 20
#define ANY_SOCKET    "" // the request for a socket; else the arguments, each with its '\0'

// The same name in all programs of one wire: they have the packet log in common.
static struct sockaddr_un name_of(const char *node)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat log = {0};
    const char *folder = getenv("TMPDIR");
    if (!getenv("WIRE_PACKET_LOG") || fstat(atoi(getenv("WIRE_PACKET_LOG")), &log))
        die("--lend is for a node of wire");
    if (!folder || strlen(folder) > 50)
        folder = "/tmp";
    snprintf(name.sun_path, sizeof name.sun_path, "%.50s/nat-%lu-%.15s", folder,
             (unsigned long)log.st_ino, node);
    return name;
}

static int bound_socket(const char *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1 || fd < 0 ||
        bind(fd, (struct sockaddr *)&name, sizeof name))
        die("cannot bind a socket to %s: %s", address, strerror(errno));
    return fd;
}

// ---- descriptors as messages ---------------------------------------------------------------

union control {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
};

static bool send_with_fds(int to, const char *text, size_t length, const int fds[], int count)
{
    union control control = {0};
    struct iovec part = {(void *)(uintptr_t)text, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)length;
}

static ssize_t receive_with_fds(int from, char *text, size_t size, int fds[2])
{
    union control control = {0};
    struct iovec part = {text, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t length = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    fds[0] = fds[1] = -1;
    if (length > 0 && header && header->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    return length;
}

// ---- on the node ---------------------------------------------------------------------------

static void start_program(const char *text, size_t length, int in, int out)
{
    char *argv[ARGUMENTS_MAX + 1];
    int count = 0;
    sigset_t none;
    if (fork() != 0)
        return;
    for (size_t at = 0; at < length && count < ARGUMENTS_MAX; at += strlen(text + at) + 1)
        argv[count++] = (char *)(uintptr_t)(text + at);
    argv[count] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

static void serve(int listener)
{
    char text[REQUEST_BYTES + 1];
    int fds[2], client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t length = receive_with_fds(client, text, REQUEST_BYTES, fds);
    if (length == 1) {
        int lent = bound_socket(getenv("HOST"));
        send_with_fds(client, "", 1, &lent, 1);
        close(lent);
    } else if (length > 1) {
        text[length] = '\0';
        start_program(text, (size_t)length, fds[0], fds[1]);
        send_with_fds(client, "", 1, NULL, 0);
        close(fds[0]);
        close(fds[1]);
    }
    close(client);
}

void lend_serve(void)
{
    struct sockaddr_un name = name_of(getenv("WIRE_NODE") ? getenv("WIRE_NODE") : "");
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    signal(SIGCHLD, SIG_IGN);
    if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof name) ||
        listen(listener, 64))
        die("cannot listen on %s: %s", name.sun_path, strerror(errno));
    struct pollfd polls[2] = {{net_stop_fd(), POLLIN, 0}, {listener, POLLIN, 0}};
    const char *ready = getenv("READY_FD");
    if (ready && !write_all(atoi(ready), "1\n", 2)) // a port, as wire wants it: it has none
        die("cannot say that it is ready");
    if (ready)
        close(atoi(ready));
    while (!polls[0].revents)
        if (poll(polls, 2, -1) > 0 && polls[1].revents)
            serve(listener);
    unlink(name.sun_path);
}

// ---- in the scene --------------------------------------------------------------------------

static void ask(const char *node, const char *text, size_t length, const int fds[], int count,
                int got[2])
{
    struct sockaddr_un name = name_of(node);
    char byte;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) ||
        !send_with_fds(fd, text, length, fds, count) ||
        receive_with_fds(fd, &byte, 1, got) != 1)
        die("there is no ./play --lend on node %s: %s", node, strerror(errno));
    close(fd);
}

int lend_socket(const char *node)
{
    int got[2];
    if (!packet_log()->tunnel)
        return bound_socket("127.0.0.1");
    ask(node, ANY_SOCKET, 1, NULL, 0, got);
    return got[0];
}

void lend_run(const char *node, const char *const argv[], int in, int out)
{
    char text[REQUEST_BYTES];
    size_t length = 0;
    int got[2], fds[2] = {in, out};
    for (int i = 0; argv[i] && length + strlen(argv[i]) + 1 < sizeof text; i++) {
        strcpy(text + length, argv[i]);
        length += strlen(argv[i]) + 1;
    }
    if (!packet_log()->tunnel)
        start_program(text, length, in, out);
    else
        ask(node, text, length, fds, 2, got);
}

const char *lend_address(const char *node)
{
    char variable[40];
    snprintf(variable, sizeof variable, "%s_HOST", node);
    for (char *c = variable; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *address = getenv(variable);
    if (!address)
        return "";
    return address;
}
