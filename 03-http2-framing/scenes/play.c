// client.c: what HTTP/2 looks like, and what it is good for.
//
// Run:    ./client             against ./server in another terminal, or, with packets to lose:
//         make run             or one scene: make run SCENE=hundred ARGS="--rtt 200"
//         ./client --get /img/1?size=50000 --verbose     every frame of one request
//         ./client --port 8080 --get /    from another server: nghttpd --no-tls 8080
// Watch:  the stream in each frame: that is the whole trick.
//
// talk.c is the client's end of the protocol, show.c prints frames; the other scenes are in the
// files that scenes.h names.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "claim.h"
#include "get.h"
#include "net.h"
#include "options.h"
#include "scenes.h"
#include "show.h"
#include "story.h"
#include "talk.h"

#define RESERVED_BIT  0x80000000u
#define PAYLOAD_LINES 1
#define ASKED         3

static struct talk talk; // too large for the stack

// ---- frames --------------------------------------------------------------------------------

static struct {
    uint32_t frames[2]; // from the server, to it
    uint64_t bytes[2];
} seen;

static void see_frame(struct talk *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (seen.frames[0] + seen.frames[1] == 0)
        show_beginning();
    seen.frames[to_server]++;
    seen.bytes[to_server] += FRAME_HEADER_BYTES + frame->length;
    show_frame(to_server, frame, PAYLOAD_LINES);
}

static void see_fields(struct talk *t, bool to_server, const struct hpack_field *fields,
                       size_t count)
{
    (void)t;
    (void)to_server;
    for (size_t i = 0; i < count; i++)
        show_field(&fields[i]);
}

// What the kernel says how many bytes have come on the connection.
static uint64_t bytes_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info.tcpi_bytes_received;
}

static const struct claim layout = {
    "3.1", "ch. 18.2", "a frame begins with length 24, type 8, flags 8, stream id 32", HOLDS,
    NULL};

static void scene_frames(void)
{
    static const struct talk_listener listener = {see_frame, see_fields, NULL};
    story_say("All that is said on a connection, in the order in which we send and read it.");
    story_say("");
    talk_open(&talk, 0, &listener);
    uint32_t first = talk_get(&talk, "/");
    talk_await(&talk, first);
    story_say("");
    story_say("Now with the highest bit of the stream's number set: that one is reserved.");
    talk.next_stream |= RESERVED_BIT;
    uint32_t second = talk_get(&talk, "/");
    talk_await(&talk, second);
    talk_ping(&talk); // now all is here that the server has to say
    uint64_t received = bytes_received(talk.fd);
    bool all_frames = seen.bytes[0] == received && seen.frames[0] > 0;
    bool ignored = second == 3 && talk_reply(&talk, second)->status == 200;
    talk_close(&talk);
    claim_report(&layout, all_frames && ignored ? HOLDS : UNCLEAR,
                 "%u frames, and 9 + length bytes each make up all %llu bytes that came; of "
                 "the 32 bits one is reserved: set in a request on stream 3, the answer is %d "
                 "on stream 3",
                 seen.frames[0], (unsigned long long)received,
                 talk_reply(&talk, second)->status);
}

// ---- ids -----------------------------------------------------------------------------------

static struct {
    uint32_t streams[ASKED + 1]; // of the HEADERS that came
    int count, even;
} answers;

static void see_answer(struct talk *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (to_server || frame->type != FRAME_HEADERS)
        return;
    if (answers.count <= ASKED)
        answers.streams[answers.count++] = frame->stream;
    answers.even += frame->stream % 2 == 0;
}

// Asks on `first` and then, if it is not zero, on `second`. True if the connection ends with
// the error.
static bool is_refused(const char *name, uint32_t first, uint32_t second, enum error_code code)
{
    talk_open(&talk, 0, NULL);
    talk.next_stream = first;
    talk_get(&talk, "/");
    if (second) {
        talk_await(&talk, first);
        talk.next_stream = second;
        talk_get(&talk, "/");
    }
    talk_await_all(&talk);
    if (talk.went_away)
        talk_await_end(&talk);
    if (talk.went_away)
        story_row("%s|GOAWAY %s: %s", name, error_code_name(talk.goaway_code), talk.why);
    else
        story_row("%s|answered with status %d", name,
                  talk_reply(&talk, second ? second : first)->status);
    bool refused = talk.went_away && talk.goaway_code == code && talk.closed;
    talk_close(&talk);
    return refused;
}

