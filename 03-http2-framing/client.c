// client.c: an HTTP/2 client: one connection, any number of GETs at once, from any server.
//
// Run:    ./client                       two requests at once, and every frame of them
//         ./client '/img/1?size=50000'   one answer, as curl would print it
// Watch:  the stream number in each frame: nothing else says to which request it belongs.
// Read:   main(), then take_frame(). What the client knows of its answers: parts/h2_receive.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "frame_names.h"
#include "h2_receive.h"
#include "net.h"
#include "options.h"
#include "output.h"

#define PATHS_MAX      100000
#define FIRST_REQUESTS 10 // at once, until the server's SETTINGS have said how many
#define BUFFER_BYTES   (FRAME_HEADER_BYTES + FRAME_SIZE_DEFAULT)

static const char *host = "127.0.0.1";
static int port = 8003, fd;
static const struct timeval wait = {75, 0}; // for the server's next byte: /slow may take 60
static bool show_frames;
static char **paths; // what is asked for
static uint32_t path_count, asked;
static bool answer_failed; // one of them at least: the program ends with status 1
static struct hpack_encoder encoder;
static struct h2_receiver receiver;
static struct response responses[PATHS_MAX]; // the answer to paths[i] is on stream 2 * i + 1

// Says what has become of a request: `why` it failed, or NULL.
static void report(const struct response *response, const char *why)
{
    const char *path = paths[response->stream / 2];
    unsigned long long bytes = response->content_bytes;
    output_flush();
    if (why) {
        fprintf(stderr, "client: GET %s from %s:%d: %s (%llu bytes of content had come)\n",
                path, host, port, why, bytes);
        answer_failed = true;
    } else if (path_count > 1 && !show_frames)
        printf("stream %u: %s: status %d, %llu bytes\n", response->stream, path,
               response->status, bytes);
}

// Ends the program. `why`: the reason why answers are missing; NULL: no answer is missing.
static _Noreturn void finish(const char *why)
{
    for (uint32_t i = 0; i < asked; i++)
        if (!responses[i].ended)
            report(&responses[i], why);
        else if (receiver.went_away && responses[i].stream > receiver.goaway_last)
            report(&responses[i], h2_why(&receiver, &responses[i]));
    if (receiver.went_away && (receiver.goaway_code || asked < path_count))
        fprintf(stderr, "client: GOAWAY %s: %s (requests that were not made: %u)\n",
                error_code_name(receiver.goaway_code), receiver.goaway_text,
                path_count - asked);
    output_flush();
    exit(why || asked < path_count || answer_failed);
}

static void show(const char *arrow, const struct frame *frame)
{
    char words[200];
    if (show_frames && frame->length <= FRAME_SIZE_DEFAULT)
        printf("%s %s\n", arrow, frame_describe(frame, words, sizeof words));
}

static void send_frames(const uint8_t *frames, const uint8_t *end)
{
    struct frame frame;
    if (!write_all(fd, frames, (size_t)(end - frames)) && errno != EPIPE && errno != ECONNRESET)
        finish(strerror(errno)); // after EPIPE or ECONNRESET go on: a GOAWAY may say why
    for (const uint8_t *at = frames; at < end; at += FRAME_HEADER_BYTES + frame.length) {
        frame_read_header(at, &frame);
        show("->", &frame);
    }
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
    h2_asked(&receiver, stream); // from now on an answer may come on this stream
    send_frames(frame, end);
}

// Each byte of DATA makes the server's windows smaller: WINDOW_UPDATE opens them again (§6.9).
static void give_back(uint32_t stream, uint32_t bytes)
{
    uint8_t frame[FRAME_HEADER_BYTES + 4];
    send_frames(frame, frame_put_window_update(frame, stream, bytes));
    h2_window_opened(&receiver, stream, bytes);
}

static void print_fields(const struct hpack_list *list)
{
    for (const struct hpack_field *f = list->fields; f < list->fields + list->count; f++) {
        printf("%.*s: ", (int)f->name_length, f->name);
        output_bytes(f->value, f->value_length);
        putchar('\n');
    }
    putchar('\n'); // an empty line before the content
}

static void take_frame(const struct frame *frame)
{
    uint8_t reply[FRAME_HEADER_BYTES + 8 + GOAWAY_DEBUG_MAX];
    bool print_answer = path_count == 1 && !show_frames;
    struct h2_news news;
    show("<-", frame);
    struct fault fault = h2_receive(&receiver, frame, &news);
    if (fault.scope == FAULT_CONNECTION) {
        send_frames(reply, frame_put_goaway(reply, 0, fault.code, fault.why));
        finish(fault.why);
    }
    if (fault.scope == FAULT_STREAM)
        send_frames(reply, frame_put_rst_stream(reply, frame->stream, fault.code));
    else if (news.list && print_answer)
        print_fields(news.list);
    else if (news.content && print_answer)
        output_bytes(news.content, news.content_length);
    if (frame->type == FRAME_DATA && frame->length) {
        give_back(0, frame->length);
        if (news.response && !news.response->ended)
            give_back(frame->stream, frame->length);
    }
    send_frames(reply, h2_reply(&receiver, &encoder, frame, reply)); // ACKs
    if (news.response && news.response->ended)
        report(news.response, h2_why(&receiver, news.response));
}

static void read_bytes(uint8_t *bytes, size_t length)
{
    if (read_exactly(fd, bytes, length))
        return;
    if (errno == 0)
        finish("the connection ended");
    finish(errno == EAGAIN ? "nothing has come for 75 seconds" : strerror(errno));
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "port of the server"},
        {"frames", OPTION_FLAG, &show_frames, .help = "print every frame, and no content"},
        {0}};
    static char *default_paths[] = {"/", "/img/1"};
    uint8_t buffer[BUFFER_BYTES];
    static const struct command about = {
        "[PATH...]", "Lesson 03: HTTP/2, GETs at once. Without PATH: / and /img/1.", options};
    int first = options_parse(argc, argv, &about);
    bool no_path = first == argc;
    show_frames = show_frames || no_path;
    paths = no_path ? default_paths : argv + first;
    path_count = no_path ? 2 : (uint32_t)(argc - first);
    if (path_count > PATHS_MAX)
        options_reject("%d paths are the most, not %u", PATHS_MAX, path_count);
    output_begin();
    fd = net_connect_or_die(host, port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    net_send_at_once(fd); // lesson 09: a small frame must not wait for the ACK of another
    hpack_encoder_begin(&encoder);
    h2_receiver_begin(&receiver, responses, path_count);
    receiver.streams_max = FIRST_REQUESTS;
    // The first bytes on a connection are the preface and the client's SETTINGS (§3.4).
    write_all(fd, PREFACE, PREFACE_BYTES);
    send_frames(buffer,
                frame_put_settings(buffer, &(struct setting){SETTINGS_ENABLE_PUSH, 0}, 1));
    while (receiver.open > 0 || (asked < path_count && !receiver.went_away)) {
        struct frame frame;
        while (asked < path_count && receiver.open < receiver.streams_max)
            send_request(paths[asked]);
        read_bytes(buffer, FRAME_HEADER_BYTES);
        if (!receiver.settings_came && !memcmp(buffer, "HTTP/1.", 7))
            finish("the server answers in HTTP/1");
        frame_read_header(buffer, &frame);
        if (frame.length <= FRAME_SIZE_DEFAULT) // if not, take_frame() refuses it
            read_bytes(buffer + FRAME_HEADER_BYTES, frame.length);
        take_frame(&frame);
    }
    send_frames(buffer, frame_put_goaway(buffer, 0, NO_ERROR, ""));
    finish(NULL);
}
