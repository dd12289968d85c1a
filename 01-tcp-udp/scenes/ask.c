// ask.c: see ask.h.
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "packet_log.h"
#include "net.h"

#define TIMEOUT_S 15

static const char *server_host;
static int server_port;

void ask_server(const char *host, int port)
{
    server_host = host;
    server_port = port;
}

const char *ask_host(void)
{
    return server_host;
}

int ask_port(void)
{
    return server_port;
}

int ask_open_tcp(void)
{
    // The client waits a limited time for a server that does not answer.
    struct timeval patience = {.tv_sec = TIMEOUT_S};
    int fd = net_connect_or_die(server_host, server_port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

int ask_open_udp(void)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(server_host, server_port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // Over UDP connect() sends nothing: it only sets the peer for send() and recv().
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length))
        die("cannot make a UDP socket to %s:%d: %s", server_host, server_port, strerror(errno));
    return fd;
}

int local_port(int fd)
{
    char name[NET_NAME];
    return atoi(strrchr(net_local_name(fd, name), ':') + 1);
}

void send_all(int fd, const void *bytes, size_t length)
{
    if (!write_all(fd, bytes, length))
        die("cannot send %zu bytes: %s", length, strerror(errno));
}

bool read_line(int fd, char *line)
{
    // One byte at a time: slow, but nothing behind the newline is taken from the stream.
    for (size_t length = 0; length < ANSWER_BYTES && read_exactly(fd, line + length, 1);
         length++)
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
    return false;
}

void ask_tcp(int fd, char *answer, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    bool answered = write_all(fd, line, strlen(line)) && read_line(fd, answer);
    if (answered)
        return;
    const char *why = strerror(errno);
    if (errno == 0)
        why = "the server closed the connection";
    if (errno == EAGAIN)
        die("nothing has come for %d seconds", TIMEOUT_S);
    die("no answer to '%.*s': %s", (int)strcspn(line, "\n"), line, why);
}

bool await_udp(int fd, char *answer, int64_t until_ns)
{
    for (;;) {
        int64_t left_ms = (until_ns - now_ns() + 999999) / 1000000;
        struct pollfd readable = {fd, POLLIN, 0};
        if (left_ms < 0)
            left_ms = 0;
        int ready = poll(&readable, 1, (int)left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        ssize_t length = recv(fd, answer, ANSWER_BYTES - 1, 0);
        if (length < 0) // an ICMP error has come: no socket has this port
            die("no answer over UDP: %s (is the server running?)", strerror(errno));
        answer[length] = '\0';
        return true;
    }
}

int ask_timeout_ms(void)
{
    if (packet_log()->loss > 0)
        return 200 + (int)(2 * packet_log()->rtt_ms);
    return PATIENCE_MS; // this link loses nothing: there is no reason to ask twice
}

int ask_udp(int fd, char *answer, const char *format, ...)
{
    static int id = 1000;
    char datagram[256], text[ANSWER_BYTES];
    va_list arguments;
    int prefix = snprintf(datagram, sizeof datagram, "#%d ", ++id);
    va_start(arguments, format);
    vsnprintf(datagram + prefix, sizeof datagram - (size_t)prefix, format, arguments);
    va_end(arguments);
    for (int try = 1; try <= TRIES_MAX; try++) {
        send_all(fd, datagram, strlen(datagram));
        int64_t until_ns = now_ns() + ask_timeout_ms() * INT64_C(1000000);
        while (await_udp(fd, text, until_ns))
            // With another id it is a late answer to another question.
            if (!strncmp(text, datagram, (size_t)prefix)) {
                strcpy(answer, text + prefix);
                return try;
            }
    }
    die("no answer over UDP to '%s' after %d tries", datagram, TRIES_MAX);
}