static const struct claim even_responses = {
    "3.2", "guide §3.2", "stream ids: odd for requests, even for server responses", NOT_HERE,
    "A response comes on the stream of its request. Even numbers are for streams that a server "
    "opens: for pushes (RFC 9113 §5.1.1)."};

static const struct claim one_two_three = {
    "3.3", "ch. 18.2", "three requests are streams 1, 2 and 3", NOT_HERE,
    "A client's streams are odd, and each is higher than the last: 1, 3, 5 (RFC 9113 §5.1.1)."};

static void scene_ids(void)
{
    static const struct talk_listener listener = {.frame = see_answer};
    uint32_t streams[ASKED];
    int right = 0;
    talk_open(&talk, 0, &listener);
    for (int i = 0; i < ASKED; i++) {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, 100 * (i + 1));
        streams[i] = talk_get(&talk, path);
    }
    talk_await_all(&talk);
    story_say("Three requests at once. Each image has its own size.");
    story_head("request|on stream|answer on|content");
    for (int i = 0; i < ASKED; i++) {
        const struct reply *reply = talk_reply(&talk, streams[i]);
        right += answers.streams[i] == streams[i] && reply->status == 200 &&
                 reply->content_bytes == 100u * (unsigned)(i + 1);
        story_row("GET /img/%d?size=%d|%u|%u|%llu bytes", i + 1, 100 * (i + 1), streams[i],
                  answers.streams[i], (unsigned long long)reply->content_bytes);
    }
    talk_close(&talk);
    story_head("a request on stream|what the server says");
    bool even = is_refused("2: even", 2, 0, PROTOCOL_ERROR);
    bool lower = is_refused("5, then 3: lower", 5, 3, PROTOCOL_ERROR);
    bool again = is_refused("1, then 1: closed", 1, 1, STREAM_CLOSED);
    claim_report(&even_responses,
                 right == ASKED && answers.count == ASKED ? NOT_HERE
                 : answers.even                           ? HOLDS
                                                          : UNCLEAR,
                 "%d answers, on the streams %u, %u and %u of their requests; %d on even ones",
                 answers.count, answers.streams[0], answers.streams[1], answers.streams[2],
                 answers.even);
    claim_report(&one_two_three,
                 even && lower && again ? NOT_HERE
                 : even                 ? UNCLEAR
                                        : HOLDS,
                 "a request on stream 2 is the end of the connection; so is 3 after 5");
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *path;
    static int port = 8003, times = 1, image_bytes = 2000;
    static bool verbose;
    static const struct scene scenes[] = {
        {"frames", "a whole conversation, frame by frame", scene_frames},
        {"ids", "which stream", scene_ids},
        {"interleave", "whose turn it is", scene_interleave},
        {"hundred", "a hundred images on a slow link", scene_hundred},
        {"blocking", "a packet is lost: who waits?", scene_blocking},
        {"hpack", "headers that have been said before", scene_hpack},
        {"windows", "how much a client wants", scene_windows},
        {"push", "pushes and priorities: what became of them", scene_push},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"size", OPTION_INT, &image_bytes, 1, 1000000, "bytes of an image in scene hundred"},
        {"get", OPTION_TEXT, &path, .help = "no scene: GET this path, from any server"},
        {"times", OPTION_INT, &times, 1, 100000, "with --get: ask so many times at once"},
        {"verbose", OPTION_FLAG, &verbose, .help = "with --get: print every frame instead"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 03: HTTP/2. Without SCENE all of them: frames, ids, "
                          "interleave, hundred,\nblocking, hpack, windows, push.",
                          options});
    talk_with(host, port);
    hundred_of(image_bytes);
    story_begin();
    return path ? get(path, times, verbose) : story_tell(scenes, argv[first]);
}
