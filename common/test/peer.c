// peer.c: the other ends that common/test/test.c puts on the wire: one small program, many
// roles.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "log.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "story.h"

#define PINGS_MAX 1000

static const char *host = "127.0.0.1";
static int port = 9000, count = 100, bytes = 1, pace_us = 0, wait_ms = 200;
static bool until_heard;

// A UDP socket; a server's is bound, a client's connected.
static int udp_socket(bool server)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM, 0);
    if ((server ? bind : connect)(fd, (struct sockaddr *)&address, length))
        die("cannot use %s:%d: %s", host, port, strerror(errno));
    return fd;
}

// Receives datagrams until it is stopped; then prints how many came, and the milliseconds from
// the first to the last. An empty datagram is not counted but answered.
static void count_datagrams(void)
{
    static char datagram[65536];
    int udp = udp_socket(true), received = 0, stop_fd = net_stop_fd();
    int64_t first = 0, last = 0;
    net_ready(udp);
    for (;;) {
        struct pollfd polls[] = {{stop_fd, POLLIN, 0}, {udp, POLLIN, 0}};
        poll(polls, 2, -1);
        if (polls[0].revents)
            break;
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        if (recvfrom(udp, datagram, sizeof datagram, 0, (struct sockaddr *)&from, &length) ==
            0) {
            sendto(udp, "", 0, 0, (struct sockaddr *)&from, length);
            continue;
        }
        last = now_ns();
        if (received++ == 0)
            first = last;
    }
    printf("received %d in %.1f ms\n", received, (double)(last - first) / 1e6);
}

// Sends empty datagrams, 20 a second, until one is answered: all before them have arrived then.
static void send_until_heard(int udp)
{
    for (int i = 0; i < 20 * 60; i++) {
        struct pollfd answer = {udp, POLLIN, 0};
        send(udp, "", 0, 0);
        if (poll(&answer, 1, 50) > 0)
            return;
    }
    die("no answer within a minute");
}

// Sends `count` datagrams of `bytes` bytes, `pace_us` apart, and waits while they travel.
static void send_datagrams(void)
{
    static char datagram[65536];
    int udp = udp_socket(false);
    for (int i = 0; i < count; i++) {
        send(udp, datagram, (size_t)bytes, 0);
        if (pace_us)
            sleep_ms(pace_us / 1e3);
    }
    if (until_heard)
        send_until_heard(udp);
    else
        sleep_ms(wait_ms);
}

// Echoes TCP connections, one at a time.
static void echo_server(void)
{
    static char buffer[65536];
    int listener = net_listen(host, port, 16), stop_fd = net_stop_fd(), on = 1;
    net_ready(listener);
    for (;;) {
        struct pollfd polls[] = {{stop_fd, POLLIN, 0}, {listener, POLLIN, 0}};
        poll(polls, 2, -1);
        if (polls[0].revents)
            return;
        int fd = accept(listener, NULL, NULL);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
            if (!write_all(fd, buffer, (size_t)got))
                break;
        close(fd);
    }
}

// Prints the median of `count` one-byte round trips, `pace_us` apart.
static void ping_pong(void)
{
    static double times[PINGS_MAX];
    char byte = 'x';
    int fd = net_connect_or_die(host, port), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (count > PINGS_MAX)
        die("at most %d round trips", PINGS_MAX);
    for (int i = 0; i < count; i++) {
        int64_t start = now_ns();
        if (!write_all(fd, &byte, 1) || !read_exactly(fd, &byte, 1))
            die("the echo broke off");
        times[i] = (double)(now_ns() - start) / 1e6;
        if (pace_us)
            sleep_ms(pace_us / 1e3);
    }
    double median = median_of(times, (size_t)count);
    printf("median %.3f fastest %.3f\n", median, times[0]);
}

// Accepts one connection and throws away what comes.
static void sink_server(void)
{
    static char buffer[1 << 18];
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, 16);
    net_ready(listener);
    int fd = accept(listener, NULL, NULL);
    while (read(fd, buffer, sizeof buffer) > 0)
        ;
    close(fd);
    close(stop_fd); // until here a SIGTERM waits
}

// Sends `count` megabytes and prints how fast they were taken, end to end.
static void bulk(void)
{
    static char buffer[1 << 20];
    int fd = net_connect_or_die(host, port);
    int64_t start = now_ns();
    for (int i = 0; i < count; i++)
        if (!write_all(fd, buffer, sizeof buffer))
            die("cannot send: %s", strerror(errno));
    shutdown(fd, SHUT_WR);
    (void)!read(fd, buffer, 1); // the server has read the end of the stream
    double seconds = (double)(now_ns() - start) / 1e9;
    printf("%.2f Gbit/s, %d MB over TCP\n", count * 8.388608e-3 / seconds, count);
}

