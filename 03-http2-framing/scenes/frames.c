// frames.c: scene frames: a whole conversation, frame by frame.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "claim.h"
#include "frame_dump.h"
#include "h2_client.h"
#include "scenes.h"
#include "story.h"

#define RESERVED_BIT  0x80000000u
#define PAYLOAD_LINES 1

static struct h2_client client; // too large for the stack

static struct {
    uint32_t frames[2]; // [0]: from the server; [1]: to the server
    uint64_t bytes[2];
    uint32_t settings_before; // SETTINGS from the server before the first request
    bool settings[2], asked;
} seen;

static void see_frame(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (seen.frames[0] + seen.frames[1] == 0)
        dump_beginning();
    if (frame->type == FRAME_HEADERS && to_server && !seen.asked) {
        seen.asked = true;
        seen.settings_before = seen.settings[0];
    }
    seen.settings[to_server] |= frame->type == FRAME_SETTINGS;
    seen.frames[to_server]++;
    seen.bytes[to_server] += FRAME_HEADER_BYTES + frame->length;
    dump_frame(to_server, frame, PAYLOAD_LINES);
}

static void see_fields(struct h2_client *t, bool to_server, const struct hpack_field *fields,
                       size_t count)
{
    (void)t;
    (void)to_server;
    for (size_t i = 0; i < count; i++)
        dump_field(&fields[i]);
}

// How many bytes have come on the connection, as the kernel says.
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

static const struct claim settings_first = {
    "3.45", "load balancing", "SETTINGS go both ways, and then come the requests", NOT_HERE,
    "A client does not wait for the server's SETTINGS: its first requests leave with the "
    "preface, which saves a round trip (RFC 9113 §3.4)."};

void scene_frames(void)
{
    static const struct h2_listener listener = {see_frame, see_fields};
    story_say("All frames of a connection, as the client sends and reads them.");
    story_say("");
    h2_open(&client, 0, &listener);
    uint32_t first = h2_get(&client, "/");
    h2_await(&client, first);
    story_say("");
    story_say("Now the highest bit of the stream's number is set: this bit is reserved.");
    client.next_stream |= RESERVED_BIT;
    uint32_t second = h2_get(&client, "/");
    h2_await(&client, second);
    h2_ping(&client); // when the answer is here, all that the server has sent before is here
    uint64_t received = bytes_received(client.fd);
    bool all_frames = seen.bytes[0] == received && seen.frames[0] > 0;
    bool ignored = second == 3 && h2_answer(&client, second)->status == 200;
    h2_close(&client);
    claim_report(&layout, holds_if(all_frames && ignored),
                 "%u frames, and 9 + length bytes each make up all %llu bytes that came; of "
                 "the 32 bits one is reserved: set in a request on stream 3, the answer is %d "
                 "on stream 3",
                 seen.frames[0], (unsigned long long)received,
                 h2_answer(&client, second)->status);
    enum verdict verdict = UNCLEAR;
    if (ignored && seen.settings[0] && seen.settings[1])
        verdict = seen.settings_before ? HOLDS : NOT_HERE;
    claim_report(&settings_first, verdict,
                 "SETTINGS that had come from the server when the first request left: %u",
                 seen.settings_before);
}
