// server.c: one port number, two protocols: TCP and UDP side by side in one poll() loop.
//
// Run:    ./server             then, in another terminal: ./client, or nc 127.0.0.1 8001
// Watch:  what TCP needs here that UDP does without: listen(), accept(), a descriptor and a
//         buffer for each client, a search for the end of each message, and a close.
//
// Read open_sockets() first, then run(), the loop. Then serve_udp(), which is all there is to
// UDP; then accept_connection(), and connection.c for what follows it.
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "late_answers.h"
#include "net.h"
#include "options.h"
#include "service.h"
#include "log.h"

#define CONNECTIONS_MAX 1000
#define BACKLOG         512 // connections that wait for accept()
#define GRACE_MS        5000 // how long a connection keeps its place although another client waits
#define RETRY_ACCEPT_MS 500 // how long to wait after accept() found no free descriptor
#define LATE_MAX        64  // UDP answers that "after" holds back
#define LATE_BYTES      512 // of each
#define DATAGRAM_MAX    65536

static const char *host = "127.0.0.1";
static int port = 8001, receive_buffer = 0;

static struct connection *connections[CONNECTIONS_MAX];
static int connection_count;
static struct reply reply; // too large for the stack
static int64_t udp_paused_until_ns, retry_accept_at_ns;
static int listener, udp, server_port; // the two sockets, and the port they got
static long accepted, datagrams;

static int64_t ms(int64_t milliseconds)
{
    return milliseconds * 1000000;
}

// ---- UDP: one receive, one answer, nothing kept --------------------------------------------

// How many datagrams the kernel threw away because we were too slow (socket(7), SO_MEMINFO).
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
    // One call, one datagram, whole: its boundary is the message's, its sender comes with it.
    ssize_t length =
        recvfrom(udp, datagram, DATAGRAM_MAX, 0, (struct sockaddr *)&from, &from_length);
    if (length < 0)
        return; // nothing there, or an ICMP error of an earlier answer: not our loss
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
        return; // forged: its echo would go to ourselves, and be echoed for ever
    service_answer(&request, &reply);
    if (length < 60)
        log_line("recvfrom() \"%s\" from %s; answer: %d x %zu bytes", datagram, client,
                 reply.times, reply.length);
    if (reply.pause_ms)
        udp_paused_until_ns = now_ns() + ms(reply.pause_ms);
    if (reply.after_ms && reply.length) {
        late_answer_keep(&from, from_length, &reply);
        return;
    }
    for (int i = 0; i < reply.times && (reply.length || !length); i++)
        if (sendto(udp, reply.text, reply.length, 0, (struct sockaddr *)&from, from_length) < 0)
            log_line("sendto(%s): %s", client, strerror(errno));
}

// ---- TCP: a connection for each client, see connection.c -----------------------------------

static void accept_connection(void)
{
    struct sockaddr_storage from = {0};
    socklen_t from_length = sizeof from;
    // The handshake was the kernel's work and is over; accept() fetches its result.
    int fd =
        accept4(listener, (struct sockaddr *)&from, &from_length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = fd < 0 ? NULL : connection_open(fd, &from);
    if (c) {
        connections[connection_count++] = c;
        accepted++;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The client stays in the kernel's queue, and poll() would report it again at once:
        // look away until a connection ends, or for a while.
        log_line("accept(): %s: the next client waits", strerror(errno));
        retry_accept_at_ns = now_ns() + ms(RETRY_ACCEPT_MS);
        if (fd >= 0)
            close(fd);
    } // else it went away while it waited
}

static void close_connection(int index)
{
    connection_close(connections[index]);
    connections[index] = connections[--connection_count];
    retry_accept_at_ns = 0; // there is a free descriptor again
}

// Which connection got its last answer before all others.
static int longest_unserved(void)
{
    int longest = 0;
    for (int i = 1; i < connection_count; i++)
        if (connections[i]->served_at_ns < connections[longest]->served_at_ns)
            longest = i;
    return longest;
}

// When the next client may be accepted. When all places are taken, a connection that has not
// finished a line for a while has to give its place away: so many slow clients do not lock out
// the others.
static int64_t room_at_ns(void)
{
    if (connection_count < CONNECTIONS_MAX)
        return 0;
    return connections[longest_unserved()]->served_at_ns + ms(GRACE_MS);
}

// ---- both ----------------------------------------------------------------------------------

// A socket bound to our address: the same two calls for both protocols, each of which has port
// numbers of its own. Returns -1, errno set, if it cannot be had.
static int bind_socket(int type, int wanted_port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, wanted_port, type, &address);
    int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    // Without this a restarted server waits until the last connections of the one before it
    // have left TIME_WAIT. UDP has no such state.
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (bind(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    close(fd);
    return -1;
}

// Binds both sockets to one port number. If the kernel may choose it, the one that it found
// free for TCP may be taken for UDP: then again.
static void open_sockets(void)
{
    for (int tries = 0; tries < (port ? 1 : 10); tries++) {
        listener = bind_socket(SOCK_STREAM, port);
        if (listener < 0)
            break;
        char name[NET_NAME];
        net_local_name(listener, name);
        server_port = atoi(strrchr(name, ':') + 1);
        udp = bind_socket(SOCK_DGRAM, server_port);
        // From here on the kernel shakes hands on our behalf. UDP has nothing to listen for.
        if (udp >= 0 && listen(listener, BACKLOG) == 0)
            return;
        close(listener);
        if (udp >= 0)
            close(udp);
    }
    net_die_listening(host, port);
}

// When something is due although no descriptor becomes ready, in milliseconds for poll().
static int timeout_ms(int64_t now)
{
    int64_t due = now + ms(3600000);
    if (room_at_ns() > now)
        due = room_at_ns();
    if (retry_accept_at_ns && retry_accept_at_ns < due)
        due = retry_accept_at_ns;
    if (udp_paused_until_ns && udp_paused_until_ns < due)
        due = udp_paused_until_ns;
    for (int i = 0; i < connection_count; i++)
        if (connection_due_ns(connections[i]) < due)
            due = connection_due_ns(connections[i]);
    if (late_answers_due_ns() < due)
        due = late_answers_due_ns();
    return due > now ? (int)((due - now + 999999) / 1000000) : 0;
}

static void run(int stop_fd)
{
    static struct pollfd polls[3 + CONNECTIONS_MAX];
    int resumes_seen = 0;
    for (;;) {
        int64_t now = now_ns();
        if (now >= retry_accept_at_ns)
            retry_accept_at_ns = 0;
        if (now >= udp_paused_until_ns || resumes_seen != service_resumes())
            udp_paused_until_ns = 0;
        resumes_seen = service_resumes();
        bool accepting = now >= room_at_ns() && !retry_accept_at_ns;
        int count = connection_count;
        polls[0] = (struct pollfd){stop_fd, POLLIN, 0};
        polls[1] = (struct pollfd){accepting ? listener : -1, POLLIN, 0};
        polls[2] = (struct pollfd){udp_paused_until_ns ? -1 : udp, POLLIN, 0};
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
        // From the last to the first: closing one puts the last into its place.
        for (int i = count - 1; i >= 0; i--)
            if (!connection_serve(connections[i], polls[3 + i].revents, now))
                close_connection(i);
        if (polls[1].revents && connection_count == CONNECTIONS_MAX)
            close_connection(longest_unserved());
        if (polls[1].revents)
            accept_connection();
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
        close_connection(connection_count - 1);
    printf("stopped: connections %ld, datagrams %ld, dropped by the kernel %ld\n", accepted,
           datagrams, udp_dropped());
    close(listener);
    close(udp);
    close(stop_fd);
    return 0;
}
