// server.c: tells whoever asks from which address his datagram has come (STUN, RFC 8489). That
// is how a host behind a NAT learns its outer address. And a relay for those who cannot reach
// each other.
//
// Run:    ./server             then, in another terminal: ./client, or any STUN client:
//         turnutils_stunclient -p 8101 127.0.0.1
// Watch:  the server keeps nothing of a question. It has two addresses and two ports, so that a
//         client can find out what its NAT does with other senders (RFC 5780).
//
// Read serve_udp() first: a datagram, an answer. binding.c writes the answer, stun.c reads and
// writes the messages, relay.c is the relay. Over TCP: received().
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "datagram.h"
#include "binding.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "relay.h"
#include "sockets.h"
#include "stun.h"

#define CONNECTIONS_MAX 2000
#define MESSAGE_MS      10000 // for a message over TCP, from the first byte to the last
#define IDLE_MS         60000 // that a connection may be silent between two messages
#define BATCH           64    // datagrams of one socket before the others have their turn
#define TICK_MS         1000  // the relay looks so often what is over

static bool no_relay;

static struct server_sockets sockets;
static long datagrams, answers, malformed, tcp_answers;

// ---- UDP: a datagram, an answer ------------------------------------------------------------

static const char *method_name(uint16_t method)
{
    if (method == STUN_BINDING)
        return "Binding";
    if (method == RELAY_ALLOCATE)
        return "ALLOCATE";
    if (method == RELAY_PERMIT)
        return "PERMIT";
    return "a method that is not known here";
}

// Writes the answer to a request that has come in on socket number `at`. Returns its length.
static size_t answer_request(const struct stun_message *request,
                             const struct sockaddr_storage *source, int at, int *from,
                             uint8_t answer[ANSWER_MAX])
{
    *from = at;
    if (request->method == STUN_BINDING)
        return binding_answer(request, source, &sockets, at, from, answer);
    if ((request->method == RELAY_ALLOCATE || request->method == RELAY_PERMIT) && !no_relay)
        return relay_answer(request, source, sockets.udp[at], answer);
    return binding_refuse(request, 400, "Not known here: no TURN", answer);
}

static void serve_datagram(int at, const uint8_t *bytes, size_t length,
                           const struct sockaddr_storage *source)
{
    struct stun_message message;
    uint8_t answer[ANSWER_MAX];
    char name[NET_NAME];
    int from;
    datagrams++;
    if (stun_read(bytes, length, &message)) {
        malformed++; // no answer: an error message would go to the victim of a forged source
        return;
    }
    if (message.class == STUN_INDICATION && message.method == RELAY_SEND && !no_relay)
        relay_send(&message, source);
    if (message.class != STUN_REQUEST)
        return;
    size_t answer_length = answer_request(&message, source, at, &from, answer);
    log_line("%s of %s: %zu bytes, %zu back", method_name(message.method),
             net_name(source, name), length, answer_length);
    if (datagram_send(sockets.udp[from], answer, answer_length, source) > 0)
        answers++;
}

static void serve_udp(int at)
{
    static uint8_t bytes[STUN_MAX + 1]; // one more: a longer datagram shows that it is longer
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage source;
        ssize_t length = datagram_receive(sockets.udp[at], bytes, sizeof bytes, &source);
        if (length < 0)
            return; // nothing more; or an ICMP error: an answer did not reach its client
        // Two servers must not answer each other, nor one itself, for ever: answers are no
        // requests, so they do not.
        serve_datagram(at, bytes, (size_t)length, &source);
    }
}

static void run_udp(int stop_fd)
{
    struct pollfd polls[1 + SOCKETS + RELAYS_MAX] = {{stop_fd, POLLIN, 0}};
    while (!polls[0].revents) {
        for (int i = 0; i < sockets.count; i++)
            polls[1 + i] = (struct pollfd){sockets.udp[i], POLLIN, 0};
        int first_relay = 1 + sockets.count;
        int count = first_relay + relay_polls(polls + first_relay);
        if (poll(polls, (nfds_t)count, TICK_MS) < 0 && errno != EINTR)
            die("cannot wait for datagrams: %s", strerror(errno));
        for (int i = 0; i < sockets.count; i++)
            if (polls[1 + i].revents)
                serve_udp(i);
        for (int i = first_relay; i < count; i++)
            if (polls[i].revents)
                relay_forward(polls[i].fd);
        relay_expire(now_ns());
    }
}

