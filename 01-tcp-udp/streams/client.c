// client.c: fetches several things at once over one connection, and says which of them waited.
//
// Run:    ./client                                    six things of 30,000 bytes
//         ./client /bytes/500000 /bytes/20000         others
//         ./client --packets /bytes/3000              with each packet
//         ./client --move-after 100000 /bytes/300000  from another port in the middle
// Watch:  the last column. A gap is where bytes have come, and those before them have not: a
//         lost packet. Only the streams whose bytes were in that packet have to wait.
//
// Read main() and fetch() first. What one download is, is in parts/download.c; the socket is in
// parts/endpoint.c; all the rest is the same code as in the server.
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "download.h"
#include "endpoint.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "text.h"
#include "timers.h"

#define LEFT_FOR_PACKETS 24 // columns besides the packet's description

static const char *host = "127.0.0.1", *key;
static int port = 8201, window = 524288, move_after = 0;
static bool packets;
static struct endpoint endpoint;
static struct download list[STREAMS_MAX];

// One packet: "  12.3 ms ->  1200  FIRST 0  STREAM 0 [0, 12) end".
static void show_packet(struct endpoint *e, bool sent, const uint8_t *bytes, size_t length)
{
    static const char *const arrow[] = {"<-", "->"};
    char text[400];
    describe(bytes, length, text, sizeof text);
    shorten(text, text_width() - LEFT_FOR_PACKETS);
    printf("%8.1f ms %s %5zu  %s\n", ms_since(e->connection.began_ns), arrow[sent], length,
           text);
}

static void show_event(struct connection *c, const char *text)
{
    printf("%8.1f ms    %s\n", ms_since(c->began_ns), text);
}

static void fetch(const char *const paths[], int count)
{
    bool moved = move_after == 0;
    endpoint_open(&endpoint, host, port, key, (uint32_t)window, &download_user);
    if (packets)
        endpoint.saw = show_packet;
    downloads_begin(&endpoint.connection, list, paths, count);
    while (!downloads_over(list, count)) {
        if (!endpoint_step(&endpoint, NEVER))
            endpoint_die(&endpoint, host, port);
        if (!moved && downloads_bytes(list, count) >= (uint64_t)move_after) {
            moved = true;
            endpoint_move(&endpoint, NULL);
            show_event(&endpoint.connection, "the client goes on from another port");
        }
    }
}

static void show_download(const struct download *d)
{
    printf("%-24.40s", d->path);
    if (d->error == NOT_FOUND)
        printf("  there is nothing of this name\n");
    else if (d->error)
        printf("  given up by the server: error %llu\n", (unsigned long long)d->error);
    else
        printf(" %10llu %8.1f ms %8.1f ms %8.1f ms\n", (unsigned long long)d->bytes,
               ms_between(d->begin_ns, d->first_ns ? d->first_ns : d->last_ns),
               ms_between(d->begin_ns, d->last_ns), (double)d->stream->gap_ns / 1e6);
}

static void show_summary(void)
{
    const struct connection *c = &endpoint.connection;
    unsigned long long come = c->packets_in, all = c->largest + 1;
    printf("the server has numbered %llu packets; %llu have come, %llu twice\n", all, come,
           (unsigned long long)c->duplicates);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"/bytes/30000", "/bytes/30000", "/bytes/30000",
                                        "/bytes/30000", "/bytes/30000", "/bytes/30000"};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"packets", OPTION_FLAG, &packets, .help = "show each packet"},
        {"window", OPTION_INT, &window, STREAM_WINDOW, 1 << 24,
         "bytes of a stream that may wait for others before them"},
        {"move-after", OPTION_INT, &move_after, 0, RESOURCE_BYTES_MAX,
         "after so many bytes go on from another port; 0: never"},
        {"key", OPTION_TEXT, &key, .help = "the key that the server has"},
        {0}};
    int first =
        options_parse(argc, argv,
                      &(struct command){"[PATH...]",
                                        "Fetches /bytes/N and /ticks/COUNT/PERIOD/PHASE "
                                        "from ./server, all at once.",
                                        options});
    const char *const *paths = usual;
    int count = 6;
    if (first < argc) {
        paths = (const char *const *)argv + first;
        count = argc - first;
    }
    if (count > STREAMS_MAX)
        options_reject("a connection has at most %d streams", STREAMS_MAX);
    if (key && strlen(key) > KEY_MAX)
        options_reject("--key takes at most %d bytes", KEY_MAX);
    output_begin();
    text_begin();
    if (packets)
        download_user.told = show_event;
    fetch(paths, count);
    printf("%-24s %10s %11s %11s %11s\n", "path", "bytes", "first byte", "all", "in a gap");
    for (int i = 0; i < count; i++)
        show_download(&list[i]);
    show_summary();
    bool good = downloads_good(list, count);
    endpoint_close(&endpoint);
    if (!good)
        die("not all is there, or not all of it is right");
    output_flush();
    return 0;
}
