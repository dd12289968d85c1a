// push.c: scene push: two parts of HTTP/2 that are no longer used: pushes and priorities.
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "frame_chart.h"
#include "frame_names.h"
#include "h2_client.h"

#define IMAGE    60000 // bytes
#define HEAVIEST 255   // weight 256: the wire has one less
#define LIGHTEST 0     // weight 1
#define PROMISED 2     // the stream of a push

static struct h2_client client; // too large for the stack

// ---- pushes --------------------------------------------------------------------------------

static int promises;

static void see_promise(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    promises += !to_server && frame->type == FRAME_PUSH_PROMISE;
}

// PUSH_PROMISE (§6.6) of GET / on a stream; returns its end.
static uint8_t *put_promise(uint8_t *out, uint32_t stream)
{
    static const uint8_t payload[] = {0, 0, 0, PROMISED, 0x82, 0x84, 0x86}; // GET, /, http
    out = frame_put_header(out, sizeof payload, FRAME_PUSH_PROMISE, FLAG_END_HEADERS, stream);
    for (size_t i = 0; i < sizeof payload; i++)
        *out++ = payload[i];
    return out;
}

// The client allows pushes. Does the server push?
static bool pushes_nothing(void)
{
    static const struct h2_listener listener = {.frame = see_promise};
    static const struct setting allowed = {SETTINGS_ENABLE_PUSH, 1};
    h2_open(&client, H2_WINDOW, &listener);
    h2_wrote(&client, frame_put_settings(h2_space(&client), &allowed, 1));
    bool answered = h2_await(&client, h2_get(&client, "/")) && h2_ping(&client);
    h2_close(&client);
    story_row("GET /, and ENABLE_PUSH=1|%d PUSH_PROMISE frames", promises);
    return answered && promises == 0;
}

// The client pushes, which it must not do. True: the server refuses.
static bool refuses_ours(void)
{
    h2_open(&client, H2_WINDOW, NULL);
    h2_get(&client, "/");
    h2_wrote(&client, put_promise(h2_space(&client), 1));
    h2_await_end(&client);
    h2_close(&client);
    story_row("the client pushes|GOAWAY %s: %s", error_code_name(client.receiver.goaway_code),
              client.receiver.goaway_text);
    return client.receiver.went_away && client.receiver.goaway_code == PROTOCOL_ERROR;
}

// An old server, at the other end of a socketpair(2), pushes although the client has sent
// ENABLE_PUSH=0. True: the client refuses.
static bool we_refuse(void)
{
    uint8_t frames[128], bytes[4096];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        die("no socketpair");
    h2_begin(&client, ends[0], H2_WINDOW, NULL);
    h2_get(&client, "/");
    h2_flush(&client);
    uint8_t *end = put_promise(frame_put_settings(frames, NULL, 0), 1);
    if (!write_all(ends[1], frames, (size_t)(end - frames)))
        die("a socketpair that takes nothing");
    h2_await_end(&client);
    h2_close(&client);
    ssize_t length = read(ends[1], bytes, sizeof bytes);
    close(ends[1]);
    struct frame frame = {0};
    for (ssize_t at = PREFACE_BYTES; at + FRAME_HEADER_BYTES <= length;
         at += FRAME_HEADER_BYTES + frame.length)
        frame_read_header(bytes + at, &frame); // up to the last
    bool refused = frame.type == FRAME_GOAWAY && frame.length >= 8 &&
                   frame_read_u32(frame.payload + 4) == PROTOCOL_ERROR;
    story_row("an old server pushes|%s %s", frame_type_name(frame.type),
              error_code_name(client.fault.code));
    return refused;
}

// ---- priorities ----------------------------------------------------------------------------

static struct frame_chart chart;

static void see_data(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (!to_server)
        chart_note(&chart, frame);
}

// Two images: the first with all the weight there is, the second with none. Returns the part of
// the second that is here when the first is.
static double share_of_light(void)
{
    static const struct h2_listener listener = {.frame = see_data};
    h2_open(&client, H2_WINDOW, &listener);
    h2_wrote(&client, frame_put_priority(h2_space(&client), 1, 0, HEAVIEST));
    h2_wrote(&client, frame_put_priority(h2_space(&client), 3, 0, LIGHTEST));
    for (int i = 1; i <= 2; i++) {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", i, IMAGE);
        h2_get(&client, path);
    }
    h2_await_all(&client);
    h2_close(&client);
    chart_draw(&chart, 1, "weight 256");
    chart_draw(&chart, 3, "weight 1");
    return (double)chart_bytes(&chart, 3, chart_end(&chart, 1)) / IMAGE;
}

// What a PRIORITY frame on a request's stream leads to: the frame's payload has `length` bytes,
// and says that the stream depends on itself.
static bool priority_ends(const char *name, uint32_t length, uint32_t error)
{
    h2_open(&client, H2_WINDOW, NULL);
    uint32_t stream = h2_get(&client, "/slow?ms=1");
    uint8_t *start = h2_space(&client);
    frame_put_priority(start, stream, stream, HEAVIEST);
    frame_put_header(start, length, FRAME_PRIORITY, 0, stream);
    h2_wrote(&client, start + FRAME_HEADER_BYTES + length);
    h2_await(&client, stream);
    const struct response *response = h2_answer(&client, stream);
    h2_close(&client);
    if (response->reset)
        story_row("%s|RST_STREAM %s", name, error_code_name(response->error));
    else
        story_row("%s|answered with status %d", name, response->status);
    return response->reset && response->error == error;
}

static const struct claim push_is_over = {"3.8", "guide §3.2", "server push is deprecated",
                                          HOLDS, NULL};

static const struct claim prioritized = {
    "3.9", "guide §3.2, ch. 18.2",
    "clients assign priorities, helping servers decide what to send first", NOT_HERE,
    "RFC 9113 §5.3.2 deprecates the tree of weights: a PRIORITY frame must still be right, and "
    "means nothing. RFC 9218 has a simpler scheme, a field: \"priority: u=1, i\"."};

void scene_push(void)
{
    story_say("Pushes. The client's SETTINGS always begin with ENABLE_PUSH=0.");
    story_head("what happens|answer");
    bool nothing = pushes_nothing(), ours = refuses_ours(), theirs = we_refuse();
    story_say("");
    story_say("Priorities. Two images of %d bytes, a column for each DATA frame:", IMAGE);
    story_say("");
    double share = share_of_light();
    story_head("PRIORITY|answer");
    bool itself = priority_ends("a stream behind itself", 5, PROTOCOL_ERROR);
    bool checked = priority_ends("four bytes instead of five", 4, FRAME_SIZE_ERROR);
    claim_report(
        &push_is_over, holds_if(nothing && ours && theirs),
        "here: %d sent with ENABLE_PUSH=1, and none taken, by either side; that nginx and "
        "Chrome gave it up cannot be measured here",
        promises);
    enum verdict seen = UNCLEAR;
    if (share > 0.75 && itself && checked)
        seen = NOT_HERE;
    else if (share < 0.1)
        seen = HOLDS;
    claim_report(&prioritized, seen,
                 "when the stream of weight 256 was complete, %.0f %% of the one of weight 1 "
                 "were here; 256 to 1 would be 0.4 %%",
                 100 * share);
}
