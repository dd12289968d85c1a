// wscat.c: a WebSocket client for the terminal: what you type is sent, what comes is printed.
// It talks to any server, and shows what a client has to do that a server has not: ask, check
// the answer, and mask.
//
// Run:    ./wscat                        the chat of ./server; type, and end with ctrl-D
//         ./wscat --path /ws/echo --size 1000000      one message of so many bytes, and its
//         echo
// Watch:  --verbose: the frames as they come and go.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "handshake.h"
#include "net.h"
#include "options.h"
#include "websocket.h"

#define MESSAGE_MAX (16 << 20)
#define IN_BYTES    65536

static const char *host = "127.0.0.1", *path = "/ws";
static int port = 8005, size = -1;
static bool binary, verbose;

static int server;        // the connection
static char in[IN_BYTES]; // what has come and was not used yet
static size_t in_length;
static bool closing; // we have said goodbye

static void use(size_t length)
{
    in_length -= length;
    memmove(in, in + length, in_length);
}

static bool read_some(void)
{
    ssize_t got = read(server, in + in_length, IN_BYTES - in_length);
    in_length += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void random_bytes(void *to, size_t length)
{
    if (getrandom(to, length, 0) != (ssize_t)length)
        die("the kernel has no random bits");
}

// Every frame gets a new mask, which nobody can foresee (RFC 6455 §5.3).
static void send_frame(enum ws_opcode opcode, const char *bytes, size_t length)
{
    uint8_t mask[4];
    char header[WS_HEADER_BYTES], *masked = malloc(length + 1);
    if (!masked)
        die("no memory for %zu bytes", length);
    random_bytes(mask, sizeof mask);
    size_t header_length = websocket_put_header(header, opcode, true, length, mask);
    websocket_mask(masked, bytes, length, mask, 0);
    if (verbose)
        fprintf(stderr, "> opcode %d, %zu bytes\n", opcode, length);
    if (!write_all(server, header, header_length) || !write_all(server, masked, length))
        die("the server takes nothing any more");
    free(masked);
}

static void say_goodbye(int code)
{
    char bytes[2] = {(char)(code >> 8), (char)code};
    if (!closing)
        send_frame(WS_CLOSE, bytes, code == WS_NO_CODE ? 0 : 2);
    closing = true;
}

static void shake_hands(void)
{
    static struct http_head head;
    uint8_t random[HANDSHAKE_KEY_BYTES];
    char key[HANDSHAKE_KEY], host_port[300], request[1000];
    struct http_out out = {request, sizeof request, 0, false};
    int result;
    random_bytes(random, sizeof random);
    base64(random, sizeof random, key);
    snprintf(host_port, sizeof host_port, "%s:%d", host, port);
    handshake_put_request(&out, host_port, path, key);
    if (out.overflow || !write_all(server, request, out.length))
        die("the request could not be sent");
    while ((result = http_read_response(in, in_length, &head)) == 0)
        if (!read_some())
            die("the server closes without an answer");
    if (result < 0)
        die("this is no HTTP");
    if (!handshake_is_accepted(&head, key))
        die("the server says %d %s", head.status, http_reason(head.status));
    use(head.length);
}

// Deals with what has come. Returns false when it was the server's goodbye.
static bool take(struct websocket *ws, const char *sent)
{
    struct ws_message got;
    ssize_t used;
    while ((used = websocket_read(ws, in, in_length, &got)) > 0) {
        if (verbose && got.opcode >= 0)
            fprintf(stderr, "< opcode %d, %zu bytes\n", got.opcode, got.length);
        if (got.opcode == WS_PING)
            send_frame(WS_PONG, got.bytes, got.length);
        if (got.opcode == WS_CLOSE) {
            printf("closed: %d %.*s\n", got.code, (int)got.length, got.bytes);
            say_goodbye(got.code);
            return false;
        }
        bool message = got.opcode == WS_TEXT || got.opcode == WS_BINARY;
        if (message && !sent)
            printf("%.*s\n", (int)got.length, got.length ? got.bytes : "");
        if (message && sent) {
            bool same = got.length == (size_t)size &&
                        (!got.length || !memcmp(got.bytes, sent, got.length));
            printf("an echo of %zu bytes, %s\n", got.length, same ? "the same" : "DIFFERENT");
            say_goodbye(WS_NORMAL);
        }
        use((size_t)used);
    }
    if (used < 0) {
        fprintf(stderr, "wscat: the server breaks the protocol: %zd\n", -used);
        say_goodbye((int)-used);
    }
    return used == 0;
}

// What is typed, a message a line.
static bool take_line(void)
{
    static char *line;
    static size_t room;
    ssize_t length = getline(&line, &room, stdin);
    if (length > 0)
        send_frame(binary ? WS_BINARY : WS_TEXT, line,
                   (size_t)length - (line[length - 1] == '\n'));
    else
        say_goodbye(WS_NORMAL);
    return length > 0;
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"path", OPTION_TEXT, &path, .help = "what to ask for"},
        {"size", OPTION_INT, &size, -1, MESSAGE_MAX, "send one message of so many bytes"},
        {"binary", OPTION_FLAG, &binary, .help = "send binary messages"},
        {"verbose", OPTION_FLAG, &verbose, .help = "show the frames"},
        {0}};
    struct websocket ws;
    char *sent = NULL;
    bool typing = true;
    options_parse(argc, argv, &(struct command){"", "Lesson 05: a WebSocket client.", options});
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0); // so that poll() knows all that is there
    server = net_connect_or_die(host, port);
    shake_hands();
    websocket_begin(&ws, false, MESSAGE_MAX);
    if (size >= 0) {
        typing = false;
        sent = malloc((size_t)size + 1);
        for (int i = 0; sent && i < size; i++)
            sent[i] = (char)('a' + i % 26);
        send_frame(binary ? WS_BINARY : WS_TEXT, sent, (size_t)size);
    }
    while (take(&ws, sent)) {
        struct pollfd ready[] = {{server, POLLIN, 0}, {typing ? STDIN_FILENO : -1, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0)
            die("cannot wait for news");
        if (ready[1].revents)
            typing = take_line();
        if (ready[0].revents && !read_some()) {
            printf("closed without a word\n");
            break;
        }
    }
    websocket_end(&ws);
    free(sent);
    close(server);
    return 0;
}
