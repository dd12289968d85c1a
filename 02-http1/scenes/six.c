// six.c: scene six: 30 images over one connection, and over six.
#include <poll.h>
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "packet_log.h"
#include "round_trips.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define IMAGES       30
#define SIX          6
#define LABEL        16 // columns of "  connection 1  "
#define ARROW_MARGIN 12 // columns that stay free behind the arrows
#define NONE         (-1)

static const struct claim six = {"2.6", "guide §3.1, ch. 18.2, design patterns",
                                 "browsers open 6 connections a host; the rest wait", HOLDS,
                                 NULL};

struct image {
    int connection;
    double asked_ms, here_ms; // since the first request
};

static void ask_image(struct fetch *f, int number)
{
    fetch_or_die(f, fetch_send(f, "GET /img/%d HTTP/1.1\r\n" FETCH_HOST "\r\n", number));
}

// Loads IMAGES images over so many connections as a browser does: one request at a time on
// each of them. Returns how long that took, in milliseconds.
static double load_images(int connections, struct image *images)
{
    static struct fetch f[SIX];
    struct pollfd polls[SIX];
    int loading[SIX], asked = 0, here = 0; // loading: the image on each connection
    for (int c = 0; c < connections; c++) {
        ask_open(&f[c]);
        polls[c] = (struct pollfd){f[c].fd, POLLIN, 0};
        loading[c] = NONE;
    }
    int64_t start_ns = now_ns(); // all connections are open: a browser opens them at once
    while (here < IMAGES) {
        for (int c = 0; c < connections; c++) {
            if (loading[c] != NONE || asked == IMAGES)
                continue;
            images[asked] = (struct image){c, ms_since(start_ns), 0};
            loading[c] = asked++;
            ask_image(&f[c], asked);
        }
        if (poll(polls, (nfds_t)connections, FETCH_PATIENCE_MS) <= 0)
            die("nothing has come for %d seconds", FETCH_PATIENCE_MS / 1000);
        for (int c = 0; c < connections; c++) {
            if (!polls[c].revents)
                continue;
            fetch_or_die(&f[c], fetch_read(&f[c]));
            if (loading[c] != NONE && fetch_or_die(&f[c], fetch_take(&f[c]))) {
                images[loading[c]].here_ms = ms_since(start_ns);
                loading[c] = NONE;
                here++;
            }
        }
    }
    double took_ms = ms_since(start_ns);
    for (int c = 0; c < connections; c++)
        fetch_close(&f[c]);
    return took_ms;
}

// An arrow of `width` columns with the image's number in it, where there is room for a number.
static void draw_arrow(int width, int image)
{
    char number[16] = "";
    if (width > 6)
        snprintf(number, sizeof number, " %d ", image);
    int shaft = width - 2 - columns(number);
    fputs("├", stdout);
    repeat("─", shaft / 2);
    fputs(number, stdout);
    repeat("─", shaft - shaft / 2);
    fputs("▶", stdout);
}

// A line for each connection: the images that it loaded, from the request to the last byte.
static void draw_images(const struct image *images, int connections, double full_ms)
{
    int width = text_width() - LABEL - ARROW_MARGIN;
    for (int c = 0; c < connections; c++) {
        int x = 0;
        printf("  connection %d  %s", c + 1, paint(CYAN));
        for (int i = 0; i < IMAGES; i++) {
            int from = (int)(images[i].asked_ms / full_ms * width);
            int to = (int)(images[i].here_ms / full_ms * width);
            if (images[i].connection != c || to < from + 2)
                continue;
            repeat(" ", from - x);
            draw_arrow(to - from, i + 1);
            x = to;
        }
        printf("%s\n", paint(PLAIN));
    }
}

// How many images were asked for only when another one was here.
static int count_waiting(const struct image *images, double first_here_ms)
{
    int waited = 0;
    for (int i = 0; i < IMAGES; i++)
        if (images[i].here_ms < first_here_ms)
            first_here_ms = images[i].here_ms;
    for (int i = 0; i < IMAGES; i++)
        if (images[i].asked_ms >= first_here_ms)
            waited++;
    return waited;
}

// The largest number of images that one connection loaded: so often the browser waited.
static int longest_turn(const struct image *images)
{
    int loaded[SIX] = {0}, longest = 0;
    for (int i = 0; i < IMAGES; i++)
        if (++loaded[images[i].connection] > longest)
            longest = loaded[images[i].connection];
    return longest;
}

void scene_six(void)
{
    static struct image over_one[IMAGES], over_six[IMAGES];
    story_say("%d images, over one connection and over six, as a browser loads them:", IMAGES);
    double one_ms = load_images(1, over_one), six_ms = load_images(SIX, over_six);
    int waited = count_waiting(over_six, one_ms), turns = longest_turn(over_six);
    story_say("");
    draw_images(over_six, SIX, six_ms);
    story_say("");
    story_bar("1 connection", one_ms, one_ms, "%.0f ms", one_ms);
    story_bar("6 connections", six_ms, one_ms, "%.0f ms", six_ms);
    if (!packet_log()->tunnel)
        claim_skip(&six);
    else if (no_round_trips())
        claim_report(&six, SKIPPED, "%s", no_round_trips());
    else
        claim_report(
            &six, holds_if(waited == IMAGES - SIX && turns <= IMAGES / 3),
            "%d of %d images waited for an earlier one; %d turns, not %d: %.1f times as fast",
            waited, IMAGES, turns, IMAGES, one_ms / six_ms);
}
