// nat_peer.c: what the tests of wire's boxes put on the nodes: a mirror that says which address
// it sees, and programs behind a NAT that find out by the mirror what the NAT does.
//
//     nat_peer mirror           UDP on $HOST and the next address, port 7000 and 7001 of each
//     nat_peer greeter          TCP on port 7002: says its node, and the address that it sees
//     nat_peer call ADDRESS PORT [N]   connects to the greeter, N times
//     nat_peer leave NODE       connects to the greeter; closes when wire has muted NODE
//     nat_peer echo REQUEST     wire_tell() between two round trips to $HOST:$PORT
//     nat_peer probe            prints the NAT's mapping and filtering in RFC 4787's words
//     nat_peer timeout MS       says whether the mapping is another one after so long a silence
//     nat_peer intrude ADDRESS PORT    sends a datagram there each 50 ms
//     nat_peer hear             says whether an intruder can keep its mapping alive
//     nat_peer one-hop          says what comes back of a datagram that may take one hop
//     nat_peer hairpin          says whether two sockets behind the NAT meet at its address
//     nat_peer refused          says whether the error comes back that a port is closed
//     nat_peer gone             says whether such an error of its own reaches the mirror
//     nat_peer flows N          N sockets at once, N mappings
//     nat_peer tell REQUEST     wire_tell(), and what came of it
//     nat_peer pair LEFT RIGHT  lets the timeline show these two from now on
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h> // uses struct timespec, and does not include <time.h>

#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "tell.h"

#define PORT       7000
#define TCP_PORT   7002
#define PATIENCE   300 // ms that an answer may take; the machine may be busy
#define TRIES      3
#define FLOWS_MAX  20000
#define BATCH      50 // flows that ask at once
#define OTHER_PORT 1  // what a datagram asks of the mirror: to answer from another socket
#define OTHER_HOST 2
#define GONE_TRIES 20
#define INTRUDE_MS 50   // between two datagrams of an intruder
#define SILENCE_MS 1000 // after so long without one, they do not come through any more
#define HEAR_MS    5000 // if they still come then, they will not stop

static uint32_t host; // the mirror's first address

static struct sockaddr_in address_of(uint32_t address, int port)
{
    return (struct sockaddr_in){AF_INET, htons((uint16_t)port), {htonl(address)}, {0}};
}

static int bound_socket(uint32_t address, int port)
{
    struct sockaddr_in name = address_of(address, port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name))
        die("cannot bind a socket: %s", strerror(errno));
    return fd;
}

// Greets a TCP client.
static void greet(int listener)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    char name[NET_NAME], greeting[NET_NAME + 40];
    int fd = accept(listener, (struct sockaddr *)&peer, &length);
    if (fd < 0)
        return;
    *strrchr(net_name(&peer, name), ':') = '\0';
    snprintf(greeting, sizeof greeting, "%s sees %s\n", getenv("WIRE_NODE"), name);
    (void)!write(fd, greeting, strlen(greeting));
    close(fd);
}

static void greeter(void)
{
    struct pollfd polls[2] = {{net_stop_fd(), POLLIN, 0},
                              {net_listen("0.0.0.0", TCP_PORT, 128), POLLIN, 0}};
    net_ready(polls[1].fd);
    while (poll(polls, 2, -1) > 0 && !polls[0].revents)
        greet(polls[1].fd);
}

// Prints what the greeter says. `mute`, if it is not NULL, is muted before the connection is
// closed.
static void call(const char *address, int port, int count, const char *mute)
{
    for (int i = 0; i < count; i++) {
        char greeting[100];
        int fd = net_connect_or_die(address, port);
        ssize_t got = read(fd, greeting, sizeof greeting);
        printf("%.*s", (int)(got > 0 ? got : 0), greeting);
        if (mute && !wire_tell("mute %s", mute))
            printf("%s is muted\n", mute);
        fflush(stdout);
        close(fd);
    }
}

