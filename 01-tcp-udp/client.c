// client.c: says a text to the server over TCP and over UDP, and shows what travels.
//
// Run:    ./client                     against ./server in another terminal
//         ./client "say 3 hello"       over TCP; service.h lists what the server can be asked
//         ./client --udp "say 3 hello" over UDP
// Watch:  how many calls each protocol needs, and what marks the end of a message. Over TCP the
//         three answers mostly come in one recv(), over UDP each in its own.
//
// Read main(), then say_over_tcp() and say_over_udp() side by side. The client works with any
// echo service (RFC 862).
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "output.h"
#include "show.h"

#define TCP_MS       15000 // until the server must have answered and closed
#define UDP_MS       5000  // until the first datagram must have come
#define QUIET_MS     300   // that the client waits for one more datagram
#define DATAGRAM_MAX 65536

static const char *host = "127.0.0.1", *text = "hello";
static int port = 8001;
static char ours[NET_NAME], server[NET_NAME]; // the addresses of the two ends
static char bytes[DATAGRAM_MAX];

// ---- TCP -----------------------------------------------------------------------------------

// Sends the text as a line. The newline marks the end of the message: TCP marks none.
static void send_line(int fd)
{
    struct timeval timeout = {.tv_sec = TCP_MS / 1000};
    int length = snprintf(bytes, sizeof bytes, "%s\n", text);
    if (length >= DATAGRAM_MAX)
        die("the text is too long: at most %d bytes", DATAGRAM_MAX - 2);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    ssize_t sent = send(fd, bytes, (size_t)length, 0);
    if (sent < 0)
        die("cannot send to %s: %s", server, strerror(errno));
    if (sent < length)
        die("%s took only %zd of %d bytes in %d seconds", server, sent, length, TCP_MS / 1000);
    show("TCP", ours, "->", server, bytes, (size_t)length);
}

// Receives until the server closes its side: the answer ends there.
static void receive_stream(int fd)
{
    size_t total = 0;
    for (int64_t until_ns = in_ms(TCP_MS);;) {
        if (!await_readable(fd, until_ns))
            die("%s has not closed within %d seconds; %zu bytes have come", server,
                TCP_MS / 1000, total);
        ssize_t length = recv(fd, bytes, sizeof bytes, 0);
        if (length < 0)
            die("cannot receive from %s: %s; %zu bytes had come", server, strerror(errno),
                total);
        if (length == 0)
            break; // the server's FIN
        total += (size_t)length;
        show("TCP", ours, "<-", server, bytes, (size_t)length);
    }
    if (total == 0)
        die("%s closed the connection without an answer", server);
    printf("TCP %s <- %s the end of the stream\n", ours, server);
}

static void say_over_tcp(void)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    net_name(&address, server);
    if (fd < 0)
        die("cannot make a TCP socket: %s", strerror(errno));
    // The handshake: connect() returns when the server's kernel has answered.
    if (connect(fd, (struct sockaddr *)&address, length))
        die("cannot connect to %s: %s (is the server running?)", server, strerror(errno));
    net_local_name(fd, ours);
    send_line(fd);
    shutdown(fd, SHUT_WR); // sends a FIN: the client will send no more
    receive_stream(fd);
    close(fd);
}

// ---- UDP -----------------------------------------------------------------------------------

// Receives one datagram of the server. False if none comes before `until_ns`.
static bool receive_datagram(int fd, int64_t until_ns)
{
    while (await_readable(fd, until_ns)) {
        char sender[NET_NAME];
        struct sockaddr_storage from = {0};
        socklen_t from_length = sizeof from;
        ssize_t length =
            recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_length);
        if (length < 0)
            die("cannot receive from %s: %s", server, strerror(errno));
        // Every program can send to this port: an answer is only what the server sends.
        if (!strcmp(net_name(&from, sender), server)) {
            show("UDP", ours, "<-", sender, bytes, (size_t)length);
            return true;
        }
        show("UDP (ignored)", ours, "<-", sender, bytes, (size_t)length);
    }
    return false;
}

static void say_over_udp(void)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    net_name(&address, server);
    if (fd < 0)
        die("cannot make a UDP socket: %s", strerror(errno));
    // No handshake: the first packet is the message, and UDP does not say whether it arrives.
    if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, length) < 0)
        die("cannot send to %s: %s", server, strerror(errno));
    net_local_name(fd, ours);
    show("UDP", ours, "->", server, text, strlen(text));
    if (!receive_datagram(fd, in_ms(UDP_MS)))
        die("no answer over UDP from %s in %d seconds: a datagram was lost, or no server has "
            "this port (is the server running?)",
            server, UDP_MS / 1000);
    for (int64_t until_ns = in_ms(UDP_MS); receive_datagram(fd, in_ms(QUIET_MS));)
        if (now_ns() > until_ns)
            die("%s has not stopped sending after %d seconds", server, UDP_MS / 1000);
    printf("UDP has no end: nothing more has come for %d ms\n", QUIET_MS);
    close(fd);
}

int main(int argc, char **argv)
{
    static bool udp;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its TCP and UDP port"},
        {"udp", OPTION_FLAG, &udp, .help = "say it over UDP only"},
        {0}};
    static const struct command command = {
        "[TEXT]", "Says TEXT over TCP, or over UDP. Without TEXT: hello, over both.", options};
    int first = options_parse(argc, argv, &command);
    if (first < argc)
        text = argv[first];
    output_begin();
    if (!udp)
        say_over_tcp();
    if (udp || first == argc)
        say_over_udp();
    output_flush();
    return 0;
}
