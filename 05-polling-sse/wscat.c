// wscat.c: a WebSocket client for the terminal. Each line that the user types becomes a message
// to the server; each message of the server becomes a line. It works with any WebSocket server.
//
// Run:    ./wscat                        the chat of ./server; type, and end with ctrl-D
//         ./wscat --path /ws/echo --size 1000000
//                                        one message of 1,000,000 bytes, and its echo
// Watch:  the frames as they come and go, with --verbose.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "output.h"
#include "websocket_client.h"

#define MESSAGE_MAX (16 << 20)
#define CLOSE_MS    5000 // for which the client waits until the server answers its close frame

static const char *host = "127.0.0.1", *path = "/ws";
static int port = 8005, size = -1;
static bool binary, verbose;
static enum ws_opcode kind = WS_TEXT; // of the messages that are sent

static struct fetch f;     // the connection
static char *sent;         // the message of --size
static int64_t closing_ns; // when the client has sent its close frame; 0: not yet
static bool done;          // the server has closed the WebSocket
static bool as_wanted;     // the echo, if there was one, was the same

static void send_frame(enum ws_opcode opcode, const char *bytes, size_t length)
{
    if (verbose)
        fprintf(stderr, "> opcode %d, %zu bytes\n", opcode, length);
    fetch_or_die(&f, websocket_send(&f, opcode, bytes, length));
}

static void send_close(int code)
{
    if (closing_ns)
        return;
    if (verbose)
        fprintf(stderr, "> opcode %d, code %d\n", WS_CLOSE, code);
    fetch_or_die(&f, websocket_send_close(&f, code));
    closing_ns = now_ns();
}

static void take_message(const struct ws_message *got)
{
    bool same =
        got->length == (size_t)size && (!size || !memcmp(got->bytes, sent, got->length));
    if (!sent) {
        output_bytes(got->bytes, got->length);
        printf("\n");
    } else {
        const char *verdict = "DIFFERENT";
        if (same)
            verdict = "the same";
        printf("an echo of %zu bytes, %s\n", got->length, verdict);
        as_wanted = same;
        send_close(WS_NORMAL);
    }
    output_flush();
}

static void take(const struct ws_message *got)
{
    if (verbose && got->opcode >= 0)
        fprintf(stderr, "< opcode %d, %zu bytes\n", got->opcode, got->length);
    switch (got->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        take_message(got);
        break;
    case WS_PING:
        send_frame(WS_PONG, got->bytes, got->length);
        break;
    case WS_CLOSE:
        printf("closed: %d ", got->code);
        output_bytes(got->bytes, got->length);
        printf("\n");
        send_close(got->code);
        done = true;
        break;
    default:
        break;
    }
}

// Takes all messages that are here.
static void take_all(struct websocket *ws)
{
    struct ws_message got;
    ssize_t used = 1;
    while (used > 0 && !done) {
        used = websocket_read(ws, f.rest.at, f.rest.length, &got);
        if (used <= 0)
            break;
        fetch_use(&f, (size_t)used);
        take(&got);
    }
    if (used < 0) {
        send_close((int)-used);
        die("%s: the server breaks the protocol: closed with code %d", f.about, (int)-used);
    }
}

// Sends the next line of the input as a message. At the end of the input it sends a close
// frame, and returns false.
static bool take_line(void)
{
    static char *line;
    static size_t room;
    ssize_t length = getline(&line, &room, stdin);
    if (length < 0) {
        send_close(WS_NORMAL);
        return false;
    }
    if (line[length - 1] == '\n')
        length--;
    send_frame(kind, line, (size_t)length);
    return true;
}

static void send_size(void)
{
    sent = malloc((size_t)size + 1);
    if (!sent)
        die("no memory for %d bytes", size);
    for (int i = 0; i < size; i++)
        sent[i] = (char)('a' + i % 26);
    send_frame(kind, sent, (size_t)size);
}

// Waits for bytes of the server and, while `typing`, for a line of the user. Returns whether
// the user may still type.
static bool wait_for_both(bool typing)
{
    struct pollfd ready[] = {{f.fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    int64_t left_ms = -1; // no limit
    if (!typing)
        ready[1].fd = -1; // poll() passes over it
    if (closing_ns) {
        left_ms = CLOSE_MS - (now_ns() - closing_ns) / 1000000;
        if (left_ms <= 0)
            die("%s: the server does not answer the close frame", f.about);
    }
    if (poll(ready, 2, (int)left_ms) < 0)
        die("cannot wait for bytes");
    if (ready[0].revents) {
        enum fetch_result result = fetch_read(&f);
        if (result == FETCH_CLOSED)
            die("%s: the server closed the connection without a close frame", f.about);
        fetch_or_die(&f, result);
    }
    if (ready[1].revents)
        return take_line();
    return typing;
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"path", OPTION_TEXT, &path, .help = "what to ask for"},
        {"size", OPTION_INT, &size, 0, MESSAGE_MAX,
         "of one message, in bytes; without it: each line is a message"},
        {"binary", OPTION_FLAG, &binary, .help = "send binary messages"},
        {"verbose", OPTION_FLAG, &verbose, .help = "show the frames"},
        {0}};
    struct sockaddr_storage server;
    struct websocket ws;
    char authority[HTTP_HOST_BYTES], why[ANSWER_WHY];
    options_parse(argc, argv, &(struct command){"", "Lesson 05: a WebSocket client.", options});
    output_begin();
    setvbuf(stdin, NULL, _IONBF, 0); // so that poll() knows all that is there
    net_address(host, port, SOCK_STREAM, &server);
    fetch_or_die(&f, fetch_open(&f, &server, 0));
    http_authority(host, port, 80, authority);
    if (websocket_open(&f, authority, path, why) != FETCH_OK)
        die("GET %s: %s", path, why);
    websocket_begin(&ws, false, MESSAGE_MAX);
    if (binary)
        kind = WS_BINARY;
    as_wanted = true;
    bool typing = size < 0;
    if (!typing)
        send_size();
    take_all(&ws); // what came with the answer
    while (!done) {
        typing = wait_for_both(typing);
        take_all(&ws);
    }
    output_flush();
    websocket_end(&ws);
    free(sent);
    fetch_close(&f);
    return !as_wanted;
}