// One connection to an echo server, a byte before the request to wire, and a byte after it.
static void echo(const char *request)
{
    char byte = 'x';
    int fd = net_connect_or_die(getenv("HOST"), atoi(getenv("PORT")));
    if (!write_all(fd, &byte, 1) || !read_exactly(fd, &byte, 1))
        die("the echo broke off");
    const char *wrong = wire_tell("%s", request);
    struct pollfd answer = {fd, POLLIN, 0};
    if (wrong)
        die("wire: %s", wrong);
    if (write_all(fd, &byte, 1) && poll(&answer, 1, 10 * PATIENCE) > 0 &&
        read_exactly(fd, &byte, 1))
        puts("the connection goes on");
    else
        puts("the connection hangs");
}

// Answers each datagram with the address and the port that it came from. sin_zero has the
// address that the last ICMP error was about (IP_RECVERR in ip(7)).
static void mirror(void)
{
    struct sockaddr_in refused = {0};
    struct pollfd polls[5] = {{net_stop_fd(), POLLIN, 0}};
    for (int i = 0; i < 4; i++) {
        uint32_t address = host;
        if (i & OTHER_HOST)
            address++;
        polls[1 + i] =
            (struct pollfd){bound_socket(address, PORT + (i & OTHER_PORT)), POLLIN, 0};
        if (setsockopt(polls[1 + i].fd, IPPROTO_IP, IP_RECVERR, &(int){1}, sizeof(int)))
            die("cannot ask for errors: %s", strerror(errno));
    }
    net_ready(polls[1].fd);
    while (poll(polls, 5, -1) > 0 && !polls[0].revents) {
        for (int i = 0; i < 4; i++) {
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            uint8_t wish = 0;
            while (recvfrom(polls[1 + i].fd, &wish, 1, MSG_ERRQUEUE | MSG_DONTWAIT,
                            (struct sockaddr *)&refused, &length) >= 0)
                length = sizeof from;
            while (recvfrom(polls[1 + i].fd, &wish, 1, MSG_DONTWAIT, (struct sockaddr *)&from,
                            &length) == 1) {
                memcpy(from.sin_zero, &refused.sin_addr, sizeof refused.sin_addr);
                sendto(polls[1 + (i ^ wish)].fd, &from, sizeof from, 0,
                       (struct sockaddr *)&from, length);
            }
        }
    }
}

// Sends a datagram to one of the mirror's sockets; returns how the mirror sees us, port 0:
// there was no answer. It is asked again where none comes: the machine may be busy.
static struct sockaddr_in ask(int fd, uint32_t address, int port, uint8_t wish)
{
    struct sockaddr_in seen = {0}, to = address_of(address, port);
    for (int i = 0; i < TRIES; i++) {
        struct pollfd answer = {fd, POLLIN, 0};
        sendto(fd, &wish, 1, 0, (struct sockaddr *)&to, sizeof to);
        if (poll(&answer, 1, PATIENCE) > 0 && recv(fd, &seen, sizeof seen, 0) == sizeof seen)
            return seen;
    }
    return (struct sockaddr_in){0};
}

static const char *word(bool any, bool same_address)
{
    if (any)
        return "endpoint";
    return same_address ? "address" : "address-port";
}

static void probe(void)
{
    int fd = bound_socket(INADDR_ANY, 0);
    struct sockaddr_in first = ask(fd, host, PORT, 0);
    struct sockaddr_in port = ask(fd, host, PORT + 1, 0), other = ask(fd, host + 1, PORT, 0);
    if (!first.sin_port || !port.sin_port || !other.sin_port)
        die("the mirror does not answer");
    printf("mapping %s, ",
           word(first.sin_port == other.sin_port, first.sin_port == port.sin_port));
    fd = bound_socket(INADDR_ANY, 0); // a new mapping, which has sent to one address only
    ask(fd, host, PORT, 0);
    bool port_enters = ask(fd, host, PORT, OTHER_PORT).sin_port;
    bool host_enters = ask(fd, host, PORT, OTHER_HOST | OTHER_PORT).sin_port;
    printf("filtering %s, seen as %s\n", word(host_enters, port_enters),
           inet_ntoa(first.sin_addr));
}

static void time_out(double ms)
{
    int fd = bound_socket(INADDR_ANY, 0);
    struct sockaddr_in before = ask(fd, host, PORT, 0);
    sleep_ms(ms);
    struct sockaddr_in after = ask(fd, host, PORT, 0);
    if (!before.sin_port || !after.sin_port)
        die("the mirror does not answer");
    puts(before.sin_port == after.sin_port ? "the same mapping" : "another mapping");
}

