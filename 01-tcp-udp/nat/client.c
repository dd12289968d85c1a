// client.c: says under which address the world sees this machine, and what kind of NAT is in
// between.
//
// Run:    ./client                              with ./server in another terminal
//         ./client --host stun.example.org --port 3478     any STUN server: UDP
//         ./client --tcp                        the same question over TCP
// Watch:  the mapped address. If it is another one than your own, there is a NAT. With a server
//         that has two addresses, the client finds out who may send to you.
//
// Read main(), then parts/discover.c: three questions about mapping, two about filtering.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "discover.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "sockets.h"
#include "stun.h"

static const char *host = "127.0.0.1";
static int port = 8101, wait_ms = 250, tries = 4;
static bool tcp;

static const char *const mapping_meaning[] = {
    [NOT_KNOWN] = "no answer",
    [ENDPOINT_INDEPENDENT] = "every peer sees us there",
    [ADDRESS_DEPENDENT] = "each host sees another port",
    [ADDRESS_AND_PORT_DEPENDENT] = "each peer sees another port"};
static const char *const filtering_meaning[] = {
    [NOT_KNOWN] = "no answer",
    [ENDPOINT_INDEPENDENT] = "anybody may send in",
    [ADDRESS_DEPENDENT] = "hosts that we have sent to",
    [ADDRESS_AND_PORT_DEPENDENT] = "ports that we have sent to"};

static void show(const char *what, const char *value, const char *meaning)
{
    printf("%-14s  %-26s  %s\n", what, value, meaning);
}

static void show_mapped(const struct sockaddr_storage *local,
                        const struct sockaddr_storage *mapped)
{
    char name[NET_NAME];
    const char *meaning = "what the world sees: there is a NAT";
    show("local address", net_name(local, name), "what the socket is bound to");
    if (address_is(local, mapped))
        meaning = "the same: no NAT on the way";
    show("mapped address", net_name(mapped, name), meaning);
}

static void ask_over_udp(void)
{
    struct sockaddr_storage server;
    int fds[DISCOVER_SOCKETS];
    net_address(host, port, SOCK_DGRAM, &server);
    for (int i = 0; i < DISCOVER_SOCKETS; i++)
        fds[i] = open_socket_towards(&server);
    struct discovery found = discover(fds, &server, wait_ms, tries);
    if (!found.answered && found.error >= 300)
        die("%s:%d refuses the question: error %d", host, port, found.error);
    if (!found.answered && found.error)
        die("cannot ask %s:%d: %s (is the server running?)", host, port, strerror(found.error));
    if (!found.answered)
        die("no STUN answer from %s:%d in %d tries (is the server running?)", host, port,
            tries);
    show_mapped(&found.local, &found.mapped);
    if (!found.has_other) {
        puts("The server has one address: it cannot tell the kind of a NAT (RFC 5780).");
        return;
    }
    char name[NET_NAME];
    bool translated = !address_is(&found.local, &found.mapped);
    show("server's other", net_name(&found.other, name), "for the following tests");
    show("mapping", behaviour_name(found.mapping), mapping_meaning[found.mapping]);
    show("filtering", behaviour_name(found.filtering), filtering_meaning[found.filtering]);
    if (translated)
        show("kind of NAT", nat_kind(&found), "in the older words of RFC 3489");
    for (int i = 0; i < DISCOVER_SOCKETS; i++)
        close(fds[i]);
}

static void ask_over_tcp(void)
{
    uint8_t bytes[STUN_MAX], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    struct stun_message message;
    struct sockaddr_storage mapped;
    int fd = net_connect_or_die(host, port);
    stun_new_transaction(transaction);
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, transaction);
    stun_add_fingerprint(&writer);
    if (!write_all(fd, bytes, writer.length) || !read_exactly(fd, bytes, STUN_HEADER))
        die("%s:%d has closed the connection", host, port);
    long size = stun_size(bytes, STUN_HEADER);
    if (size < 0)
        die("%s:%d does not speak STUN", host, port);
    if (!read_exactly(fd, bytes + STUN_HEADER, (size_t)size - STUN_HEADER))
        die("%s:%d has closed the connection in the middle of its answer", host, port);
    const char *why = stun_read(bytes, (size_t)size, &message);
    if (why)
        die("the answer of %s:%d is malformed: %s", host, port, why);
    if (!stun_is_transaction(&message, transaction) || message.class != STUN_SUCCESS ||
        !stun_find_address(&message, XOR_MAPPED_ADDRESS, &mapped))
        die("%s:%d does not say our address (error %d)", host, port, stun_error_code(&message));
    struct sockaddr_storage local = address_of_socket(fd);
    show_mapped(&local, &mapped);
    close(fd);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "the STUN server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"tcp", OPTION_FLAG, &tcp, .help = "asks over TCP"},
        {"wait", OPTION_INT, &wait_ms, 10, 10000,
         "ms until a question is asked again; then twice that, ..."},
        {"tries", OPTION_INT, &tries, 1, 7, "questions until there is no answer"},
        {0}};
    output_begin();
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 01, nat: what is my address?", options});
    if (tcp)
        ask_over_tcp();
    else
        ask_over_udp();
    output_flush();
    return 0;
}
