// client.c: an HTTP/2 client: one connection, any number of GETs at once.
//
// Run:    ./client                            two requests at once, and every frame of them
//         ./client '/img/1?size=50000'        one answer, as curl would print it
//         ./client --frames /slow?ms=500 /    the frames of others; --host and --port of any
//         server
// Watch:  the stream number in each frame: nothing else says which request an answer belongs
// to.
//
// Read main() from top to bottom, then take_frame(). Frames are made in frame.c and header
// blocks in hpack.c; what a server may not say is in h2_receive.c.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "frame_names.h"
#include "h2_receive.h"
#include "net.h"
#include "options.h"
#include "text.h"

#define WAIT_S       75 // for the next byte of the server: /slow may take 60
#define BUFFER_BYTES (FRAME_HEADER_BYTES + FRAME_SIZE_DEFAULT)

static const char *host = "127.0.0.1";
static int port = 8003;
static bool show_frames;

static char **paths;
static uint32_t path_count, asked;
static int fd, status;
static struct hpack_encoder encoder;
static struct h2_receiver receiver;
static struct response *responses; // the one to paths[i] is on stream 2 * i + 1

// Prints bytes of the server. On a terminal they must not be commands to it.
static void print_bytes(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool control = (bytes[i] < ' ' && bytes[i] != '\n') || bytes[i] == 127;
        putchar(control && isatty(STDOUT_FILENO) ? '.' : bytes[i]);
    }
}

// Says what has become of a request that has ended, or whose connection has.
static void report(const struct response *response, const char *why)
{
    const char *path = paths[response->stream / 2];
    unsigned long long bytes = response->content_bytes;
    if (response->why)
        why = response->why;
    else if (response->reset && receiver.went_away && response->stream > receiver.goaway_last)
        why = "the server goes away and has not looked at it";
    else if (response->reset)
        why = error_code_name(response->error);
    fflush(stdout);
    if (why)
        fprintf(stderr,
                "client: GET %s from %s:%d failed: %s (%llu bytes of content had come)\n", path,
                host, port, why, bytes);
    else if (path_count > 1 && !show_frames)
        printf("stream %u: %s: status %d, %llu bytes\n", response->stream, path,
               response->status, bytes);
    status |= why != NULL;
}

// The end of the connection: no answer that is missing will come.
static void give_up(const char *why)
{
    if (receiver.went_away && receiver.goaway_code)
        fprintf(stderr, "client: the server says GOAWAY %s: %s\n",
                error_code_name(receiver.goaway_code), receiver.goaway_text);
    for (uint32_t i = 0; i < asked; i++)
        if (!responses[i].ended)
            report(&responses[i], why);
    if (asked < path_count)
        fprintf(stderr, "client: %u requests were not made\n", path_count - asked);
    fflush(stdout);
    exit(1);
}

static void send_frames(const uint8_t *frames, const uint8_t *end)
{
    struct frame frame;
    char words[200];
    for (const uint8_t *at = frames; at < end; at += FRAME_HEADER_BYTES + frame.length) {
        frame_read_header(at, &frame);
        if (show_frames)
            printf("-> %s\n", frame_describe(&frame, words, sizeof words));
    }
    // What the server said before it closed may still be there to read: then that says why.
    if (!write_all(fd, frames, (size_t)(end - frames)) && errno != EPIPE && errno != ECONNRESET)
        give_up(strerror(errno));
}

// One request is one HEADERS frame on a stream of its own: 1, 3, 5, ... (RFC 9113 §5.1.1).
static void send_request(const char *path)
{
    uint8_t frame[BUFFER_BYTES], *block = frame + FRAME_HEADER_BYTES;
    char authority[300];
    uint32_t stream = 2 * asked++ + 1;
    snprintf(authority, sizeof authority, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
    struct hpack_field fields[] = {
        hpack_field(":method", "GET"), hpack_field(":scheme", "http"),
        hpack_field(":authority", authority), hpack_field(":path", path)};
    if (hpack_bound(fields, 4) > FRAME_SIZE_DEFAULT)
        die("GET %.40s...: the path is too long for one frame", path);
    uint8_t *end = hpack_encode(&encoder, block, fields, 4);
    frame_put_header(frame, (uint32_t)(end - block), FRAME_HEADERS,
                     FLAG_END_HEADERS | FLAG_END_STREAM, stream);
    h2_asked(&receiver, stream);
    send_frames(frame, end);
}

// A server may send no more than the windows allow: what came is given back (§6.9).
static void give_back(uint32_t stream, uint32_t bytes)
{
    uint8_t frame[FRAME_HEADER_BYTES + 4];
    send_frames(frame, frame_put_window_update(frame, stream, bytes));
    h2_window_opened(&receiver, stream, bytes);
}

static void print_fields(const struct hpack_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct hpack_field *field = &list->fields[i];
        print_bytes(field->name, field->name_length);
        fputs(": ", stdout);
        print_bytes(field->value, field->value_length);
        putchar('\n');
    }
    putchar('\n'); // an empty line before the content
}