// Sends datagrams, asked or not.
static void intrude(const char *address, int port)
{
    struct sockaddr_in to = address_of(0, port);
    int fd = bound_socket(INADDR_ANY, 0);
    struct pollfd stop = {net_stop_fd(), POLLIN, 0};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        die("'%s' is no address", address);
    net_ready(fd);
    do
        sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
    while (poll(&stop, 1, INTRUDE_MS) == 0);
}

// Sends one datagram, which opens a mapping, and hears an intruder for as long as it lasts
// (RFC 4787 REQ-6: what comes in need not keep a mapping alive, and here it does not).
static void hear(void)
{
    struct sockaddr_in to = address_of(host, PORT);
    int fd = bound_socket(INADDR_ANY, 0);
    struct pollfd comes = {fd, POLLIN, 0};
    char byte;
    for (int i = 0; i < TRIES && !poll(&comes, 1, PATIENCE); i++)
        sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
    int64_t began_ns = now_ns();
    int heard = 0;
    while (now_ns() - began_ns < HEAR_MS * 1000000ll && poll(&comes, 1, SILENCE_MS) > 0)
        heard += recv(fd, &byte, 1, 0) == 1;
    if (heard == 0)
        puts("nothing is heard");
    else if (now_ns() - began_ns < HEAR_MS * 1000000ll)
        puts("it is heard, and then it is not");
    else
        puts("it is heard without an end");
}

// The first box on the way reports that the datagram may not go on.
static void one_hop(void)
{
    struct sockaddr_in to = address_of(host, PORT);
    int fd = bound_socket(INADDR_ANY, 0), on = 1, hops = 1;
    char control[200], byte, name[INET_ADDRSTRLEN];
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct pollfd error = {fd, 0, 0}; // POLLERR is always reported
    if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) ||
        setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops))
        die("cannot set an option: %s", strerror(errno));
    for (int i = 0; i < TRIES && !poll(&error, 1, PATIENCE); i++)
        sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof to);
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        puts("no error comes back");
        return;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    struct sock_extended_err *told = (struct sock_extended_err *)CMSG_DATA(header);
    struct sockaddr_in *from = (struct sockaddr_in *)SO_EE_OFFENDER(told);
    printf("type %d, code %d, from %s\n", told->ee_type, told->ee_code,
           inet_ntop(AF_INET, &from->sin_addr, name, sizeof name));
}

// Two sockets learn their mappings, send to each other there, and see what comes.
static void hairpin(void)
{
    int fds[2];
    struct sockaddr_in mapped[2], from = {0};
    socklen_t length = sizeof from;
    char byte;
    for (int i = 0; i < 2; i++) {
        fds[i] = bound_socket(INADDR_ANY, 0);
        mapped[i] = ask(fds[i], host, PORT, 0);
    }
    for (int i = 0; i < TRIES; i++) {
        struct pollfd arrives = {fds[1], POLLIN, 0};
        for (int k = 0; k < 2; k++)
            sendto(fds[k], "x", 1, 0, (struct sockaddr *)&mapped[1 - k], sizeof mapped[0]);
        if (poll(&arrives, 1, PATIENCE) > 0 &&
            recvfrom(fds[1], &byte, 1, 0, (struct sockaddr *)&from, &length) == 1)
            break;
    }
    if (!from.sin_port)
        puts("they do not meet");
    else if (from.sin_addr.s_addr == mapped[0].sin_addr.s_addr &&
             from.sin_port == mapped[0].sin_port)
        puts("they meet, at their mapped addresses");
    else
        puts("they meet, but at an inside address");
}

// The answer to a connected socket's datagram to a closed port is an error.
static void refused(void)
{
    struct sockaddr_in to = address_of(host, PORT + 99);
    int fd = bound_socket(INADDR_ANY, 0);
    char byte;
    connect(fd, (struct sockaddr *)&to, sizeof to);
    for (int i = 0; i < TRIES; i++) {
        struct pollfd arrives = {fd, POLLIN, 0};
        send(fd, "x", 1, 0);
        if (poll(&arrives, 1, PATIENCE) > 0 && recv(fd, &byte, 1, 0) < 0) {
            puts(strerror(errno));
            return;
        }
    }
    puts("silence");
}

