// turns.c: scene interleave: whose DATA goes next; scene windows: how much of it may go.
#include <stdio.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"
#include "strip.h"
#include "talk.h"

#define LARGE      60000 // bytes of an image
#define SMALL      4000
#define SLOW_MS    150
#define HUGE_IMAGE 200000
#define QUIET      2 // PINGs that come back without DATA: the server has no more to send

static struct talk talk; // too large for the stack

// ---- interleave ----------------------------------------------------------------------------

static struct strip strip;

static void see_frame(struct talk *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (!to_server)
        strip_note(&strip, frame);
}

static const struct claim interleaved = {
    "3.4", "guide §3.2", "responses interleave: no waiting for one another in HTTP", HOLDS,
    NULL};

void scene_interleave(void)
{
    static const struct talk_listener listener = {.frame = see_frame};
    enum { SLOW, IMAGE_1, IMAGE_2, IMAGE_3, FAST, ASKED };
    char paths[ASKED][40];
    uint32_t streams[ASKED];
    int ends[ASKED], changes = 0;
    talk_open(&talk, TALK_WINDOW, &listener);
    snprintf(paths[SLOW], sizeof *paths, "/slow?ms=%d", SLOW_MS);
    for (int i = IMAGE_1; i <= FAST; i++)
        snprintf(paths[i], sizeof *paths, "/img/%d?size=%d", i, i == FAST ? SMALL : LARGE);
    for (int i = 0; i < ASKED; i++)
        streams[i] = talk_get(&talk, paths[i]);
    bool all = talk_await_all(&talk);
    talk_close(&talk);
    story_say("Five requests in one write(). A column for each DATA frame, in their order:");
    story_say("");
    for (int i = 0; i < ASKED; i++) {
        strip_draw(&strip, streams[i], paths[i]);
        ends[i] = strip_end(&strip, streams[i]);
    }
    int first_image = ends[IMAGE_1];
    for (int i = IMAGE_2; i <= IMAGE_3; i++)
        first_image = ends[i] < first_image ? ends[i] : first_image;
    for (int i = 1; i <= first_image; i++)
        changes += strip.frames[i].stream != strip.frames[i - 1].stream;
    bool overtook = ends[FAST] < first_image && ends[FAST] < ends[SLOW];
    claim_report(&interleaved,
                 all && ends[FAST] >= 0 && overtook && changes > first_image / 2 ? HOLDS
                                                                                 : UNCLEAR,
                 "stream %u, asked for last, ended with DATA frame %d of %d; the stream "
                 "changed after %d of the first %d",
                 streams[FAST], ends[FAST] + 1, strip.count, changes, first_image + 1);
}

// ---- windows -------------------------------------------------------------------------------

struct step {
    enum { GET, WIDEN, INITIAL } kind;
    uint32_t stream; // 0: the connection
    uint32_t value;
    uint32_t watch; // whose figures are shown
    uint64_t comes; // bytes, if the server keeps to the rules
};

// All content that has come.
static uint64_t content(void)
{
    uint64_t sum = 0;
    for (uint32_t stream = 1; stream <= talk.last_stream; stream += 2)
        sum += talk_reply(&talk, stream)->content_bytes;
    return sum;
}

// Reads until the server has nothing more to send. False: the connection is at its end.
static bool settle(void)
{
    for (int quiet = 0; quiet < QUIET; quiet++) {
        uint64_t before = content();
        if (!talk_ping(&talk))
            return false;
        if (content() != before)
            quiet = -1;
    }
    return true;
}

// Takes a step and shows what came of it. True if that was what the rules say.
static bool take_step(const struct step *step)
{
    char words[60], path[40];
    uint64_t before = content();
    if (step->kind == GET) {
        snprintf(path, sizeof path, "/img/1?size=%d", HUGE_IMAGE);
        snprintf(words, sizeof words, "GET %s", path);
        talk_get(&talk, path);
    } else if (step->kind == WIDEN) {
        snprintf(words, sizeof words, "WINDOW_UPDATE stream %u +%u", step->stream, step->value);
        talk_widen(&talk, step->stream, step->value);
    } else {
        snprintf(words, sizeof words, "INITIAL_WINDOW_SIZE=%u", step->value);
        talk_initial_window(&talk, step->value);
    }
    bool settled = settle();
    const struct reply *reply = talk_reply(&talk, step->watch);
    uint64_t came = content() - before;
    story_row("%s|%llu|%u: %llu|%lld|%lld", words, (unsigned long long)came, step->watch,
              (unsigned long long)reply->content_bytes, (long long)reply->window,
              (long long)talk.window);
    return settled && came == step->comes;
}

static int take_steps(const struct step *steps, size_t count, uint32_t connection_window)
{
    int right = 0;
    talk_open(&talk, 0, NULL);
    talk_widen(&talk, 0, connection_window - WINDOW_DEFAULT);
    story_head("we say|then comes|of stream|its window|connection's");
    for (size_t i = 0; i < count; i++)
        right += take_step(&steps[i]);
    if (talk.fault.scope)
        story_say("We say GOAWAY %s: %s.", error_code_name(talk.fault.code), talk.fault.why);
    talk_close(&talk);
    return right;
}

static const struct claim controlled = {
    "3.10", "guide §3.2", "flow control, of each stream and of the connection", HOLDS, NULL};

void scene_windows(void)
{
    static const struct step two_levels[] = {
        {GET, 0, 0, 1, 65535}, {WIDEN, 1, 20000, 1, 20000}, {GET, 0, 0, 3, 65535},
        {GET, 0, 0, 5, 14465}, {WIDEN, 5, 50000, 5, 0},     {WIDEN, 0, 30000, 5, 30000}};
    static const struct step moved[] = {{GET, 0, 0, 1, 65535},
                                        {INITIAL, 0, 100000, 1, 34465},
                                        {INITIAL, 0, 20000, 1, 0},
                                        {WIDEN, 1, 80000, 1, 0},
                                        {WIDEN, 1, 1, 1, 1}};
    const int steps = sizeof two_levels / sizeof *two_levels + sizeof moved / sizeof *moved;
    story_say("A connection whose window we have opened to 165,535 bytes; its streams have "
              "the usual");
    story_say("65,535. What do we say, and how many bytes does the server send for it?");
    int right = take_steps(two_levels, sizeof two_levels / sizeof *two_levels, 165535);
    story_say("");
    story_say("A window of a million, and a setting that moves the windows of all streams:");
    right += take_steps(moved, sizeof moved / sizeof *moved, 1000000);
    claim_report(&controlled, right == steps ? HOLDS : UNCLEAR, "%d of %d steps to the byte%s",
                 right, steps,
                 right == steps ? ": 65,535 in a stream's first window; nothing while either "
                                  "window is 0 or below; 1 byte for WINDOW_UPDATE +1"
                                : "");
}
