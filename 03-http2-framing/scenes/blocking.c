// blocking.c: scene blocking: a packet is lost. Which streams, and which connections, wait?
#include <stdio.h>

#include "packet_log.h"
#include "claim.h"
#include "packet_gap.h"
#include "scenes.h"
#include "http1_loader.h"
#include "story.h"
#include "h2_client.h"

#define IMAGES HTTP1_CONNECTIONS // one image for each stream, or for each connection
#define SIZE   60000             // bytes of an image
#define TRIES  6 // the scene loads so often, until a lost packet holds up others

static struct h2_client client; // too large for the stack

static void see_frame(struct h2_client *t, bool to_server, const struct frame *frame)
{
    if (!to_server && frame->type == FRAME_DATA && frame->length)
        gap_piece(http1_port(t->fd), t->position,
                  t->position + FRAME_HEADER_BYTES + frame->length, (int)frame->stream / 2);
}

// Loads the images over one connection, all at once.
static void load_http2(void)
{
    static const struct h2_listener listener = {.frame = see_frame};
    gap_begin();
    h2_open(&client, H2_WINDOW, &listener);
    for (int i = 0; i < IMAGES; i++) {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, SIZE);
        h2_get(&client, path);
    }
    while (client.receiver.open && h2_step(&client))
        gap_read(http1_port(client.fd), client.position + client.in_length - client.in_at,
                 client.read_ns);
    h2_close(&client);
}

// Loads the images over six connections, one on each.
static void load_http1(void)
{
    struct http1_loader loader = {
        .connections = HTTP1_CONNECTIONS, .images = IMAGES, .size = SIZE, .read = gap_read};
    gap_begin();
    http1_load(&loader);
    for (int i = 0; i < HTTP1_CONNECTIONS && packet_log()->tunnel; i++)
        gap_packets(loader.ports[i], i);
}

static int count_true(const bool flags[GAP_OWNERS])
{
    int sum = 0;
    for (int i = 0; i < GAP_OWNERS; i++)
        sum += flags[i];
    return sum;
}

// Loads until a lost packet has left a hole to look at.
static bool find_hole(void (*load)(void), bool went_on, struct hole *hole)
{
    for (int i = 0; i < TRIES; i++) {
        load();
        if (packet_log()->tunnel && gap_find(went_on, hole))
            return true;
        if (!packet_log()->tunnel || packet_log()->loss <= 0)
            return false;
    }
    return false;
}

static const struct claim stalls_all = {
    "3.6", "guide §3.2", "one lost packet stalls all streams of the connection", HOLDS, NULL};

void scene_blocking(void)
{
    struct hole two, one;
    story_say(
        "%d images of %d bytes over one connection of HTTP/2. A packet is lost (✗) and sent "
        "again. █ this program reads DATA; ░ DATA has arrived, but the kernel keeps it back:",
        IMAGES, SIZE);
    bool found = find_hole(load_http2, false, &two);
    if (found) {
        story_say("");
        gap_draw(&two, "stream", 1, 2);
        story_say("");
        story_say("The same images over %d connections of HTTP/1.1:", HTTP1_CONNECTIONS);
        found = find_hole(load_http1, true, &one);
    } else {
        load_http1();
    }
    if (found) {
        story_say("");
        gap_draw(&one, "connection", 1, 1);
    }
    if (!packet_log()->tunnel)
        claim_skip(&stalls_all);
    else if (!found)
        claim_report(&stalls_all, SKIPPED,
                     "on this link no packet was lost that others waited for");
    else
        claim_report(
            &stalls_all,
            holds_if(two.early == 0 && two.waited > 0 && one.early == 0 && one.went_on > 0),
            "%d DATA frames of %d other streams waited up to %.0f ms for %llu lost "
            "bytes; with HTTP/1.1 one connection waited, and %d others read %llu bytes "
            "meanwhile",
            two.waited, count_true(two.waiters), two.longest_ms,
            (unsigned long long)(two.to - two.from), count_true(one.runners),
            (unsigned long long)one.went_on);
}
