// server.c: one port number, two protocols: TCP and UDP side by side in one poll() loop.
//
// Run:    ./server             then, in another terminal: ./client, or nc 127.0.0.1 8001
// Watch:  what TCP needs here and UDP does not: listen(), accept(), a descriptor and a buffer
//         for each client, a search for the end of each message, and a close.
//
// Read open_sockets() first, then run(), the loop. serve_udp() is all that UDP needs. For TCP
// read accept_client(), and then connection.c.
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "late_answers.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "service.h"
#include "udp_pause.h"

#define BACKLOG      512                    // connections that wait for accept()
#define PORT_TRIES   10                     // to find a port number that is free for both
#define SLEEP_NS     INT64_C(3600000000000) // the longest sleep in poll(): an hour
#define DATAGRAM_MAX 65536
#define LOGGED_BYTES 60 // a longer datagram has no line in the log

static const char *host = "127.0.0.1";
static int port = 8001, receive_buffer = 0;

static int listener, udp;  // the two sockets, with one port number
static struct reply reply; // too large for the stack
static long accepted, datagrams;

// ---- UDP: one receive, one answer, nothing kept --------------------------------------------

// How many datagrams the kernel has dropped because the server was too slow (socket(7),
// SO_MEMINFO).
static long udp_dropped(void)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    getsockopt(udp, SOL_SOCKET, SO_MEMINFO, info, &length);
    return info[SK_MEMINFO_DROPS];
}

static void serve_udp(void)
{
    static char datagram[DATAGRAM_MAX + 1];
    char client[NET_NAME], server[NET_NAME];
    struct sockaddr_storage from = {0};
    socklen_t from_length = sizeof from;
    // One call returns one whole datagram, which is one message, and the address of its sender.
    ssize_t length =
        recvfrom(udp, datagram, DATAGRAM_MAX, 0, (struct sockaddr *)&from, &from_length);
    if (length < 0)
        return; // no datagram, or an ICMP error: an earlier answer did not reach its client
    datagrams++;
    datagram[length] = '\0';
    struct request request = {.transport = UDP,
                              .text = datagram,
                              .length = (size_t)length,
                              .client = net_name(&from, client),
                              .server = net_local_name(udp, server),
                              .received = datagrams,
                              .dropped = udp_dropped()};
    if (!strcmp(client, server))
        return; // a forged sender: the server would send the echo to itself, again and again
    service_answer(&request, &reply);
    bool answered = reply.length || !length; // "note" has no answer
    if (length < LOGGED_BYTES)
        log_line("recvfrom() \"%.24s\" from %s", datagram, client);
    if (reply.pause_ms)
        udp_pause(reply.pause_ms);
    if (reply.after_ms && answered) {
        late_answer_keep(&from, from_length, &reply);
        return;
    }
    if (length < LOGGED_BYTES && answered)
        log_line("sendto(): %d x %zu bytes", reply.times, reply.length);
    for (int i = 0; answered && i < reply.times; i++)
        if (sendto(udp, reply.text, reply.length, 0, (struct sockaddr *)&from, from_length) < 0)
            log_line("sendto(%s): %s", client, strerror(errno));
}

// ---- TCP: a connection for each client, see connection.c -----------------------------------

static void accept_client(void)
{
    struct sockaddr_storage from = {0};
    socklen_t from_length = sizeof from;
    // The kernel has finished the handshake already; accept() only fetches the result.
    int fd =
        accept4(listener, (struct sockaddr *)&from, &from_length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && connections_add(fd, &from)) {
        accepted++;
        return;
    }
    // Without a free descriptor, or without memory, the client stays in the kernel's queue, and
    // poll() would report it again at once. So the server looks again after a pause. Any other
    // error means that the client has gone away.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_line("accept(): %s: the next client waits", strerror(errno));
        connections_pause();
    }
    if (fd >= 0)
        close(fd);
}

// ---- both ----------------------------------------------------------------------------------

// A socket with the server's address. TCP and UDP need the same two calls, but each protocol
// has port numbers of its own. Returns -1, with errno, if there is no such socket.
static int bind_socket(int type, int wanted_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, wanted_port, type, &address);
    int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    // Without SO_REUSEADDR a restarted server has to wait until the connections of the server
    // before it have left TIME_WAIT. UDP has no such state.
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (bind(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    close(fd);
    return -1;
}

// Binds both sockets to one port number. If the kernel may choose the number (port 0), its
// choice is free for TCP, but perhaps not for UDP: then the server tries again.
static void open_sockets(void)
{
    for (int tries = 0; tries == 0 || (port == 0 && tries < PORT_TRIES); tries++) {
        listener = bind_socket(SOCK_STREAM, port);
        if (listener < 0)
            break;
        char name[NET_NAME];
        net_local_name(listener, name);
        udp = bind_socket(SOCK_DGRAM, atoi(strrchr(name, ':') + 1));
        // From listen() on the kernel answers each SYN. UDP has no connections to listen for.
        if (udp >= 0 && listen(listener, BACKLOG) == 0)
            return;
        close(listener);
        if (udp >= 0)
            close(udp);
    }
    net_die_listening(host, port);
}

// How long poll() may sleep, in milliseconds: until the first moment when something is due
// although no descriptor becomes ready.
static int timeout_ms(int64_t now)
{
    int64_t due = connections_due_ns(), room_at = connections_room_at_ns();
    int64_t paused_until = udp_paused_until_ns(now);
    if (room_at > now && room_at < due)
        due = room_at;
    if (paused_until && paused_until < due)
        due = paused_until;
    if (late_answers_due_ns() < due)
        due = late_answers_due_ns();
    if (due <= now)
        return 0;
    if (due > now + SLEEP_NS)
        due = now + SLEEP_NS;
    return (int)((due - now + 999999) / 1000000);
}

static void run(int stop_fd)
{
    static struct pollfd polls[3 + CONNECTIONS_MAX];
    for (;;) {
        int64_t now = now_ns();
        int count = connection_count;
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = polls[2] = (struct pollfd){-1, POLLIN, 0}; // poll() ignores -1
        if (now >= connections_room_at_ns())
            polls[1].fd = listener;
        if (!udp_paused_until_ns(now))
            polls[2].fd = udp;
        for (int i = 0; i < count; i++)
            polls[3 + i] =
                (struct pollfd){connections[i]->fd, connection_events(connections[i]), 0};

        if (poll(polls, (nfds_t)(3 + count), timeout_ms(now)) < 0)
            die("cannot wait in poll(): %s", strerror(errno));
        now = now_ns();
        if (polls[0].revents)
            return;
        if (polls[2].revents)
            serve_udp();
        late_answers_send(udp, now);
        // From the last to the first: a connection that closes gives its place to the last one.
        for (int i = count - 1; i >= 0; i--)
            if (!connection_serve(connections[i], polls[3 + i].revents, now))
                connections_close(i);
        if (polls[1].revents)
            accept_client();
    }
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP and UDP port; 0: the kernel chooses"},
        {"rcvbuf", OPTION_INT, &receive_buffer, 0, 1 << 30,
         "SO_RCVBUF of both sockets; 0: the kernel's own"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 01: one port number, TCP and UDP.", options});
    log_begin(false);
    int stop_fd = net_stop_fd();
    open_sockets();
    net_ready(listener);
    run(stop_fd);

    while (connection_count)
        connections_close(connection_count - 1);
    log_end();
    printf("stopped: connections %ld, datagrams %ld, dropped by the kernel %ld\n", accepted,
           datagrams, udp_dropped());
    close(listener);
    close(udp);
    close(stop_fd);
    return 0;
}
