// windows.c: scene windows: how much DATA may a server send?
#include <stdio.h>

#include "claim.h"
#include "frame_names.h"
#include "h2_client.h"
#include "scenes.h"
#include "story.h"

#define HUGE_IMAGE 200000
#define QUIET      2 // PINGs that come back without DATA: the server has no more to send

static struct h2_client client; // too large for the stack

struct step {
    enum { GET, WIDEN, INITIAL } kind;
    uint32_t stream; // 0: the connection
    uint32_t value;
    uint32_t watch; // the figures of this stream are shown
    uint64_t comes; // bytes that a server sends if it keeps to the rules
};

// Bytes of content that have come, on all streams.
static uint64_t content(void)
{
    uint64_t sum = 0;
    for (uint32_t stream = 1; stream <= client.receiver.last_stream; stream += 2)
        sum += h2_answer(&client, stream)->content_bytes;
    return sum;
}

// Reads until the server has nothing more to send. False: the connection is at its end.
static bool settle(void)
{
    for (int quiet = 0; quiet < QUIET; quiet++) {
        uint64_t before = content();
        if (!h2_ping(&client))
            return false;
        if (content() != before)
            quiet = -1;
    }
    return true;
}

// Takes a step, and shows what the server sends. True: it is what the rules say.
static bool take_step(const struct step *step)
{
    char words[60], path[40];
    uint64_t before = content();
    if (step->kind == GET) {
        snprintf(path, sizeof path, "/img/1?size=%d", HUGE_IMAGE);
        snprintf(words, sizeof words, "GET %s", path);
        h2_get(&client, path);
    } else if (step->kind == WIDEN) {
        snprintf(words, sizeof words, "WINDOW_UPDATE %u: +%u", step->stream, step->value);
        h2_widen(&client, step->stream, step->value);
    } else {
        snprintf(words, sizeof words, "INITIAL_WINDOW_SIZE=%u", step->value);
        h2_initial_window(&client, step->value);
    }
    bool settled = settle();
    const struct response *response = h2_answer(&client, step->watch);
    uint64_t came = content() - before;
    story_row("%s|%llu|%u: %llu|%lld|%lld", words, (unsigned long long)came, step->watch,
              (unsigned long long)response->content_bytes, (long long)response->window,
              (long long)client.receiver.window);
    return settled && came == step->comes;
}

static int take_steps(const struct step *steps, size_t count, uint32_t connection_window)
{
    int right = 0;
    h2_open(&client, 0, NULL);
    h2_widen(&client, 0, connection_window - WINDOW_DEFAULT);
    story_head("the client says|then comes|of stream|its window|connection's");
    for (size_t i = 0; i < count; i++)
        right += take_step(&steps[i]);
    if (client.fault.scope)
        story_say("The client says GOAWAY %s: %s.", error_code_name(client.fault.code),
                  client.fault.why);
    h2_close(&client);
    return right;
}

static const struct claim controlled = {
    "3.10", "guide §3.2", "streams need flow control (here: each of them, and the connection)",
    HOLDS, NULL};

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
    story_say(
        "The client opens the window of a connection to 165,535 bytes. Its streams have the "
        "usual 65,535. What does the client say, and how many bytes does the server send "
        "then?");
    int right = take_steps(two_levels, sizeof two_levels / sizeof *two_levels, 165535);
    story_say("");
    story_say("A window of a million, and a setting that moves the windows of all streams:");
    right += take_steps(moved, sizeof moved / sizeof *moved, 1000000);
    const char *seen = "";
    if (right == steps)
        seen =
            ": 65,535 in a stream's first window; nothing while either window is 0 or below; "
            "1 byte for WINDOW_UPDATE +1";
    claim_report(&controlled, holds_if(right == steps), "%d of %d steps to the byte%s", right,
                 steps, seen);
}
