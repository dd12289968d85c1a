// interleave.c: scene interleave: which stream sends DATA next?
#include <stdio.h>

#include "claim.h"
#include "frame_chart.h"
#include "h2_client.h"
#include "scenes.h"
#include "story.h"

#define LARGE   60000 // bytes of an image
#define SMALL   4000
#define SLOW_MS 150

static struct h2_client client; // too large for the stack
static struct frame_chart chart;

static void see_frame(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (!to_server)
        chart_note(&chart, frame);
}

static const struct claim interleaved = {
    "3.4", "guide §3.2, ch. 18.2", "responses interleave: no waiting for one another in HTTP",
    HOLDS, NULL};

void scene_interleave(void)
{
    static const struct h2_listener listener = {.frame = see_frame};
    enum { SLOW, IMAGE_1, IMAGE_2, IMAGE_3, FAST, ASKED };
    char paths[ASKED][40];
    uint32_t streams[ASKED];
    int ends[ASKED], changes = 0;
    h2_open(&client, H2_WINDOW, &listener);
    snprintf(paths[SLOW], sizeof *paths, "/slow?ms=%d", SLOW_MS);
    for (int i = IMAGE_1; i <= IMAGE_3; i++)
        snprintf(paths[i], sizeof *paths, "/img/%d?size=%d", i, LARGE);
    snprintf(paths[FAST], sizeof *paths, "/img/%d?size=%d", FAST, SMALL);
    for (int i = 0; i < ASKED; i++)
        streams[i] = h2_get(&client, paths[i]);
    bool all = h2_await_all(&client);
    h2_close(&client);
    story_say("Five requests in one write(). A column for each DATA frame, in their order:");
    story_say("");
    for (int i = 0; i < ASKED; i++) {
        chart_draw(&chart, streams[i], paths[i]);
        ends[i] = chart_end(&chart, streams[i]);
    }
    int first_image = ends[IMAGE_1];
    for (int i = IMAGE_2; i <= IMAGE_3; i++)
        if (ends[i] < first_image)
            first_image = ends[i];
    for (int i = 1; i <= first_image; i++)
        changes += chart.frames[i].stream != chart.frames[i - 1].stream;
    bool overtook = ends[FAST] < first_image && ends[FAST] < ends[SLOW];
    bool ended = all && ends[FAST] >= 0;
    claim_report(&interleaved, holds_if(ended && overtook && changes > first_image / 2),
                 "stream %u, asked for last, ended with DATA frame %d of %d; the stream "
                 "changed after %d of the first %d",
                 streams[FAST], ends[FAST] + 1, chart.count, changes, first_image + 1);
}
