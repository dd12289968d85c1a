// net.c: see net.h.
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define MAPPED                                                                                 \
    "::ffff:" // in front of an IPv4 address that an IPv6 socket sees (RFC 4291 §2.5.5.2)

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void sleep_ms(double ms)
{
    int64_t until = now_ns() + (int64_t)(ms * 1e6);
    struct timespec deadline = {until / 1000000000, until % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
        ;
}

socklen_t net_address(const char *host, int port, int type, struct sockaddr_storage *address)
{
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = type}, *found;
    int error = getaddrinfo(host, service, &hints, &found);
    if (error) {
        hints.ai_family = AF_INET6;
        error = getaddrinfo(host, service, &hints, &found);
    }
    if (error)
        die("cannot resolve %s: %s", host, gai_strerror(error));
    socklen_t length = found->ai_addrlen;
    memcpy(address, found->ai_addr, length);
    freeaddrinfo(found);
    return length;
}

int net_listen(const char *host, int port, int backlog)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&address, length) || listen(fd, backlog))
        net_die_listening(host, port);
    return fd;
}

void net_die_listening(const char *host, int port)
{
    die("cannot listen on %s:%d: %s%s", host, port, strerror(errno),
        errno == EADDRINUSE ? " (--port 0: the kernel chooses)" : "");
}

void net_send_at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int net_give_up(int fd)
{
    int saved_errno = errno;
    if (fd >= 0)
        close(fd);
    errno = saved_errno;
    return -1;
}

int net_connect(const char *host, int port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    return net_give_up(fd);
}

int net_connect_or_die(const char *host, int port)
{
    int fd = net_connect(host, port);
    if (fd < 0)
        die("cannot connect to %s:%d: %s (is the server running?)", host, port,
            strerror(errno));
    return fd;
}

char *net_name(const struct sockaddr_storage *address, char *text)
{
    char host[NET_NAME - 16], service[8];
    bool six = address->ss_family == AF_INET6;
    if (getnameinfo((const struct sockaddr *)address, sizeof *address, host, sizeof host,
                    service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV))
        return strcpy(text, "?");
    const char *name = host;
    if (six && !strncmp(host, MAPPED, strlen(MAPPED)) && strchr(host, '.')) {
        name += strlen(MAPPED);
        six = false;
    }
    snprintf(text, NET_NAME, "%s%s%s:%s", six ? "[" : "", name, six ? "]" : "", service);
    return text;
}

char *net_local_name(int fd, char *text)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    return net_name(&address, text);
}

char *net_peer_name(int fd, char *text)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getpeername(fd, (struct sockaddr *)&address, &length);
    return net_name(&address, text);
}

void net_ready(int fd)
{
    net_ready_ports(fd, NULL, 0);
}

void net_ready_ports(int fd, const struct net_port more[], int count)
{
    char name[NET_NAME], *lines;
    size_t length;
    const char *ready_fd = getenv("READY_FD");
    FILE *text = open_memstream(&lines, &length); // one write(): the reader finds them all
    if (!text)
        die("cannot say that it is ready: %s", strerror(errno));
    printf("listening on %s\n", net_local_name(fd, name));
    fprintf(text, "%s\n", strrchr(name, ':') + 1);
    for (int i = 0; i < count; i++) {
        printf("%s on %s\n", more[i].name, net_local_name(more[i].fd, name));
        fprintf(text, "%s %s\n", more[i].name, strrchr(name, ':') + 1);
    }
    fflush(stdout);
    fclose(text);
    if (ready_fd) {
        write_all(atoi(ready_fd), lines, length);
        close(atoi(ready_fd));
    }
    free(lines);
}

int net_stop_fd(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a file that may grow no more (ulimit -f) is an error of write()
    if (sigprocmask(SIG_BLOCK, &stop, NULL))
        die("cannot block SIGINT and SIGTERM: %s", strerror(errno));
    int fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
    return fd;
}

void net_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
        die("cannot make descriptor %d non-blocking: %s", fd, strerror(errno));
}

bool read_exactly(int fd, void *buffer, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = read(fd, (char *)buffer + done, length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got == 0)
                errno = 0;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool write_all(int fd, const void *buffer, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t put = write(fd, (const char *)buffer + done, length - done);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0)
            done += (size_t)put;
    }
    return true;
}