// A socket asks and is closed before the answer comes: the kernel refuses the answer. Where the
// answer was quicker, there is no error, and another socket tries it.
static void gone(void)
{
    int witness = bound_socket(INADDR_ANY, 0);
    for (int i = 0; i < GONE_TRIES; i++) {
        struct sockaddr_in to = address_of(host, PORT);
        int fd = bound_socket(INADDR_ANY, 0);
        sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof to);
        close(fd);
        ask(witness, host, PORT, 0); // the answer to `fd` has been sent now
        struct sockaddr_in seen = ask(witness, host, PORT, 0);
        if (!memcmp(seen.sin_zero, &seen.sin_addr, sizeof seen.sin_addr)) {
            puts("the mirror is told");
            return;
        }
    }
    puts("the mirror is not told");
}

// Lets `count` sockets ask the mirror, BATCH of them at once. Returns how many of the answers
// name a new port, which is not in `taken` yet, and notes these ports there.
static int ask_all(const int fds[], int count, bool taken[])
{
    int new = 0;
    for (int i = 0; i < count; i += BATCH) {
        int end = i + BATCH < count ? i + BATCH : count;
        struct sockaddr_in seen, to = address_of(host, PORT);
        for (int k = i; k < end; k++)
            sendto(fds[k], "", 1, 0, (struct sockaddr *)&to, sizeof to);
        for (int k = i; k < end; k++) {
            struct pollfd answer = {fds[k], POLLIN, 0};
            if (poll(&answer, 1, 10 * PATIENCE) < 1 ||
                recv(fds[k], &seen, sizeof seen, 0) != sizeof seen)
                die("flow %d gets no answer", k);
            new += !taken[seen.sin_port];
            taken[seen.sin_port] = true;
        }
    }
    return new;
}

static void flows(int count)
{
    static bool taken[65536];
    static int fds[FLOWS_MAX];
    if (count > FLOWS_MAX || raise_file_limit(count + 64) < count + 64)
        die("cannot open %d sockets", count);
    for (int i = 0; i < count; i++)
        fds[i] = bound_socket(INADDR_ANY, 0);
    int mapped = ask_all(fds, count, taken), moved = ask_all(fds, count, taken);
    printf("%d flows at %d ports, %d have moved\n", count, mapped, moved);
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : "", *number = argc > 2 ? argv[2] : "0";
    struct in_addr address;
    if (!getenv("HOST") || inet_pton(AF_INET, getenv("HOST"), &address) != 1)
        die("usage: wire ... -- NODE: nat_peer ROLE");
    host = ntohl(address.s_addr);
    if (!strcmp(role, "mirror"))
        mirror();
    else if (!strcmp(role, "probe"))
        probe();
    else if (!strcmp(role, "timeout"))
        time_out(atof(number));
    else if (!strcmp(role, "intrude") && argc > 3)
        intrude(argv[2], atoi(argv[3]));
    else if (!strcmp(role, "hear"))
        hear();
    else if (!strcmp(role, "one-hop"))
        one_hop();
    else if (!strcmp(role, "hairpin"))
        hairpin();
    else if (!strcmp(role, "flows"))
        flows(atoi(number));
    else if (!strcmp(role, "tell")) {
        const char *wrong = wire_tell("%s", number);
        puts(wrong ? wrong : "done");
    } else if (!strcmp(role, "pair") && argc > 3)
        packet_log_pair(argv[2], argv[3]);
    else if (!strcmp(role, "refused"))
        refused();
    else if (!strcmp(role, "gone"))
        gone();
    else if (!strcmp(role, "greeter"))
        greeter();
    else if (!strcmp(role, "call") && argc > 3)
        call(argv[2], atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 1, NULL);
    else if (!strcmp(role, "leave"))
        call(getenv("HOST"), TCP_PORT, 1, number);
    else if (!strcmp(role, "echo"))
        echo(number);
    else
        die("no role '%s'", role);
    return 0;
}
