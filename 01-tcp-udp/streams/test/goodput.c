// goodput.c: one download, over UDP or over TCP: prints how fast it was, in Mbit/s. For
// bench.sh.
#include <stdio.h>

#include "measure.h"
#include "net.h"
#include "options.h"
#include "stage.h"

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8201, bytes = 1000000;
    static bool tcp;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"bytes", OPTION_INT, &bytes, 1, RESOURCE_BYTES_MAX, "to download"},
        {"tcp", OPTION_FLAG, &tcp, .help = "over TCP"},
        {0}};
    static struct endpoint endpoint;
    static struct tcp_client client;
    static struct download one;
    char path[40];
    const char *const paths[] = {path};
    options_parse(argc, argv, &(struct command){"", "Measures one download.", options});
    snprintf(path, sizeof path, "/bytes/%d", bytes);
    stage_server(host, port);
    int64_t since = now_ns();
    if (tcp) {
        tcp_open(&client, host, port, &one, paths, 1);
        tcp_run(&client, UINT64_MAX, 60000);
    } else {
        stage_open(&endpoint, &one, paths, 1);
        stage_run(&endpoint, &one, 1, UINT64_MAX, 60000);
    }
    if (!downloads_good(&one, 1))
        die("the download does not come to its end");
    printf("%.3f\n", bytes * 8.0 / 1000 / ms_since(since));
    return 0;
}