static void wait_for_signal(bool ready)
{
    int stop_fd = net_stop_fd();
    if (ready)
        net_ready(net_listen(host, port, 1));
    struct pollfd stop = {stop_fd, POLLIN, 0};
    poll(&stop, 1, -1);
}

// Tells a short story with a line of each kind: the tests look at its layout.
static void tell(void)
{
    static const struct claim good = {"0.1", "guide §1", "water is wet", HOLDS, NULL};
    static const struct claim bad = {"0.2", "guide §2", "water is dry", NOT_HERE,
                                     "Water is wet wherever it has been tried, and that is so "
                                     "often that this line needs a second one."};
    story_say("before");
    story_timeline();
    story_event("an \033[31mevent\033[0m");
    story_head("table|one|two");
    story_row("größe|%d|%d", 1, 2);
    story_bar("half", 1, 2, "%d of %d", 1, 2);
    claim_report(&good, HOLDS, "wet");
    claim_report(&bad, NOT_HERE, "wet again");
}

// Tells a story whose lines are all longer than a narrow terminal.
static void tell_at_length(void)
{
    static const struct claim claim = {
        "0.5", "design patterns",
        "a sentence of the notes that is quoted whole, because a "
        "part of it alone would not be fair to it at all",
        NOT_HERE, "A reason that needs more than a single line."};
    story_say(
        "A sentence that says what the next lines show, and that goes on for so long that "
        "a narrow terminal has no room for all of it in one line.");
    story_timeline();
    story_event("%s",
                "an event whose text is longer than the timeline is wide, since it has in it "
                "what a peer has sent, and nothing limits what a peer sends");
    story_head("a table of six columns|requests|bytes a request|the longest|the median|share");
    story_row("a first cell of twenty-nine c|%d|%d|%.2f ms|%.2f ms|%d %%", 1, 2, 3.0, 4.0, 5);
    story_row("a first cell that is longer than its column|%d|%d|%.2f ms|%.2f ms|%d %%", 1, 2,
              3.0, 4.0, 5);
    story_row("and one behind it|%d|200 skipped|%d|%d|%d", 1, 2, 3, 4);
    story_bar("a label of 25 characters.", 2, 2, "%d requests a second", 123456);
    claim_report(
        &claim, NOT_HERE,
        "%d of %d requests were answered within %d ms, which is far more than the half "
        "of them",
        99, 100, 5);
}

static void tell_wrongly(void)
{
    static const struct claim claim = {"0.3", "guide §3", "water burns", HOLDS, NULL};
    claim_report(&claim, UNCLEAR, "it does not");
}

static void tell_nothing(void)
{
    static const struct claim claim = {"0.4", "guide §4", "water flies", HOLDS, NULL};
    claim_skip(&claim);
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {{"tell", "a good story", tell},
                                          {"wrong", "a surprise", tell_wrongly},
                                          {"skip", "no wire", tell_nothing},
                                          {"long", "lines at full length", tell_at_length},
                                          {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address"},
        {"port", OPTION_INT, &port, 0, 65535, "port"},
        {"count", OPTION_INT, &count, 1, 1000000, "how many"},
        {"bytes", OPTION_INT, &bytes, 0, 65507, "how large"},
        {"wait", OPTION_INT, &wait_ms, 0, 60000, "ms to wait after the last of them"},
        {"until-heard", OPTION_FLAG, &until_heard, .help = "wait until all have arrived"},
        {"pace", OPTION_INT, &pace_us, 0, 1000000, "microseconds between them"},
        {0}};
    int first = options_parse(argc, argv,
                              &(struct command){"ROLE [TEXT]", "A test's other end.", options});
    const char *role = first < argc ? argv[first] : "";
    story_begin();
    if (!strcmp(role, "count-datagrams"))
        count_datagrams();
    else if (!strcmp(role, "send-datagrams"))
        send_datagrams();
    else if (!strcmp(role, "echo-server"))
        echo_server();
    else if (!strcmp(role, "ping-pong"))
        ping_pong();
    else if (!strcmp(role, "sink-server"))
        sink_server();
    else if (!strcmp(role, "bulk"))
        bulk();
    else if (!strcmp(role, "log") && first + 1 < argc)
        log_line("%s", argv[first + 1]);
    else if (!strcmp(role, "idle-server"))
        wait_for_signal(true);
    else if (!strcmp(role, "never-ready"))
        wait_for_signal(false);
    else if (!strcmp(role, "deaf-server")) {
        signal(SIGTERM, SIG_IGN);
        net_ready(net_listen(host, port, 1));
        for (;;)
            pause();
    } else
        return story_tell(scenes, *role ? role : NULL);
    return 0;
}
