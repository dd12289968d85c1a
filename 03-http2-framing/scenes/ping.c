// ping.c: scene ping: is the server still there? A PING is answered after a round trip, and
// when the server's machine is gone without a word, it is not.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "claim.h"
#include "frame_names.h"
#include "h2_client.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"
#include "tell.h"

#define PING_MS 500 // that a PING may take

static struct h2_client client; // too large for the stack

static void see_ping(struct h2_client *t, bool to_server, const struct frame *frame)
{
    char text[200];
    (void)t;
    if (frame->type == FRAME_PING)
        story_event("%s %s", to_server ? "->" : "<-", frame_describe(frame, text, sizeof text));
}

// No error, and no end: what a program that only looks at its socket knows.
static bool looks_well(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

// Sends a PING. True: something has come within PING_MS.
static bool answers(void)
{
    static const uint8_t opaque[8] = "are you?";
    struct pollfd socket = {client.fd, POLLIN, 0};
    h2_wrote(&client, frame_put_ping(h2_space(&client), 0, opaque));
    h2_flush(&client);
    return poll(&socket, 1, PING_MS) != 0;
}

static const struct claim alive = {"3.56", "ch. 18.2", "PING: keep-alive", HOLDS, NULL};

void scene_ping(void)
{
    static const struct h2_listener listener = {.frame = see_ping};
    if (!packet_log()->tunnel) {
        claim_skip(&alive);
        return;
    }
    story_say("A connection that has been used, and is idle now.");
    h2_open(&client, H2_WINDOW, &listener);
    h2_await(&client, h2_get(&client, "/"));
    story_timeline();
    int64_t start_ns = now_ns();
    bool answered = h2_ping(&client);
    double answer_ms = ms_since(start_ns);
    const char *refused = wire_tell("mute server");
    if (refused)
        die("wire cannot mute the server: %s", refused);
    story_event("from now on the server is mute");
    bool well_before = looks_well(client.fd), late = answers(), well = looks_well(client.fd);
    story_event("after %d ms: %s; the socket %s", PING_MS,
                late ? "an answer" : "no answer to the PING",
                well ? "looks well" : "is at its end");
    wire_tell("unmute server");
    story_quiet(true);
    h2_close(&client);
    claim_report(&alive, holds_if(answered && well_before && !late && well),
                 "it tells whether the server is there: the answer came after %.0f ms; from a "
                 "server that was mute none had come after %d ms, and its socket looked well. "
                 "(It does not keep a connection: this server closes it when no request comes)",
                 answer_ms, PING_MS);
}
