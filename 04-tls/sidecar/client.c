// client.c: what an app does when it asks another service: it sends plain HTTP to its sidecar
// on this machine, and names the service in the Host field.
//
// Run:    ./app and ./sidecar in two other terminals, then
//         ./client                             what the app at the other end gets
//         ./client --count 5 stock/?ms=100     another service, five times
//         ./client --http10 hello/             with the oldest protocol that there is
// Watch:  what is added on the way. This program has sent none of it, and the app there has
//         asked for none of it.
//
// Read main() from top to bottom.
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "measure.h"
#include "options.h"
#include "output.h"

#define REQUEST_BYTES 4000

static const char *host = "127.0.0.1", *post = "";
static int port = 8104, count = 1;
static bool http10, only_status;

// Writes the request for SERVICE/PATH.
static void write_request(char request[REQUEST_BYTES], const char *what)
{
    int minor = 1, service = (int)strcspn(what, "/");
    const char *path = what + service, *method = "GET";
    char length[60] = "";
    if (!*path)
        path = "/";
    if (*post) {
        method = "POST";
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(post));
    }
    if (http10)
        minor = 0;
    int written = snprintf(request, REQUEST_BYTES, "%s %s HTTP/1.%d\r\nHost: %.*s\r\n%s\r\n%s",
                           method, path, minor, service, what, length, post);
    if (written >= REQUEST_BYTES)
        die("a request of more than %d bytes", REQUEST_BYTES - 1);
}

static void print_bytes(const char *title, const char *bytes, size_t length)
{
    printf("%s\n\n", title);
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)(end - at);
        if (line_end)
            line = (size_t)(line_end - at) + 1;
        printf("    ");
        output_bytes(at, line);
        at += line;
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the sidecar"},
        {"port", OPTION_INT, &port, 1, 65535, "its port for the app"},
        {"count", OPTION_INT, &count, 1, 1000000, "how often it asks"},
        {"post", OPTION_TEXT, &post, .help = "TEXT to send: POST in place of GET"},
        {"http10", OPTION_FLAG, &http10, .help = "HTTP/1.0: a connection for each request"},
        {"status", OPTION_FLAG, &only_status, .help = "prints only the status of each answer"},
        {0}};
    static struct fetch f;
    char request[REQUEST_BYTES], why[FETCH_WHY_BYTES];
    struct sockaddr_storage sidecar;
    struct command command = {"[SERVICE/PATH]", "Asks a service, through the sidecar.",
                              options};
    int first = options_parse(argc, argv, &command);
    const char *what = "hello/headers";
    if (argv[first])
        what = argv[first];
    output_begin();
    write_request(request, what);
    net_address(host, port, SOCK_STREAM, &sidecar);
    f.fd = -1;
    for (int i = 0; i < count; i++) {
        bool first_time = i == 0 && !only_status;
        int64_t began_ns = now_ns();
        if (f.fd < 0 && fetch_open(&f, &sidecar, 0) != FETCH_OK)
            die("cannot connect to %s:%d: the sidecar is not there (is the server running?)",
                host, port);
        if (first_time)
            print_bytes("The app sends to its sidecar, in plain text:", request,
                        strlen(request));
        enum fetch_result result = fetch_send_bytes(&f, request, strlen(request));
        if (result == FETCH_OK)
            result = fetch_answer(&f);
        if (result != FETCH_OK)
            die("no answer of %s: %s", what, fetch_why(&f, result, why));
        if (first_time && f.head.status == 200)
            print_bytes("The other app has got it like this, and says so:", f.content.at,
                        f.content.length);
        else if (only_status)
            printf("%d\n", f.head.status);
        else
            printf("%d %.*s", f.head.status, (int)f.content.length, f.content.at);
        if (first_time)
            printf("That took %.2f ms.\n", ms_since(began_ns));
        if (!f.head.keep_alive)
            fetch_close(&f);
        output_flush();
    }
    fetch_close(&f);
    return 0;
}
