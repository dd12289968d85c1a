// client.c: both ends of the proxy at once. It sends a request over TLS, as a browser would. It
// is also the server behind the proxy (the upstream), and prints the request that arrives
// there.
//
// Run:    ./proxy              in one terminal, and in another one
//         ./client             or with fields of your own:
//         ./client "X_Forwarded_For: 6.6.6.6" "Connection: X-A" "X-A: 1"
// Watch:  which fields arrive, which do not, and which are new. The password is encrypted on
//         the first leg, and stands in plain text on the second one.
//
// Read main() from top to bottom. The rules about fields are in ../../common/forward.c.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "net.h"
#include "options.h"
#include "output.h"

#define HEAD_BYTES  30000
#define WAIT_MS     5000 // the client waits so long for the proxy to connect
#define FIELD_BYTES 700
#define ANSWER      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nKeep-Alive: timeout=5\r\n\r\nhello\n"

static const char *host = "127.0.0.1", *keys;
static int port = 8404, upstream_port = 8405;

// Writes a GET with the fields of the command line. Without them it takes some that a proxy
// must not pass on.
static void write_request(char request[ASK_BYTES], char *const *fields)
{
    static char *const usual[] = {"Cookie: password=swordfish", "X-Forwarded-For: 6.6.6.6",
                                  "Connection: X-Hop", "X-Hop: 1", NULL};
    char lines[FIELD_BYTES] = "";
    size_t length = 0;
    if (!*fields)
        fields = usual;
    for (; *fields; fields++) {
        int part = snprintf(lines + length, sizeof lines - length, "%s\r\n", *fields);
        length += (size_t)part;
        if (length >= sizeof lines)
            die("fields of more than %d bytes", FIELD_BYTES - 1);
    }
    snprintf(request, ASK_BYTES, "GET / HTTP/1.1\r\nHost: workbench.test\r\n%s\r\n", lines);
}

// Waits for the proxy's connection. A proxy with another upstream does not connect here.
static int accept_proxy(int listener)
{
    struct pollfd waits = {listener, POLLIN, 0};
    if (poll(&waits, 1, WAIT_MS) != 1)
        die("the proxy has not connected to port %d within %d s (./proxy --upstream "
            "127.0.0.1:%d)",
            upstream_port, WAIT_MS / 1000, upstream_port);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("cannot accept the proxy: %s", strerror(errno));
    return fd;
}

// Reads a request's head, up to its empty line.
static void read_head(int fd, char head[HEAD_BYTES])
{
    size_t length = 0;
    head[0] = '\0';
    while (!strstr(head, "\r\n\r\n")) {
        ssize_t got = read(fd, head + length, HEAD_BYTES - 1 - length);
        if (got <= 0)
            die("the proxy has sent %zu bytes, which are no whole head", length);
        length += (size_t)got;
        head[length] = '\0';
    }
}

static void print_part(const char *title, const char *bytes)
{
    printf("\n%s\n\n", title);
    output_bytes(bytes, strlen(bytes));
}

static void print_answer(const char *bytes, size_t length)
{
    output_bytes(bytes, length);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the proxy"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"upstream-port", OPTION_INT, &upstream_port, 1, 65535,
         "port to listen on, as the server behind the proxy"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    char request[ASK_BYTES], head[HEAD_BYTES];
    struct command command = {"[FIELD...]", "Both ends of the proxy: client and upstream.",
                              options};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    int first = options_parse(argc, argv, &command);
    output_begin();
    write_request(request, argv + first);

    // The client's end: TLS, to the proxy.
    ask_keys(keys);
    connect_to(host, port);
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    if (!c->up)
        die("no TLS with %s, port %d: %s", host, port, c->why);
    int listener = net_listen("127.0.0.1", upstream_port, 1);
    if (!connection_send(c, request, strlen(request)))
        die("cannot send the request: %s", c->why);
    print_part("The client sends, encrypted:", request);

    // The upstream's end: plain HTTP, from the proxy.
    int fd = accept_proxy(listener);
    read_head(fd, head);
    print_part("The server behind the proxy gets, in plain text:", head);
    if (!write_all(fd, ANSWER, strlen(ANSWER)))
        die("cannot answer the proxy: %s", strerror(errno));
    print_part("It answers:", ANSWER);

    printf("\nThe client gets:\n\n");
    struct reply reply = {.show = print_answer};
    if (!ask_read(c, &reply))
        die("no whole answer: %s", c->why);
    connection_close(c);
    close(fd);
    output_flush();
    return 0;
}