// ---- TCP: the same messages in a stream (RFC 8489 section 6.2.2) ---------------------------

static void opened(struct conn *conn)
{
    conn_deadline(conn, MESSAGE_MS);
}

// Answers one message. Returns the bytes that it has used; 0: the message is not whole yet.
// Where what comes is not STUN, all of it is used, and the connection ends.
static size_t answer_tcp(struct conn *conn, const char *bytes, size_t length)
{
    struct stun_message message;
    struct sockaddr_storage source = {0};
    struct server_sockets one = {.count = 1};
    socklen_t size = sizeof source;
    int from;
    long whole = stun_size(bytes, length);
    if (whole == 0 || whole > (long)length)
        return 0;
    if (whole < 0 || stun_read(bytes, (size_t)whole, &message) ||
        getpeername(conn->fd, (struct sockaddr *)&source, &size)) {
        conn_close(conn);
        return length;
    }
    if (message.class != STUN_REQUEST)
        return (size_t)whole;
    one.address[0] = address_of_socket(conn->fd);
    uint8_t *answer = (uint8_t *)conn_space(conn);
    if (message.method == STUN_BINDING)
        conn_wrote(conn, binding_answer(&message, &source, &one, 0, &from, answer));
    else
        conn_wrote(conn, binding_refuse(&message, 400, "Not over TCP", answer));
    tcp_answers++;
    return (size_t)whole;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    size_t used = 0, taken = 1;
    while (used < length && taken > 0 && conn_room(conn) >= ANSWER_MAX) {
        taken = answer_tcp(conn, bytes + used, length - used);
        used += taken;
    }
    if (used == length)
        conn_deadline(conn, IDLE_MS);
    else if (used > 0)
        conn_deadline(conn, MESSAGE_MS);
    return used;
}

static void timeout(struct conn *conn)
{
    conn_close(conn);
}

static void *run_tcp(void *stop_fd)
{
    static const struct loop_server server = {.conn_bytes = sizeof(struct conn),
                                              .conns_max = CONNECTIONS_MAX,
                                              .opened = opened,
                                              .received = received,
                                              .timeout = timeout};
    loop_serve(sockets.listener, *(int *)stop_fd, &server);
    return NULL;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *other_host = "";
    static int port = 8101, other_port = 0;
    static bool quiet;
    static int relay_seconds = 600, relay_rate = 1000;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "UDP and TCP port; 0: the kernel chooses"},
        {"other-host", OPTION_TEXT, &other_host,
         .help = "second address; if not given, the one after --host"},
        {"other-port", OPTION_INT, &other_port, 0, 65535, "second port; 0: the kernel chooses"},
        {"no-relay", OPTION_FLAG, &no_relay, .help = "lends no relayed addresses"},
        {"relay-seconds", OPTION_INT, &relay_seconds, 1, 3600,
         "that a client has a relayed address, at most"},
        {"relay-rate", OPTION_INT, &relay_rate, 1, 1000000,
         "kilobytes a second that one relayed address passes on"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Lesson 01, nat: a STUN server.", options});
    log_begin(quiet);
    sockets_open(&sockets, host, port, other_host, other_port);
    relay_begin(&sockets.address[0], relay_seconds, relay_rate);
    int stop_fd = net_stop_fd(); // before the thread begins: it inherits the blocked signals
    int stop_tcp = eventfd(0, EFD_CLOEXEC);
    pthread_t tcp;
    if (stop_tcp < 0 || pthread_create(&tcp, NULL, run_tcp, &stop_tcp))
        die("cannot start a thread");
    struct net_port other = {"other", sockets.udp[OTHER_HOST | OTHER_PORT]};
    net_ready_ports(sockets.udp[0], &other, sockets.count == SOCKETS);
    run_udp(stop_fd);
    eventfd_write(stop_tcp, 1);
    pthread_join(tcp, NULL);
    relay_expire(INT64_MAX);
    log_end();
    printf("stopped: datagrams %ld, answers %ld, malformed %ld; over TCP %ld\n"
           "relayed: bytes %lu, datagrams %lu, dropped %lu\n",
           datagrams, answers, malformed, tcp_answers, relay_figures.bytes,
           relay_figures.datagrams, relay_figures.dropped);
    return 0;
}
