// client.c: sends 20 small requests, one after the other, and shows how long each one takes.
//
// Run:    ./client                     against ./server in another terminal
//         ./client --way nodelay       the same with TCP_NODELAY; or writev, or cork
// Watch:  a request takes 44 ms on one machine, although the server answers each one at once.
//         With any other --way a request takes less than a millisecond.
//
// Read main(), then send_request() in request.c: its four cases are the whole lesson.
#include <stdio.h>
#include <unistd.h>

#include "net.h"
#include "options.h"
#include "output.h"
#include "protocol.h"
#include "request.h"

#define MS_PER_COLUMN 4  // one tick of the kernel's clock, where HZ is 250
#define COLUMNS_MAX   60 // a longer bar is cut, and ends in an arrow

static void print_bar(int number, double took_ms)
{
    int columns = (int)(took_ms / MS_PER_COLUMN + 0.5);
    printf("%4d %8.2f ms ", number, took_ms);
    for (int i = 0; i < columns && i < COLUMNS_MAX; i++)
        fputs("█", stdout);
    if (columns > COLUMNS_MAX)
        fputs("▶", stdout);
    putchar('\n');
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *name = "nagle";
    static int port = 8009, count = 20, body_bytes = 100;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"way", OPTION_TEXT, &name, .help = "how to send: nagle, nodelay, writev or cork"},
        {"count", OPTION_INT, &count, 1, 1000, "how many requests"},
        {"body", OPTION_INT, &body_bytes, 1, BODY_MAX_BYTES, "bytes in the second write()"},
        {0}};
    char ours[NET_NAME], its[NET_NAME];
    double sum_ms = 0;
    options_parse(
        argc, argv,
        &(struct command){"", "Sends small requests and shows the time of each.", options});
    enum way way = (enum way)options_choice("way", name, way_name);
    output_begin();

    int fd = open_connection(host, port);
    printf("%d requests of %d + %d bytes, --way %s, %s -> %s\n", count, HEADER_BYTES,
           body_bytes, name, net_local_name(fd, ours), net_peer_name(fd, its));
    output_flush();
    for (int i = 1; i <= count; i++) {
        double took_ms = time_request(fd, way, (uint32_t)body_bytes, 0);
        sum_ms += took_ms;
        print_bar(i, took_ms);
        output_flush();
    }
    printf("mean %.2f ms, %.1f segments a request\n", sum_ms / count,
           (double)segments_sent(fd) / count);
    output_flush();
    close(fd);
    return 0;
}