static void take_frame(const struct frame *frame)
{
    uint8_t reply[FRAME_HEADER_BYTES + 8 + GOAWAY_DEBUG_MAX];
    bool alone = path_count == 1 && !show_frames, ack = frame->flags & FLAG_ACK;
    struct h2_news news;
    struct fault fault = h2_receive(&receiver, frame, &news);
    if (fault.scope == FAULT_CONNECTION) {
        send_frames(reply, frame_put_goaway(reply, 0, fault.code, fault.why));
        give_up(fault.why);
    }
    if (fault.scope == FAULT_STREAM)
        send_frames(reply, frame_put_rst_stream(reply, frame->stream, fault.code));
    else if (news.list && alone)
        print_fields(news.list);
    else if (news.content && alone)
        print_bytes((const char *)news.content, news.content_length);
    if (frame->type == FRAME_SETTINGS && !ack) {
        hpack_encoder_limit(&encoder, (uint32_t)receiver.header_table);
        send_frames(reply, frame_put_settings_ack(reply));
    } else if (frame->type == FRAME_PING && !ack) {
        send_frames(reply, frame_put_ping(reply, FLAG_ACK, frame->payload));
    } else if (frame->type == FRAME_DATA && frame->length) {
        give_back(0, frame->length);
        if (news.response && !news.response->ended)
            give_back(frame->stream, frame->length);
    }
    if (news.response && news.response->ended)
        report(news.response, NULL);
}

static void read_bytes(uint8_t *bytes, size_t length)
{
    if (read_exactly(fd, bytes, length))
        return;
    if (errno == EAGAIN)
        give_up("nothing has come for 75 seconds");
    give_up(errno ? strerror(errno) : "the connection ended");
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"frames", OPTION_FLAG, &show_frames, .help = "print every frame, and no content"},
        {0}};
    static char *both[] = {"/", "/img/1"};
    static const struct setting no_push = {SETTINGS_ENABLE_PUSH, 0};
    struct timeval wait = {.tv_sec = WAIT_S};
    uint8_t buffer[BUFFER_BYTES];
    char words[200];
    int first = options_parse(
        argc, argv,
        &(struct command){"PATH...",
                          "Lesson 03: GETs over HTTP/2, all at once.\nWithout PATH: /"
                          " and /img/1, with --frames.",
                          options});
    path_count = first < argc ? (uint32_t)(argc - first) : 2;
    paths = first < argc ? argv + first : both;
    show_frames |= first == argc;
    responses = calloc(path_count, sizeof *responses);
    if (!responses)
        die("no memory for %u requests", path_count);

    signal(SIGPIPE, SIG_IGN);
    fd = net_connect_or_die(host, port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    hpack_encoder_begin(&encoder);
    h2_receiver_begin(&receiver, responses, path_count);
    // The first bytes on a connection are the preface and our SETTINGS (§3.4).
    write_all(fd, PREFACE, PREFACE_BYTES);
    send_frames(buffer, frame_put_settings(buffer, &no_push, 1));
    while (receiver.open > 0 || asked < path_count) {
        while (asked < path_count && receiver.open < receiver.streams_max &&
               !receiver.went_away)
            send_request(paths[asked]);
        if (receiver.open == 0 && receiver.went_away)
            give_up(NULL);
        struct frame frame;
        read_bytes(buffer, FRAME_HEADER_BYTES);
        if (!receiver.settings_came && !memcmp(buffer, "HTTP/1.", 7))
            give_up("the server answers in HTTP/1");
        frame_read_header(buffer, &frame);
        if (frame_check_length(&frame, FRAME_SIZE_DEFAULT).scope)
            give_up(frame_check_length(&frame, FRAME_SIZE_DEFAULT).why);
        read_bytes(buffer + FRAME_HEADER_BYTES, frame.length);
        if (show_frames)
            printf("<- %s\n", frame_describe(&frame, words, sizeof words));
        take_frame(&frame);
    }
    send_frames(buffer, frame_put_goaway(buffer, 0, NO_ERROR, ""));
    close(fd);
    if (fflush(stdout) || ferror(stdout))
        die("cannot write the answer: %s", strerror(errno));
    return status;
}
